"""Tables of wagering."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Integer, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from whitefelt.kernel.db import TenantBase


class PlaySession(TenantBase):
    """A player's visit to one game: the token that the provider's bets carry (only its hash is kept)."""

    __tablename__ = "play_sessions"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[str] = mapped_column(Uuid(as_uuid=False), unique=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id"))
    integration_id: Mapped[int] = mapped_column(Integer)
    game_code: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=text("now()"))
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))

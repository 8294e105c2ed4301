"""Tables of games."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Identity, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from whitefelt.kernel.db import PlatformBase


class TitleRow(PlatformBase):
    """A game as its provider describes it; `rtp` is a percentage as text."""

    __tablename__ = "titles"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    vendor: Mapped[str] = mapped_column(Text)
    studio: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    rtp: Mapped[str] = mapped_column(Text)
    volatility: Mapped[str] = mapped_column(Text)
    min_stake: Mapped[str] = mapped_column(Text)
    max_stake: Mapped[str] = mapped_column(Text)
    features: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    description: Mapped[str] = mapped_column(Text, server_default="")
    art_url: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    added_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=text("now()"))
    seen_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=text("now()"))

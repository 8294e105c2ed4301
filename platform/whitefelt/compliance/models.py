"""Tables of compliance: wishes for limits, exclusions, identity cases."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Integer, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from whitefelt.kernel.db import TenantBase

_Instant = TIMESTAMP(timezone=True)


class DepositLimitRow(TenantBase):
    """A wish for one period's deposit limit and from when it applies; NULL amount: no limit. Only ever cancelled."""

    __tablename__ = "deposit_limits"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id"))
    period: Mapped[str] = mapped_column(Text)
    set_by: Mapped[str] = mapped_column(Text)
    amount_units: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime] = mapped_column(_Instant)
    effective_at: Mapped[datetime] = mapped_column(_Instant)
    cancelled_at: Mapped[datetime | None] = mapped_column(_Instant)
    rule: Mapped[str] = mapped_column(Text)
    rule_version: Mapped[str] = mapped_column(Text)


class ExclusionRow(TenantBase):
    """A break or exclusion; `ends_at` NULL: without end. Only ever prolonged, by a further row."""

    __tablename__ = "exclusions"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id"))
    kind: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, server_default="")
    starts_at: Mapped[datetime] = mapped_column(_Instant)
    ends_at: Mapped[datetime | None] = mapped_column(_Instant)
    settled_at: Mapped[datetime | None] = mapped_column(_Instant)


class IdentityCaseRow(TenantBase):
    """One identity check at a vendor, from opening to its end."""

    __tablename__ = "identity_cases"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    player_id: Mapped[int] = mapped_column(ForeignKey("players.id"))
    integration_id: Mapped[int] = mapped_column(Integer)
    vendor: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text, unique=True)
    order_id: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    refusal: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(_Instant)
    expires_at: Mapped[datetime | None] = mapped_column(_Instant)
    closed_at: Mapped[datetime | None] = mapped_column(_Instant)

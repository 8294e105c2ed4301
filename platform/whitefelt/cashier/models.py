"""Tables of the cashier; they mirror migrations/tenant/t0007_cashier.sql."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from whitefelt.kernel.db import TenantBase
from whitefelt.kernel.money import Money

_AT = TIMESTAMP(timezone=True)


class DepositRow(TenantBase):
    """Money that a player means to bring in. `public_id` is our reference at the provider."""

    __tablename__ = "deposits"
    __table_args__ = (
        UniqueConstraint("player_id", "idempotency_key", name="uq_deposits_player_id_idempotency_key"),
        CheckConstraint("amount_units > 0", name="amount"),
        CheckConstraint("(status = 'settled') = (settled_at IS NOT NULL)", name="settled"),
        Index("ix_deposits_player_id_id", "player_id", "id"),
        Index("ix_deposits_status_id", "status", "id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    player_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("players.id"))
    integration_id: Mapped[int] = mapped_column(Integer)
    method: Mapped[str] = mapped_column(Text)
    amount_units: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default="created")
    vendor_id: Mapped[str | None] = mapped_column(Text)
    redirect_url: Mapped[str | None] = mapped_column(Text)
    instrument: Mapped[str | None] = mapped_column(Text)
    authorisation: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    claims: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    idempotency_key: Mapped[str | None] = mapped_column(Text)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    checks: Mapped[int] = mapped_column(Integer, default=0)
    next_check_at: Mapped[datetime | None] = mapped_column(_AT)
    created_at: Mapped[datetime] = mapped_column(_AT)
    updated_at: Mapped[datetime] = mapped_column(_AT)
    settled_at: Mapped[datetime | None] = mapped_column(_AT)

    @property
    def money(self) -> Money:
        """What was asked for."""
        return Money(self.amount_units, self.currency)

    @property
    def reference(self) -> str:
        """Our reference at the provider."""
        return str(self.public_id)


class WithdrawalRow(TenantBase):
    """Money that a player wants out; it lies in the player's pending pocket from the request to the end."""

    __tablename__ = "withdrawals"
    __table_args__ = (
        UniqueConstraint("player_id", "idempotency_key", name="uq_withdrawals_player_id_idempotency_key"),
        CheckConstraint("amount_units > 0", name="amount"),
        CheckConstraint("(status = 'waiting') = (decided_at IS NULL)", name="decided"),
        Index("ix_withdrawals_player_id_id", "player_id", "id"),
        Index("ix_withdrawals_status_id", "status", "id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    player_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("players.id"))
    integration_id: Mapped[int] = mapped_column(Integer)
    method: Mapped[str] = mapped_column(Text)
    amount_units: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default="waiting")
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    destination: Mapped[str] = mapped_column(Text)
    vendor_id: Mapped[str | None] = mapped_column(Text)
    failure_reason: Mapped[str | None] = mapped_column(Text)
    decision_note: Mapped[str] = mapped_column(Text, default="")
    decided_by_kind: Mapped[str | None] = mapped_column(Text)
    decided_by_id: Mapped[str | None] = mapped_column(Text)
    decided_by_name: Mapped[str | None] = mapped_column(Text)
    decided_at: Mapped[datetime | None] = mapped_column(_AT)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    attempted_at: Mapped[datetime | None] = mapped_column(_AT)
    idempotency_key: Mapped[str | None] = mapped_column(Text)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    checks: Mapped[int] = mapped_column(Integer, default=0)
    next_check_at: Mapped[datetime | None] = mapped_column(_AT)
    created_at: Mapped[datetime] = mapped_column(_AT)
    updated_at: Mapped[datetime] = mapped_column(_AT)
    closed_at: Mapped[datetime | None] = mapped_column(_AT)

    @property
    def money(self) -> Money:
        """What was asked for."""
        return Money(self.amount_units, self.currency)

    @property
    def reference(self) -> str:
        """Our reference at the provider; it is the payout's idempotency key."""
        return str(self.public_id)


class NotificationRow(TenantBase):
    """One message of a payment provider, as received; applied once by a handler."""

    __tablename__ = "payment_notifications"
    __table_args__ = (
        UniqueConstraint(
            "integration_id", "event_id", "body_hash", name="uq_payment_notifications_integration_id_event_id_body_hash"
        ),
        Index("ix_payment_notifications_reference", "reference", "id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    integration_id: Mapped[int] = mapped_column(Integer)
    event_id: Mapped[str] = mapped_column(Text)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary)
    type: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(_AT)
    applied_at: Mapped[datetime | None] = mapped_column(_AT)
    result: Mapped[str] = mapped_column(Text, default="received")
    flagged: Mapped[bool] = mapped_column(Boolean, default=False)

"""Tables of facts and jobs: outbox, deliveries, cursors, schedules. The platform has the latter, a tenant all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Identity, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from whitefelt.kernel.db import PlatformBase, TenantBase

_now = text("clock_timestamp()")
_zero = text("0")
_Time = TIMESTAMP(timezone=True)


class OutboxRow(TenantBase):
    """A fact as it was recorded, in the transaction that made it true."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(SmallInteger)
    key: Mapped[str] = mapped_column(Text)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recorded_at: Mapped[datetime] = mapped_column(_Time, server_default=_now)


class _Delivery:
    """A fact owed to one consumer. `next_at`: not before; `attempts` fences; `failures` since the last retry."""

    __tablename__ = "deliveries"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    stream: Mapped[str] = mapped_column(Text)
    fact_id: Mapped[int] = mapped_column(BigInteger)
    consumer: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(SmallInteger)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default=_zero)
    failures: Mapped[int] = mapped_column(server_default=_zero)
    next_at: Mapped[datetime] = mapped_column(_Time, server_default=_now)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(_Time, server_default=_now)
    done_at: Mapped[datetime | None] = mapped_column(_Time)


class DeliveryRow(_Delivery, TenantBase):
    """A delivery of a tenant."""


class PlatformDeliveryRow(_Delivery, PlatformBase):
    """A delivery of the platform: runs of its own schedules."""


class CursorRow(TenantBase):
    """How far a stream was passed, by the relay (consumer '') or by a fold."""

    __tablename__ = "relay_cursors"
    stream: Mapped[str] = mapped_column(Text, primary_key=True)
    consumer: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    last_id: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    rows_passed: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    waiting_for: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    waiting_through: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    pruned_through: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    pruned_rows: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    failures: Mapped[int] = mapped_column(server_default=_zero)
    next_at: Mapped[datetime] = mapped_column(_Time, server_default=_now)
    last_error: Mapped[str | None] = mapped_column(Text)
    advanced_at: Mapped[datetime] = mapped_column(_Time, server_default=_now)


class SubscriptionRow(TenantBase):
    """From which row on a consumer is owed the facts of that name."""

    __tablename__ = "relay_subscriptions"
    stream: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    consumer: Mapped[str] = mapped_column(Text, primary_key=True)
    since_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(_Time, server_default=_now)


class _Schedule:
    """What recurs: its rule as text, the last due time that was decided and the next one."""

    __tablename__ = "schedules"
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    rule: Mapped[str] = mapped_column(Text)
    last_due_at: Mapped[datetime] = mapped_column(_Time)
    next_due_at: Mapped[datetime] = mapped_column(_Time)


class ScheduleRow(_Schedule, TenantBase):
    """A schedule of a tenant."""


class PlatformScheduleRow(_Schedule, PlatformBase):
    """A schedule of the platform."""


class _ScheduleRun:
    """A due time that was decided; unique per schedule."""

    __tablename__ = "schedule_runs"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    due_at: Mapped[datetime] = mapped_column(_Time)
    decided_at: Mapped[datetime] = mapped_column(_Time, server_default=_now)


class ScheduleRunRow(_ScheduleRun, TenantBase):
    """A run of a tenant's schedule."""


class PlatformScheduleRunRow(_ScheduleRun, PlatformBase):
    """A run of a platform's schedule."""

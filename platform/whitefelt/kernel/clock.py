"""The one clock. Everything that needs the time asks here, so that tests can freeze it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

_frozen: ContextVar[datetime | None] = ContextVar("frozen_clock", default=None)


def now() -> datetime:
    """The current instant, timezone-aware, in UTC."""
    return _frozen.get() or datetime.now(UTC)


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Hold the clock at `at` (timezone-aware) within the block; only for this context."""
    assert at.tzinfo is not None, "a frozen clock needs a time zone"
    previous = _frozen.set(at.astimezone(UTC))
    try:
        yield
    finally:
        _frozen.reset(previous)


def after(**delta: int) -> datetime:
    """`now()` plus a timedelta given by keyword, e.g. `after(minutes=30)`."""
    return now() + timedelta(**delta)

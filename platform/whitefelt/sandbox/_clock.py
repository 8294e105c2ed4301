"""The sandbox vendors' own clock: they are other companies and do not read the platform's."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def now_seconds() -> int:
    """Whole seconds since 1970, UTC."""
    return time.time_ns() // 1_000_000_000


def iso(at_ms: int) -> str:
    """An instant as RFC 3339 in UTC with whole seconds, for example ``2026-01-31T08:00:00Z``."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

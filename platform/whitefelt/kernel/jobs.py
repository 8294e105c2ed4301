"""Background work as the rest of the house sees it: `schedule` declares what recurs. See also `kernel.outbox`."""

from __future__ import annotations

from whitefelt.kernel.schedules import schedule

__all__ = ["schedule"]

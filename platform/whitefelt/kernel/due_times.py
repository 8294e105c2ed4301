"""When a schedule is due: pure, by rule, time zone and the span of time asked about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAILY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many seconds, counted from 1970, so that all processes agree."""

    seconds: int

    def __str__(self) -> str:
        return f"every {self.seconds} s"


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day of the zone: the first instant of the day at which its clocks show that time or a later one.

    So a time that clocks skip in spring is due when they jump; one that comes twice in autumn is due the first time.
    """

    hour: int
    minute: int
    zone: str

    def __str__(self) -> str:
        return f"daily {self.hour:02}:{self.minute:02} {self.zone}"


Rule = Every | Daily


def rule(*, every_seconds: int | None, daily_at: str | None, zone: str) -> Rule:
    """The rule that a schedule was declared with; exactly one of the two, `daily_at` as `HH:MM`."""
    assert (every_seconds is None) != (daily_at is None), "a schedule needs every_seconds or daily_at"
    if every_seconds is not None:
        assert every_seconds > 0, "a schedule needs a period of at least a second"
        return Every(every_seconds)
    matched = _DAILY.fullmatch(daily_at or "")
    assert matched is not None, f"daily_at is {daily_at!r}; it must be HH:MM"
    return Daily(int(matched[1]), int(matched[2]), zone)


def due_times(rule: Rule, after: datetime, until: datetime) -> Iterator[datetime]:
    """Every due time t with after < t <= until, ascending, in UTC."""
    assert after.tzinfo is not None and until.tzinfo is not None, "due times need instants"
    found = next_due(rule, after)
    while found <= until:
        yield found
        found = next_due(rule, found)


def latest_due(rule: Rule, after: datetime, until: datetime) -> datetime | None:
    """The last due time t with after < t <= until; None if there is none."""
    if isinstance(rule, Every):
        found = _epoch((_seconds(until) // rule.seconds) * rule.seconds)
        return found if found > after else None
    start = max(after, until - timedelta(days=3))
    return max(due_times(rule, start, until), default=None)


def next_due(rule: Rule, after: datetime) -> datetime:
    """The first due time later than `after`."""
    if isinstance(rule, Every):
        return _epoch((_seconds(after) // rule.seconds + 1) * rule.seconds)
    zone = ZoneInfo(rule.zone)
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        found = _first_instant(datetime.combine(day, time(rule.hour, rule.minute)), zone)
        if found > after:
            return found
        day += timedelta(days=1)


def _first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which clocks of the zone show `wall` or later."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    # Clocks jump over `wall`: the jump lies between the readings with the offset after it and the one before it.
    low, high = sorted((_seconds(wall.replace(tzinfo=zone, fold=1)), _seconds(first)))
    while low < high:
        middle = (low + high) // 2
        if _epoch(middle).astimezone(zone).replace(tzinfo=None) >= wall:
            high = middle
        else:
            low = middle + 1
    return _epoch(low)


def _seconds(at: datetime) -> int:
    return int(at.timestamp() // 1)


def _epoch(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

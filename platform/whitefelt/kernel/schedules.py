"""Schedules: what is due is decided from a table, exactly once per due time, also for times that were missed.

RQ's cron only ticks (`cron_main`). A tick (`tick`) looks at every tenant's schedules; for each due time it writes a
run (unique per schedule and time) and the delivery that a worker drains, in one transaction. So two ticks at once, a
tick that never came and an empty Valkey change nothing but the moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from whitefelt.kernel import due_times

Function = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A declared schedule: `function(tenant, due_at)`, or `function(due_at)` for the platform's own."""

    name: str
    every_seconds: int | None
    daily_at: str | None
    scope: str
    catch_up: str
    queue: str
    function: Function

    def rule(self, zone: str) -> due_times.Rule:
        """The rule in that time zone."""
        return due_times.rule(every_seconds=self.every_seconds, daily_at=self.daily_at, zone=zone)


#: Every declared schedule by name; filled at import.
SCHEDULES: dict[str, Schedule] = {}


def schedule(
    name: str, *, every_seconds: int | None = None, daily_at: str | None = None,
    scope: Literal["tenant", "platform"] = "tenant", catch_up: Literal["each", "last"] = "last", queue: str = "default",
) -> Callable[[Function], Function]:  # fmt: skip
    """Decorate a function to be run every so many seconds, or daily at `HH:MM` of the tenant (platform: of UTC).

    It runs without a transaction and at least once per run, so it must be idempotent. `catch_up`: after a stop, `each`
    missed due time gets its run, in order; `last` gives one run for the latest, and none while one is still waiting.
    """

    def decorate(function: Function) -> Function:
        wanted = Schedule(name, every_seconds, daily_at, scope, catch_up, queue, function)
        wanted.rule("UTC")
        known = SCHEDULES.get(name, wanted)
        assert known.function.__qualname__ == function.__qualname__, f"two schedules are called {name!r}"
        SCHEDULES[name] = wanted
        return function

    return decorate

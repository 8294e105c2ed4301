"""Schedules: what is due is decided from a table, exactly once per due time, also for times that were missed.

RQ's cron only ticks (`cron_main`). A tick (`tick`) looks at every tenant's schedules; for each due time it writes a
run (unique per schedule and time) and the delivery that a worker drains, in one transaction. So two ticks at once, a
tick that never came and an empty Valkey change nothing but the moment.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar, Literal

import redis
from rq.cron import CronJob, CronScheduler
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from whitefelt.kernel import clock, db, due_times, outbox, queue, wakeups
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work
from whitefelt.kernel.outbox import Fact, Subscription
from whitefelt.kernel.outbox_models import (
    DeliveryRow,
    PlatformDeliveryRow,
    PlatformScheduleRow,
    PlatformScheduleRunRow,
    ScheduleRow,
    ScheduleRunRow,
)  # fmt: skip

log = logging.getLogger("whitefelt.schedules")

Function = Callable[..., object]
#: How often RQ's cron ticks; how many missed times one tick catches up with per schedule.
TICK_SECONDS = 2
CATCH_UP_RUNS = 200
#: The stream that runs come from: they are written as deliveries at once, in the transaction that decides them.
STREAM = "schedules"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class ScheduleDue(Fact):
    """A schedule's time has come; `due_at` an ISO 8601 instant. Never recorded: the tick writes its delivery."""

    NAME: ClassVar[str] = "kernel.schedule_due"

    schedule: str
    due_at: str

    @property
    def key(self) -> str:
        return f"schedule:{self.schedule}"


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

    @property
    def consumer(self) -> str:
        """The consumer of its deliveries."""
        return f"schedule:{self.name}"


#: Every declared schedule by name; filled at import.
SCHEDULES: dict[str, Schedule] = {}
#: Per tenant id (0: the platform): what its schedules were when last seen, and when the next is due.
_resting: dict[int, tuple[int, float, datetime]] = {}
_LOOK_AGAIN_SECONDS = 30.0


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

        def run(tenant: TenantRef | None, fact: ScheduleDue) -> None:
            due_at = datetime.fromisoformat(fact.due_at)
            if tenant is None:
                function(due_at)
            else:
                function(tenant, due_at)

        run.__qualname__ = f"run_{name}"
        outbox.add_subscription(
            Subscription(
                wanted.consumer, ScheduleDue.NAME, queue, outside=True, money=False, handler=run, stream=STREAM
            )
        )
        return function

    return decorate


def tick(tenants: Callable[[int, int], list[TenantRef]]) -> int:
    """Decide what is due now, for the platform and every active tenant; returns how many runs. Safe to call at any time."""
    runs = _tick_one(None)
    after = 0
    while page := tenants(after, _PAGE):
        for tenant in page:
            try:
                runs += _tick_one(tenant)
            except Exception as error:
                log.warning("schedules of %s: %s", tenant.slug, type(error).__name__)
        after = page[-1].id
    return runs


def _tick_one(tenant: TenantRef | None) -> int:
    """Decide for one tenant or, None, the platform."""
    scope = "tenant" if tenant is not None else "platform"
    wanted = [one for one in SCHEDULES.values() if one.scope == scope]
    if not wanted or _rests(tenant, len(wanted)):
        return 0
    zone = tenant.timezone if tenant is not None else "UTC"
    with _work(tenant) as work:
        rows = {row.name: row for row in work.session.scalars(select(_tables(work)[0]))}
    now = clock.now()
    runs = 0
    dues = []
    for one in wanted:
        row = rows.get(one.name)
        if row is None or row.rule != str(one.rule(zone)) or row.next_due_at <= now:
            with _work(tenant) as work:
                decided, next_due_at = _decide(work, one, one.rule(zone), now)
                runs += decided
        else:
            next_due_at = row.next_due_at
        dues.append(next_due_at)
    place = tenant.id if tenant is not None else 0
    _resting[place] = (len(wanted), time.monotonic() + _LOOK_AGAIN_SECONDS, min(dues))
    return runs


def _rests(tenant: TenantRef | None, count: int) -> bool:
    """Whether this process knows that nothing of the tenant is due yet."""
    known, until, next_due_at = _resting.get(tenant.id if tenant is not None else 0, (0, 0.0, clock.now()))
    return known == count and time.monotonic() < until and clock.now() < next_due_at


def _work(tenant: TenantRef | None) -> Any:
    return db.unit_of_work(tenant) if tenant is not None else db.platform_work()


def _tables(work: Work) -> tuple[Any, Any, Any]:
    if work.tenant is not None:
        return ScheduleRow, ScheduleRunRow, DeliveryRow
    return PlatformScheduleRow, PlatformScheduleRunRow, PlatformDeliveryRow


def _decide(work: Work, wanted: Schedule, rule: due_times.Rule, now: datetime) -> tuple[int, datetime]:
    """Write the runs of one schedule that are due; returns how many, and when the next is due."""
    schedules, _, deliveries = _tables(work)
    row = work.session.scalar(select(schedules).where(schedules.name == wanted.name).with_for_update(skip_locked=True))
    if row is None:
        # New, or in another tick's hands: then this insert waits for it and changes nothing.
        first = {
            "name": wanted.name,
            "rule": str(rule),
            "last_due_at": now,
            "next_due_at": due_times.next_due(rule, now),
        }
        work.session.execute(insert(schedules).values(**first).on_conflict_do_nothing())
        return 0, first["next_due_at"]  # type: ignore[return-value]
    row.rule = str(rule)
    if wanted.catch_up == "each":
        due = list(islice(due_times.due_times(rule, row.last_due_at, now), CATCH_UP_RUNS))
    else:
        latest = due_times.latest_due(rule, row.last_due_at, now)
        waiting = latest is not None and work.session.scalar(
            select(deliveries.id).where(deliveries.consumer == wanted.consumer, deliveries.state != "done").limit(1)
        )
        due = [latest] if latest is not None and not waiting else []
    decided = sum(_write_run(work, wanted, due_at) for due_at in due)
    if due:
        row.last_due_at = due[-1]
    row.next_due_at = due_times.next_due(rule, row.last_due_at)
    return decided, row.next_due_at


def _write_run(work: Work, wanted: Schedule, due_at: datetime) -> int:
    _, runs, deliveries = _tables(work)
    run_id = work.session.scalar(
        insert(runs).values(name=wanted.name, due_at=due_at).on_conflict_do_nothing().returning(runs.id)
    )
    if run_id is None:
        return 0
    fact = ScheduleDue(wanted.name, due_at.isoformat())
    work.session.execute(
        insert(deliveries).values(
            stream=STREAM, fact_id=run_id, consumer=wanted.consumer, key=fact.key, name=fact.NAME, version=fact.VERSION,
            body=fact.body(),
        )
    )  # fmt: skip
    wakeup = wakeups.direct(wanted.queue, wanted.consumer, fact.key)
    if wakeup not in work.wakeups:
        work.wakeups.append(wakeup)
    return 1


class _Tick(CronJob):  # type: ignore[misc]
    """The only job of RQ's cron: a wake-up for `jobs.tick`, one at a time, in our own serialisation."""

    def enqueue(self, connection: redis.Redis) -> Any:
        wakeups.send([wakeups.Job("default", "tick", ())])


def cron_main(announce: Callable[[str], None] = log.info) -> None:
    """Run RQ's cron until SIGTERM or SIGINT; Valkey may come and go."""
    stopped = False
    said = False

    def leave(*_: object) -> None:
        sys.exit(0)

    class Scheduler(CronScheduler):  # type: ignore[misc]
        def _request_stop(self, signum: int, frame: Any) -> None:
            nonlocal stopped
            stopped = True
            super()._request_stop(signum, frame)  # type: ignore[no-untyped-call]

    pause = 0.25
    while not stopped:
        signal.signal(signal.SIGTERM, leave)
        signal.signal(signal.SIGINT, leave)
        scheduler = Scheduler(connection=queue.connection(), logging_level="WARNING")
        scheduler._cron_jobs.append(_Tick("default", func_name="whitefelt.kernel.jobs.tick", interval=TICK_SECONDS))
        try:
            queue.connection().ping()
            if not said:
                announce("cron ready")
                said = True
            pause = 0.25
            scheduler.start()  # type: ignore[no-untyped-call]
        except (redis.RedisError, OSError) as error:
            log.warning("cron waits for Valkey: %s", type(error).__name__)
            time.sleep(pause)
            pause = min(pause * 2, 5.0)

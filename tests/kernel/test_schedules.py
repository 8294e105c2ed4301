"""Schedules: due times across clock changes, and exactly one run per due time whatever the ticks do."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from sqlalchemy import and_, func, select

from whitefelt.kernel import clock, due_times, schedules
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import platform_work, unit_of_work
from whitefelt.kernel.drain import drain
from whitefelt.kernel.due_times import Daily, Every
from whitefelt.kernel.outbox_models import DeliveryRow, PlatformDeliveryRow, ScheduleRow, ScheduleRunRow


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BERLIN = "Europe/Berlin"
CASES = [
    # A plain day, and that a time that is due now is not due again.
    (Daily(0, 5, "Europe/Malta"), "2026-11-21T00:00", "2026-11-22T23:05", ["2026-11-21T23:05", "2026-11-22T23:05"]),
    (Daily(0, 5, "Europe/Malta"), "2026-11-22T23:05", "2026-11-23T23:04", []),
    # Spring: 02:30 does not exist on 29 March; clocks jump from 02:00 to 03:00 at 01:00 UTC.
    (Daily(2, 30, BERLIN), "2026-03-27T12:00", "2026-03-30T12:00",
     ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]),
    # Its neighbours exist.
    (Daily(1, 59, BERLIN), "2026-03-28T12:00", "2026-03-29T12:00", ["2026-03-29T00:59"]),
    (Daily(3, 0, BERLIN), "2026-03-28T12:00", "2026-03-29T12:00", ["2026-03-29T01:00"]),
    # Autumn: 02:30 comes twice on 25 October; once is enough.
    (Daily(2, 30, BERLIN), "2026-10-24T12:00", "2026-10-26T12:00", ["2026-10-25T00:30", "2026-10-26T01:30"]),
    # Half an hour of difference (Lord Howe), a zone without changes, one far from UTC.
    (Daily(2, 15, "Australia/Lord_Howe"), "2026-10-03T00:00", "2026-10-04T00:00", ["2026-10-03T15:30"]),
    (Daily(23, 59, "UTC"), "2026-01-01T00:00", "2026-01-02T00:00", ["2026-01-01T23:59"]),
    (Daily(0, 0, "Pacific/Kiritimati"), "2026-06-01T00:00", "2026-06-02T00:00", ["2026-06-01T10:00"]),
    # Samoa had no 30 December 2011; the day's run falls on the jump and is the next day's midnight too.
    (Daily(0, 0, "Pacific/Apia"), "2011-12-29T00:00", "2011-12-31T12:00", ["2011-12-29T10:00", "2011-12-30T10:00",
                                                                        "2011-12-31T10:00"]),
    # Periods count from 1970, so that every process means the same instants.
    (Every(3600), "2026-01-01T00:30", "2026-01-01T02:00", ["2026-01-01T01:00", "2026-01-01T02:00"]),
    (Every(7), "1970-01-01T00:00", "1970-01-01T00:00:21", ["1970-01-01T00:00:07", "1970-01-01T00:00:14",
                                                          "1970-01-01T00:00:21"]),
    (Every(86400), "2026-01-01T00:00", "2026-01-01T23:59", []),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "after", "until", "expected"), CASES)
def test_due_times(rule: due_times.Rule, after: str, until: str, expected: list[str]) -> None:
    found = list(due_times.due_times(rule, at(after), at(until)))
    assert found == [at(one) for one in expected]
    assert due_times.latest_due(rule, at(after), at(until)) == (found[-1] if found else None)


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "America/Santiago", "Australia/Lord_Howe", "UTC"])
def test_every_local_day_has_exactly_one_run(zone: str) -> None:
    from zoneinfo import ZoneInfo

    for hour, minute in ((0, 0), (2, 0), (2, 30), (23, 59)):
        found = list(due_times.due_times(Daily(hour, minute, zone), at("2026-01-01T12:00"), at("2027-01-01T12:00")))
        days = [one.astimezone(ZoneInfo(zone)).date() for one in found]
        assert len(days) == len(set(days)) == 365


def test_a_rule_is_one_thing_and_well_formed() -> None:
    assert due_times.rule(every_seconds=5, daily_at=None, zone="UTC") == Every(5)
    assert due_times.rule(every_seconds=None, daily_at="23:59", zone=BERLIN) == Daily(23, 59, BERLIN)
    for every, daily in ((5, "10:00"), (None, None), (0, None), (None, "24:00"), (None, "9:30")):
        with pytest.raises(AssertionError):
            due_times.rule(every_seconds=every, daily_at=daily, zone="UTC")


# ---------------------------------------------------------------------------------------------------------------------
# Against the database. Each test declares schedules of its own names; nothing ticks but the test.

ran: list[tuple[str, str, datetime]] = []


@schedules.schedule("test.each", daily_at="00:05", catch_up="each")
def run_each(tenant: TenantRef, due_at: datetime) -> None:
    ran.append(("each", tenant.slug, due_at))


@schedules.schedule("test.last", every_seconds=60, catch_up="last")
def run_last(tenant: TenantRef, due_at: datetime) -> None:
    ran.append(("last", tenant.slug, due_at))


@schedules.schedule("test.platform", every_seconds=3600, scope="platform")
def run_platform(due_at: datetime) -> None:
    ran.append(("platform", "", due_at))


def tick(now: datetime, *tenants: TenantRef) -> int:
    """One tick of a process that remembers nothing, at that moment."""
    schedules._resting.clear()
    ours = {name: one for name, one in schedules.SCHEDULES.items() if name.startswith("test.")}
    with clock.frozen(now), mock.patch.object(schedules, "SCHEDULES", ours):
        return schedules.tick(lambda after, limit: [one for one in tenants if one.id > after][:limit])


def begin(now: datetime, *tenants: TenantRef) -> None:
    """Have the schedules on file as if first seen at `now`, whatever earlier tests left."""
    open_runs = and_(DeliveryRow.consumer.like("schedule:test.%"), DeliveryRow.state != "done")
    for tenant in tenants:
        with unit_of_work(tenant) as work:
            for row in work.session.scalars(select(ScheduleRow).where(ScheduleRow.name.like("test.%"))):
                row.last_due_at = now
                row.next_due_at = now
            for delivery in work.session.scalars(select(DeliveryRow).where(open_runs)):
                delivery.state, delivery.done_at = "done", now
    tick(now, *tenants)
    ran.clear()


def work_off(tenant: TenantRef | None, name: str) -> None:
    drain(tenant, f"schedule:{name}", f"schedule:{name}")


def runs_of(tenant: TenantRef, name: str, after: datetime) -> list[datetime]:
    with unit_of_work(tenant) as work:
        rows = work.session.scalars(
            select(ScheduleRunRow.due_at).where(ScheduleRunRow.name == name, ScheduleRunRow.due_at > after)
            .order_by(ScheduleRunRow.due_at)
        )  # fmt: skip
        return list(rows)


def test_each_missed_day_gets_its_run_in_the_tenants_zone(alpha: TenantRef, bravo: TenantRef) -> None:
    began = at("2026-05-01T12:00")
    begin(began, alpha, bravo)
    tick(began + timedelta(days=3), alpha, bravo)
    for tenant in (alpha, bravo):
        expected = list(due_times.due_times(Daily(0, 5, tenant.timezone), began, began + timedelta(days=3)))
        assert len(expected) == 3
        assert runs_of(tenant, "test.each", began) == expected
        work_off(tenant, "test.each")
        assert [due for kind, slug, due in ran if (kind, slug) == ("each", tenant.slug)] == expected


def test_a_second_tick_decides_nothing_twice(alpha: TenantRef) -> None:
    began = at("2026-06-01T12:00")
    begin(began, alpha)
    assert tick(began + timedelta(days=1), alpha) > 0
    before = runs_of(alpha, "test.each", began)
    assert tick(began + timedelta(days=1), alpha) == 0
    # Even if the table of schedules forgets what it decided, the run itself is unique.
    with unit_of_work(alpha) as work:
        row = work.session.get_one(ScheduleRow, "test.each")
        row.last_due_at = row.next_due_at = began
    tick(began + timedelta(days=1), alpha)
    assert runs_of(alpha, "test.each", began) == before
    with unit_of_work(alpha) as work:
        assert work.session.get_one(ScheduleRow, "test.each").last_due_at == before[-1]
    work_off(alpha, "test.each")
    assert len([one for one in ran if one[0] == "each"]) == 1


def test_ticks_at_once_decide_once(alpha: TenantRef) -> None:
    began = at("2026-07-01T12:00")
    begin(began, alpha)
    threads = [threading.Thread(target=tick, args=(began + timedelta(days=5), alpha)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs_of(alpha, "test.each", began)) == 5
    with unit_of_work(alpha) as work:
        owed = work.session.scalar(
            select(func.count()).where(DeliveryRow.consumer == "schedule:test.each", DeliveryRow.state == "pending")
        )
    assert owed == 5
    work_off(alpha, "test.each")


def test_last_gives_one_run_and_none_while_one_waits(alpha: TenantRef) -> None:
    began = at("2026-08-01T12:00")
    begin(began, alpha)
    tick(began + timedelta(minutes=10, seconds=5), alpha)
    assert runs_of(alpha, "test.last", began) == [began + timedelta(minutes=10)]
    tick(began + timedelta(minutes=12, seconds=5), alpha)
    assert runs_of(alpha, "test.last", began) == [began + timedelta(minutes=10)]
    work_off(alpha, "test.last")
    tick(began + timedelta(minutes=13, seconds=5), alpha)
    assert runs_of(alpha, "test.last", began) == [began + timedelta(minutes=10), began + timedelta(minutes=13)]
    work_off(alpha, "test.last")
    assert [one[2].minute for one in ran if one[0] == "last"] == [10, 13]


def test_a_changed_time_zone_moves_the_next_run(alpha: TenantRef) -> None:
    began = at("2026-09-01T12:00")
    begin(began, alpha)
    moved = TenantRef(alpha.id, alpha.slug, alpha.schema, alpha.alias, "America/New_York")
    tick(began + timedelta(minutes=1), moved)
    with unit_of_work(alpha) as work:
        row = work.session.get_one(ScheduleRow, "test.each")
        assert (row.rule, row.next_due_at) == ("daily 00:05 America/New_York", at("2026-09-02T04:05"))
    tick(began + timedelta(minutes=2), alpha)


def test_the_platform_has_schedules_of_its_own(platform: object) -> None:
    tick(at("2026-10-01T12:30"))
    work_off(None, "test.platform")
    tick(at("2026-10-01T13:30"))
    work_off(None, "test.platform")
    assert ("platform", "", at("2026-10-01T13:00")) in ran
    with platform_work() as work:
        states = work.session.scalars(
            select(PlatformDeliveryRow.state).where(PlatformDeliveryRow.consumer == "schedule:test.platform")
        )
        assert set(states) == {"done"}

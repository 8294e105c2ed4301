"""Missing facts are found, retention takes only what everyone had, and newcomers are owed nothing of the past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import pytest
from sqlalchemy import select, text, update

from kernel.conftest import Lab
from kernel.lab import Noted
from whitefelt.kernel import clock, deliveries, outbox, retention
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.outbox import Fact
from whitefelt.kernel.outbox_models import CursorRow, DeliveryRow, OutboxRow
from whitefelt.kernel.relay_pass import relay_tenant


@pytest.fixture
def relayed(bench: Lab) -> Lab:
    bench.note("a", 1, 2, 3)
    relay_tenant(bench.tenant)
    bench.drain("a")
    with unit_of_work(bench.tenant) as work:
        assert deliveries.missing_facts(work) == []
    return bench


def faults(bench: Lab) -> list[tuple[str, int | None, str]]:
    with unit_of_work(bench.tenant) as work:
        return [(one.consumer, one.fact_id, one.detail) for one in deliveries.missing_facts(work)]


def test_a_delivery_that_was_taken_away_is_missed(relayed: Lab) -> None:
    with unit_of_work(relayed.tenant) as work:
        work.session.execute(text("DELETE FROM deliveries WHERE fact_id = 2"))
    assert faults(relayed) == [("lab.inside", 2, "lab.noted was never delivered")]


def test_a_cursor_that_was_pushed_ahead_is_noticed(relayed: Lab) -> None:
    with unit_of_work(relayed.tenant) as work:
        work.session.execute(update(CursorRow).where(CursorRow.stream == "outbox").values(last_id=5))
    relayed.note("a", 4, 5, 6)
    relay_tenant(relayed.tenant)
    found = faults(relayed)
    assert ("", None, "2 rows were never passed up to 6") in found
    assert [one[1] for one in found if one[0] == "lab.inside"] == [4, 5]


def test_a_fact_that_was_taken_away_is_noticed(relayed: Lab) -> None:
    with unit_of_work(relayed.tenant) as work:
        work.session.execute(text("DELETE FROM outbox WHERE id = 2"))
    assert faults(relayed) == [("", None, "1 rows are gone up to 3")]


def test_who_subscribes_later_is_not_owed_the_past(relayed: Lab) -> None:
    place = ("lab.newcomer", Noted.NAME)
    try:
        outbox.subscribe(Noted, "lab.newcomer")(lambda work, fact: None)
        relayed.note("a", 4)
        relay_tenant(relayed.tenant)
        assert relayed.owed("lab.newcomer") == [("subject:a", 4, "pending")]
        assert faults(relayed) == []
    finally:
        del outbox.SUBSCRIPTIONS[place]


def test_retention_keeps_what_is_owed_and_knows_what_it_took(relayed: Lab) -> None:
    relayed.note("b", 1)
    relayed.note("a", 4)
    relay_tenant(relayed.tenant)
    relayed.drain("a")
    with unit_of_work(relayed.tenant) as work:
        assert not retention.prune_stream(work, "outbox", clock.now() - timedelta(days=30))
    with unit_of_work(relayed.tenant) as work:
        assert retention.prune_stream(work, "outbox", clock.now() + timedelta(minutes=1))
    with unit_of_work(relayed.tenant) as work:
        # Fact 4 (b 1) is still owed, so it and what came after it stay.
        assert list(work.session.scalars(select(OutboxRow.id).order_by(OutboxRow.id))) == [4, 5]
        assert not retention.prune_stream(work, "outbox", clock.now() + timedelta(minutes=1))
    assert faults(relayed) == []
    relayed.note("c", 1)
    relay_tenant(relayed.tenant)
    with unit_of_work(relayed.tenant) as work:
        work.session.execute(text("DELETE FROM deliveries WHERE key = 'subject:c'"))
    assert faults(relayed) == [("lab.inside", 6, "lab.noted was never delivered")]


@dataclass(frozen=True, slots=True)
class Unheard(Fact):
    """A fact that nobody subscribed to."""

    NAME: ClassVar[str] = "lab.unheard"
    n: int

    @property
    def key(self) -> str:
        return "unheard"


def test_a_fact_without_listeners_is_passed(bench: Lab) -> None:
    with unit_of_work(bench.tenant) as work:
        outbox.record(work, Unheard(1))
    assert relay_tenant(bench.tenant).rows == 1
    assert faults(bench) == []


def test_the_nightly_schedule_prunes_a_tenant_and_the_platform(relayed: Lab) -> None:
    retention.prune_tenant(relayed.tenant, clock.now() + timedelta(days=29))
    with unit_of_work(relayed.tenant) as work:
        assert len(work.session.scalars(select(OutboxRow.id)).all()) == 3
    retention.prune_tenant(relayed.tenant, clock.now() + timedelta(days=31))
    retention.prune_platform(clock.now())
    with unit_of_work(relayed.tenant) as work:
        assert work.session.scalars(select(OutboxRow.id)).all() == []
        assert work.session.scalars(select(DeliveryRow.id)).all() == []
    assert faults(relayed) == []

"""Draining: order per key, once, whatever fails; a fact that keeps failing holds up its own key, for all to see."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sqlalchemy import insert, text

from kernel.conftest import Lab
from kernel.lab import Charged, Noted
from whitefelt.kernel import deliveries, drain, outbox, wakeups
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.errors import NOT_FOUND, Code, Problem
from whitefelt.kernel.outbox_models import OutboxRow
from whitefelt.kernel.relay_pass import relay_tenant


def test_order_per_key_and_a_second_wake_up_does_nothing(bench: Lab) -> None:
    bench.note("a", 1, 2, 3)
    bench.note("b", 1)
    relay_tenant(bench.tenant)
    assert bench.drain("a", "a", "b", "b", "nobody") == [3, 0, 1, 0, 0]
    assert bench.effects("lab.inside") == [("subject:a", 1), ("subject:a", 2), ("subject:a", 3), ("subject:b", 1)]


def test_a_failing_fact_blocks_its_key_only_and_visibly(bench: Lab) -> None:
    bench.note("bad", 1, 2)
    bench.note("good", 1)
    bench.tell("subject:bad", "fail")
    relay_tenant(bench.tenant)
    assert bench.drain("bad", "good") == [0, 1]
    # It is not due again at once.
    assert bench.drain("bad") == [0]
    with unit_of_work(bench.tenant) as work:
        assert deliveries.deliveries(work, state="blocked") == []
    for _ in range(drain.BLOCKED_AFTER - 1):
        bench.due_now()
        bench.drain("bad")
    with unit_of_work(bench.tenant) as work:
        blocked = deliveries.deliveries(work, state="blocked")
        summary = deliveries.backlog(work)
    assert [(one.key, one.attempts) for one in blocked] == [("subject:bad", drain.BLOCKED_AFTER)]
    assert "ValueError" in str(blocked[0].last_error)
    assert "lab.py" in str(blocked[0].last_error)
    assert "Ada" not in str(blocked[0].last_error)
    assert [(one.consumer, one.pending, one.blocked) for one in summary] == [("lab.inside", 1, 1)]
    # Nothing of a failed attempt stays, and what follows waits.
    assert bench.effects("lab.inside") == [("subject:good", 1)]
    bench.tell("subject:bad", "")
    with unit_of_work(bench.tenant) as work:
        deliveries.retry(work, blocked[0].id)
        assert work.wakeups == [wakeups.direct("default", "lab.inside", "subject:bad")]
    assert bench.drain("bad") == [2]
    assert bench.effects("lab.inside", "subject:bad") == [("subject:bad", 1), ("subject:bad", 2)]
    with unit_of_work(bench.tenant) as work:
        assert deliveries.backlog(work) == []
        with pytest.raises(Problem) as refusal:
            deliveries.retry(work, blocked[0].id)
        assert refusal.value.code == NOT_FOUND


def test_two_workers_at_one_key_keep_its_order(bench: Lab) -> None:
    bench.note("a", *range(40))
    relay_tenant(bench.tenant)
    done: list[int] = []

    until = time.monotonic() + 30

    def work_away() -> None:
        # One that finds the key in another's hands goes away empty-handed: how often, nobody can say.
        while sum(done) < 40 and time.monotonic() < until:
            done.append(drain.drain(bench.tenant, "lab.inside", "subject:a"))

    threads = [threading.Thread(target=work_away) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [n for _, n in bench.effects("lab.inside")] == list(range(40))
    assert sum(done) == 40


def test_an_attempt_that_outlived_its_lease_marks_nothing(bench: Lab) -> None:
    with unit_of_work(bench.tenant) as work:
        outbox.record(work, Charged("a", 1))
    relay_tenant(bench.tenant)

    def claim() -> Any:
        with unit_of_work(bench.tenant) as work:
            return drain._claim(work, "lab.outside", "subject:a", outside=True)

    first = claim()
    assert first is not None
    # As long as the lease runs, nobody else gets it.
    assert claim() is None
    bench.due_now()
    second = claim()
    with unit_of_work(bench.tenant) as work:
        assert not drain._mark_done(work, first)
        assert drain._mark_done(work, second)
    assert bench.owed("lab.outside") == [("subject:a", 1, "done")]


def test_what_is_kept_of_an_error_names_no_person(bench: Lab) -> None:
    code = Code("lab_refused", 409, "No.")
    assert drain.describe(Problem(code, "Ada is excluded")).startswith("Problem lab_refused")
    with pytest.raises(Exception) as caught, unit_of_work(bench.tenant) as work:
        work.session.execute(text("INSERT INTO lab_orders VALUES ('Ada', ''), ('Ada', '')"))
    told = drain.describe(caught.value)
    assert "23505 lab_orders_pkey" in told
    assert "Ada" not in told


def test_a_fact_that_cannot_be_read_blocks_its_key_and_no_stream(bench: Lab) -> None:
    with unit_of_work(bench.tenant) as work:
        work.session.execute(
            insert(OutboxRow).values(name=Noted.NAME, version=9, key="subject:odd", body={"another": "shape"})
        )
    bench.note("a", 1)
    relay_tenant(bench.tenant)
    assert bench.drain("odd", "a") == [0, 1]
    with unit_of_work(bench.tenant) as work:
        owed_now = deliveries.deliveries(work, state="pending")
    assert [(one.key, one.attempts) for one in owed_now] == [("subject:odd", 1)]
    assert "TypeError" in str(owed_now[0].last_error)

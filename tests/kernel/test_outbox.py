"""Facts: recorded with the change they tell of, passed in order past late commits, handed over once and in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import insert, select, text, update

from kernel.conftest import Lab
from kernel.lab import Charged, Noted
from whitefelt.kernel import clock, deliveries, drain, outbox, retention, wakeups
from whitefelt.kernel.db import Work, unit_of_work
from whitefelt.kernel.errors import NOT_FOUND, Code, Problem
from whitefelt.kernel.outbox import Fact
from whitefelt.kernel.outbox_models import CursorRow, DeliveryRow, OutboxRow
from whitefelt.kernel.relay_pass import BATCH_ROWS, relay_tenant


def drain_all(bench: Lab, *subjects: str, consumer: str = "lab.inside") -> list[int]:
    return [drain.drain(bench.tenant, consumer, f"subject:{subject}") for subject in subjects]


def owed(bench: Lab, consumer: str = "lab.inside") -> list[tuple[str, int, str]]:
    with unit_of_work(bench.tenant) as work:
        rows = work.session.scalars(
            select(DeliveryRow).where(DeliveryRow.consumer == consumer).order_by(DeliveryRow.id)
        ).all()
    return [(row.key, row.body["n"], row.state) for row in rows]


def due_now(bench: Lab) -> None:
    with unit_of_work(bench.tenant) as work:
        work.session.execute(update(DeliveryRow).values(next_at=clock.now() - timedelta(seconds=5)))


# ---- the language


def test_a_fact_is_read_by_older_and_newer_readers() -> None:
    assert Noted.from_body({"subject": "a", "n": 1, "added_later": True}) == Noted("a", 1)
    assert Noted("a", 1).body() == {"subject": "a", "n": 1}
    with pytest.raises(AssertionError, match="no primitive"):
        Noted("a", {"name": "Ada"}).body()  # type: ignore[arg-type]


def test_the_facts_of_the_house_are_primitives_with_a_key() -> None:
    from whitefelt.facts import compliance, money, people, play

    examples: list[Fact] = [
        people.PlayerRegistered(1, "p", 2, "MT", "EUR"),
        compliance.LimitChanged(1, "p", "deposit", "day", None, "EUR"),
        money.WithdrawalRequested(7, "w", 1, 60_000_000, "EUR", reasons=("first_withdrawal",)),
        play.SessionOpened(1, "s", 1, 3, "orchard"),
    ]
    for fact in examples:
        stored = {name: list(value) if isinstance(value, tuple) else value for name, value in fact.body().items()}
        assert outbox.FACTS[fact.NAME].from_body(stored) == fact
        assert fact.key


def test_one_consumer_is_of_one_kind() -> None:
    with pytest.raises(AssertionError, match="two kinds"):
        outbox.subscribe(Charged, "lab.inside", outside=True)(lambda tenant, fact: None)
    with pytest.raises(AssertionError, match="twice"):
        outbox.subscribe(Noted, "lab.inside")(lambda work, fact: None)
    with pytest.raises(AssertionError, match="no queue"):
        outbox.subscribe(Noted, "lab.other", queue="fast")(lambda work, fact: None)


# ---- recording and relaying


def test_a_fact_lives_and_dies_with_its_transaction(bench: Lab) -> None:
    with pytest.raises(ZeroDivisionError), unit_of_work(bench.tenant) as work:
        outbox.record(work, Noted("a", 1))
        raise ZeroDivisionError
    bench.note("a", 2)
    relay_tenant(bench.tenant)
    assert owed(bench) == [("subject:a", 2, "pending")]


def test_passing_twice_delivers_once(bench: Lab) -> None:
    bench.note("a", 1, 2)
    assert relay_tenant(bench.tenant).rows == 2
    assert relay_tenant(bench.tenant).rows == 0
    # Even a cursor set back by hand finds the deliveries written.
    with unit_of_work(bench.tenant) as work:
        work.session.execute(update(CursorRow).values(last_id=0))
    relay_tenant(bench.tenant)
    assert [n for _, n, _ in owed(bench)] == [1, 2]


def test_more_than_a_batch_keeps_its_order(bench: Lab) -> None:
    with unit_of_work(bench.tenant) as work:
        rows = [{"name": Noted.NAME, "version": 1, "key": "subject:a", "body": {"subject": "a", "n": n}}
                for n in range(BATCH_ROWS + 20)]  # fmt: skip
        work.session.execute(insert(OutboxRow), rows)
    assert relay_tenant(bench.tenant).more
    relay_tenant(bench.tenant)
    assert [n for _, n, _ in owed(bench)] == list(range(BATCH_ROWS + 20))


@contextmanager
def open_transaction(bench: Lab, write: Callable[[Work], object], *, commit: bool = True) -> Iterator[None]:
    """A unit of work in another thread that has written and ends, by commit or not, when the block ends."""
    written, finish = threading.Event(), threading.Event()
    ends: list[BaseException | None] = []

    def run() -> None:
        try:
            with unit_of_work(bench.tenant) as work:
                write(work)
                written.set()
                assert finish.wait(20)
                if not commit:
                    raise ZeroDivisionError
        except BaseException as error:
            ends.append(error)
        else:
            ends.append(None)

    thread = threading.Thread(target=run)
    thread.start()
    assert written.wait(10)
    try:
        yield
    finally:
        finish.set()
        thread.join()
    assert (ends == [None]) if commit else isinstance(ends[0], ZeroDivisionError)


def record_late(work: Work) -> None:
    outbox.record(work, Noted("late", 1))


def test_a_late_commit_is_waited_for_and_not_skipped(bench: Lab) -> None:
    bench.note("early", 1)
    with open_transaction(bench, record_late):
        bench.note("after", 1, 2)
        for _ in range(3):
            assert relay_tenant(bench.tenant).waiting
        assert owed(bench) == [("subject:early", 1, "pending")]
    relay_tenant(bench.tenant)
    assert [key for key, _, _ in owed(bench)] == ["subject:early", "subject:late", "subject:after", "subject:after"]


def test_a_hole_that_nobody_can_fill_is_passed_at_once(bench: Lab) -> None:
    roll_back(bench)
    bench.note("a", 2)
    passed = relay_tenant(bench.tenant)
    assert (passed.rows, passed.waiting) == (1, False)


def roll_back(bench: Lab) -> None:
    """Leave a hole: an id that was taken and never appears."""
    with pytest.raises(ZeroDivisionError), unit_of_work(bench.tenant) as work:
        record_late(work)
        raise ZeroDivisionError


def test_a_writer_of_another_table_holds_up_nothing(bench: Lab) -> None:
    with open_transaction(bench, lambda work: work.session.execute(text("INSERT INTO lab_orders VALUES ('x', '')"))):
        roll_back(bench)
        bench.note("a", 1)
        assert relay_tenant(bench.tenant).rows == 1


def test_a_writer_that_came_after_the_hole_holds_up_nothing(bench: Lab) -> None:
    with open_transaction(bench, record_late, commit=False):
        bench.note("a", 1)
        assert relay_tenant(bench.tenant).waiting
        late = open_transaction(bench, record_late)
        late.__enter__()
    # The first writer has ended without a row; the second one is still at work, behind the row that was seen.
    passed = relay_tenant(bench.tenant)
    assert owed(bench) == [("subject:a", 1, "pending")]
    assert (passed.rows, passed.waiting) == (1, False)
    late.__exit__(None, None, None)
    relay_tenant(bench.tenant)
    assert [key for key, _, _ in owed(bench)] == ["subject:a", "subject:late"]


def test_rows_of_another_table_are_facts_and_are_folded_in_order(bench: Lab) -> None:
    with unit_of_work(bench.tenant) as work:
        for n in (1, 2, -1, 3):
            work.session.execute(text("INSERT INTO lab_rows (n) VALUES (:n)"), {"n": n})
    relay_tenant(bench.tenant)
    assert drain.fold(bench.tenant, "lab.fold") == 4
    assert bench.effects("lab.fold") == [("rows", 1), ("rows", 2), ("rows", 3)]
    assert drain.fold(bench.tenant, "lab.fold") == 0
    with unit_of_work(bench.tenant) as work:
        work.session.execute(text("INSERT INTO lab_rows (n) VALUES (9)"))
    bench.tell("fold", "fail")
    relay_tenant(bench.tenant)
    drain.fold(bench.tenant, "lab.fold")
    with unit_of_work(bench.tenant) as work:
        faults = [
            (one.rows, one.failures, one.last_error) for one in deliveries.lag(work) if one.consumer == "lab.fold"
        ]
        assert faults[0][:2] == (1, 1)
        assert "ValueError" in str(faults[0][2])
        work.session.execute(update(CursorRow).values(next_at=clock.now() - timedelta(seconds=1)))
    bench.tell("fold", "")
    assert drain.fold(bench.tenant, "lab.fold") == 1
    assert bench.effects("lab.fold")[-1] == ("rows", 9)


# ---- draining


def test_order_per_key_and_a_second_wake_up_does_nothing(bench: Lab) -> None:
    bench.note("a", 1, 2, 3)
    bench.note("b", 1)
    relay_tenant(bench.tenant)
    assert drain_all(bench, "a", "a", "b", "b", "nobody") == [3, 0, 1, 0, 0]
    assert bench.effects("lab.inside") == [("subject:a", 1), ("subject:a", 2), ("subject:a", 3), ("subject:b", 1)]


def test_a_failing_fact_blocks_its_key_only_and_visibly(bench: Lab) -> None:
    bench.note("bad", 1, 2)
    bench.note("good", 1)
    bench.tell("subject:bad", "fail")
    relay_tenant(bench.tenant)
    assert drain_all(bench, "bad", "good") == [0, 1]
    # It is not due again at once.
    assert drain_all(bench, "bad") == [0]
    with unit_of_work(bench.tenant) as work:
        assert deliveries.deliveries(work, state="blocked") == []
    for _ in range(drain.BLOCKED_AFTER - 1):
        due_now(bench)
        drain_all(bench, "bad")
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
    assert drain_all(bench, "bad") == [2]
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

    def work_away() -> None:
        for _ in range(60):
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
    due_now(bench)
    second = claim()
    with unit_of_work(bench.tenant) as work:
        assert not drain._mark_done(work, first)
        assert drain._mark_done(work, second)
    assert owed(bench, "lab.outside") == [("subject:a", 1, "done")]


def test_what_is_kept_of_an_error_names_no_person(bench: Lab) -> None:
    code = Code("lab_refused", 409, "No.")
    assert drain.describe(Problem(code, "Ada is excluded")).startswith("Problem lab_refused")
    with pytest.raises(Exception) as caught, unit_of_work(bench.tenant) as work:
        work.session.execute(text("INSERT INTO lab_orders VALUES ('Ada', ''), ('Ada', '')"))
    told = drain.describe(caught.value)
    assert "23505 lab_orders_pkey" in told
    assert "Ada" not in told


# ---- verification and retention


@pytest.fixture
def relayed(bench: Lab) -> Lab:
    bench.note("a", 1, 2, 3)
    relay_tenant(bench.tenant)
    drain_all(bench, "a")
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
        assert owed(relayed, "lab.newcomer") == [("subject:a", 4, "pending")]
        assert faults(relayed) == []
    finally:
        del outbox.SUBSCRIPTIONS[place]


def test_retention_keeps_what_is_owed_and_knows_what_it_took(relayed: Lab) -> None:
    relayed.note("b", 1)
    relayed.note("a", 4)
    relay_tenant(relayed.tenant)
    drain_all(relayed, "a")
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


def test_a_fact_that_cannot_be_read_blocks_its_key_and_no_stream(bench: Lab) -> None:
    with unit_of_work(bench.tenant) as work:
        work.session.execute(
            insert(OutboxRow).values(name=Noted.NAME, version=9, key="subject:odd", body={"another": "shape"})
        )
    bench.note("a", 1)
    relay_tenant(bench.tenant)
    assert drain_all(bench, "odd", "a") == [0, 1]
    with unit_of_work(bench.tenant) as work:
        owed_now = deliveries.deliveries(work, state="pending")
    assert [(one.key, one.attempts) for one in owed_now] == [("subject:odd", 1)]
    assert "TypeError" in str(owed_now[0].last_error)


def test_a_fold_of_the_outbox_gets_facts_of_their_class(bench: Lab) -> None:
    seen: list[tuple[int, Fact]] = []
    outbox.add_fold("outbox", "lab.reader", lambda work, batch: seen.extend(batch))
    try:
        bench.note("a", 1, 2)
        relay_tenant(bench.tenant)
        assert drain.fold(bench.tenant, "lab.reader") == 2
    finally:
        del outbox.FOLDS["lab.reader"]
    assert seen == [(1, Noted("a", 1)), (2, Noted("a", 2))]

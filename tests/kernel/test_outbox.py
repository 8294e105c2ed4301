"""Facts: recorded with the change they tell of, passed in order past late commits, handed over once and in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import insert, text, update

from kernel.conftest import Lab
from kernel.lab import Charged, Noted
from whitefelt.kernel import clock, deliveries, drain, outbox
from whitefelt.kernel.db import Work, unit_of_work
from whitefelt.kernel.outbox import Fact
from whitefelt.kernel.outbox_models import CursorRow, OutboxRow
from whitefelt.kernel.relay_pass import BATCH_ROWS, relay_tenant

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
    assert bench.owed() == [("subject:a", 2, "pending")]


def test_passing_twice_delivers_once(bench: Lab) -> None:
    bench.note("a", 1, 2)
    assert relay_tenant(bench.tenant).rows == 2
    assert relay_tenant(bench.tenant).rows == 0
    # Even a cursor set back by hand finds the deliveries written.
    with unit_of_work(bench.tenant) as work:
        work.session.execute(update(CursorRow).values(last_id=0))
    relay_tenant(bench.tenant)
    assert [n for _, n, _ in bench.owed()] == [1, 2]


def test_more_than_a_batch_keeps_its_order(bench: Lab) -> None:
    with unit_of_work(bench.tenant) as work:
        rows = [{"name": Noted.NAME, "version": 1, "key": "subject:a", "body": {"subject": "a", "n": n}}
                for n in range(BATCH_ROWS + 20)]  # fmt: skip
        work.session.execute(insert(OutboxRow), rows)
    assert relay_tenant(bench.tenant).more
    relay_tenant(bench.tenant)
    assert [n for _, n, _ in bench.owed()] == list(range(BATCH_ROWS + 20))


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
        assert bench.owed() == [("subject:early", 1, "pending")]
    relay_tenant(bench.tenant)
    assert [key for key, _, _ in bench.owed()] == ["subject:early", "subject:late", "subject:after", "subject:after"]


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
    assert bench.owed() == [("subject:a", 1, "pending")]
    assert (passed.rows, passed.waiting) == (1, False)
    late.__exit__(None, None, None)
    relay_tenant(bench.tenant)
    assert [key for key, _, _ in bench.owed()] == ["subject:a", "subject:late"]


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

"""What people and `whitefelt ledger verify` see of facts on their way: counts, lag, blocked deliveries, missing facts.

Runs where handlers and streams are registered (the app, the command line): a fact is owed to whom the code subscribes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from whitefelt.kernel import outbox, wakeups
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import NOT_FOUND, Problem
from whitefelt.kernel.outbox import Stream
from whitefelt.kernel.outbox_models import CursorRow, DeliveryRow, SubscriptionRow

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Delivery:
    """A fact owed to a consumer. `state`: pending, blocked (it kept failing and holds up its key) or done."""

    id: int
    stream: str
    fact_id: int
    consumer: str
    key: str
    name: str
    state: str
    attempts: int
    last_error: str | None
    created_at: datetime
    next_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What a consumer is still owed, and since when."""

    consumer: str
    pending: int
    blocked: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a stream was passed: by the relay (`consumer` empty) or a fold. `rows` are still to pass."""

    stream: str
    consumer: str
    last_id: int
    rows: int
    failures: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Missing:
    """A fault: facts that somebody is owed and will never get. `fact_id` None: rows were skipped or taken away."""

    stream: str
    consumer: str
    fact_id: int | None
    detail: str


def backlog(work: Work) -> list[Backlog]:
    """Consumers that are owed something, by name."""
    rows = work.session.execute(
        select(
            DeliveryRow.consumer,
            func.count().filter(DeliveryRow.state == "pending"),
            func.count().filter(DeliveryRow.state == "blocked"),
            func.min(DeliveryRow.created_at),
        )
        .where(DeliveryRow.state != "done")
        .group_by(DeliveryRow.consumer)
        .order_by(DeliveryRow.consumer)
    )
    return [Backlog(*row) for row in rows]


def lag(work: Work) -> list[Lag]:
    """Every cursor and how many rows it has before it."""
    found = []
    for cursor in work.session.scalars(select(CursorRow).order_by(CursorRow.stream, CursorRow.consumer)):
        if cursor.stream in outbox.STREAMS:
            query = text(f"SELECT count(*) FROM {cursor.stream} WHERE id > :after")  # noqa: S608
            rows = work.session.scalar(query, {"after": cursor.last_id}) or 0
            found.append(Lag(
                cursor.stream, cursor.consumer, cursor.last_id, rows, cursor.failures, cursor.last_error
            ))  # fmt: skip
    return found


def deliveries(
    work: Work, *, state: str = "blocked", before: int | None = None, limit: int = 50, consumer: str | None = None
) -> list[Delivery]:
    """Deliveries in that state, newest first, older than delivery id `before`."""
    query = select(DeliveryRow).where(DeliveryRow.state == state).order_by(DeliveryRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(DeliveryRow.id < before)
    if consumer is not None:
        query = query.where(DeliveryRow.consumer == consumer)
    return [_delivery(row) for row in work.session.scalars(query)]


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        row.id, row.stream, row.fact_id, row.consumer, row.key, row.name, row.state, row.attempts, row.last_error,
        row.created_at, row.next_at, row.done_at,
    )  # fmt: skip


def retry(work: Work, delivery_id: int) -> Delivery:
    """Try a pending or blocked delivery again now, with all its attempts before it; `not_found` if there is none."""
    row = work.session.get(DeliveryRow, delivery_id, with_for_update=True)
    if row is None or row.state == "done":
        raise Problem(NOT_FOUND)
    row.state, row.failures = "pending", 0
    now = work.session.scalar(select(func.clock_timestamp()))
    assert now is not None
    row.next_at = now
    work.session.flush()
    work.wakeups.append(wakeups.direct(outbox.queue_of(row.consumer), row.consumer, row.key))
    return _delivery(row)


def missing_facts(work: Work, limit: int = 100) -> list[Missing]:
    """Facts that were passed without being told to whom they are owed, and rows that no cursor has seen, at most `limit`.

    Looks at what retention has not pruned. Rows that a cursor was pushed over show in its count of rows, as do rows that
    were taken away after it.
    """
    found: list[Missing] = []
    for stream in outbox.STREAMS.values():
        cursors = list(work.session.scalars(select(CursorRow).where(CursorRow.stream == stream.name)))
        found += [fault for cursor in cursors if (fault := _miscounted(work, cursor)) is not None]
        relay = next((cursor for cursor in cursors if cursor.consumer == ""), None)
        if relay is not None:
            found += _undelivered(work, stream, relay, limit - len(found))
    return found[:limit]


def _miscounted(work: Work, cursor: CursorRow) -> Missing | None:
    query = text(f"SELECT count(*) FROM {cursor.stream} WHERE id <= :through")  # noqa: S608
    there = work.session.scalar(query, {"through": cursor.last_id}) or 0
    passed = cursor.rows_passed - cursor.pruned_rows
    if cursor.consumer and cursor.stream in outbox.STREAMS:
        passed = cursor.rows_passed - _pruned_rows(work, cursor.stream)
    if there == passed:
        return None
    told = f"{there - passed} rows were never passed" if there > passed else f"{passed - there} rows are gone"
    return Missing(cursor.stream, cursor.consumer, None, f"{told} up to {cursor.last_id}")


def _pruned_rows(work: Work, stream: str) -> int:
    query = select(CursorRow.pruned_rows).where(CursorRow.stream == stream, CursorRow.consumer == "")
    return work.session.scalar(query) or 0


def _undelivered(work: Work, stream: Stream, cursor: CursorRow, limit: int) -> list[Missing]:
    on_file = work.session.execute(
        select(SubscriptionRow.name, SubscriptionRow.consumer, SubscriptionRow.since_id)
        .where(SubscriptionRow.stream == stream.name)
    ).all()  # fmt: skip
    live = {(one.name, one.consumer) for one in outbox.subscriptions_to(stream)}
    since: dict[str, dict[str, int]] = {}
    for name, consumer, since_id in on_file:
        if (name, consumer) in live:
            since.setdefault(name, {})[consumer] = max(since_id, cursor.pruned_through)
    if not since:
        return []
    found: list[Missing] = []
    first = min(at for consumers in since.values() for at in consumers.values())
    for page in _pages(work, stream, first, cursor.last_id):
        told = _told(work, stream.name, page[0][0], page[-1][0])
        for fact_id, name in page:
            for consumer, at in since.get(name, {}).items():
                if fact_id > at and (fact_id, consumer) not in told:
                    found.append(Missing(stream.name, consumer, fact_id, f"{name} was never delivered"))
        if len(found) >= limit:
            break
    return found


def _pages(work: Work, stream: Stream, after_id: int, through_id: int) -> Iterator[Sequence[tuple[int, str]]]:
    """Ids and names of the stream's rows in that range, a page at a time; rows that are no facts have an empty name."""
    while True:
        page = [(id, fact.NAME if fact is not None else "") for id, fact in stream.read(work, after_id, _PAGE)]
        page = [row for row in page if row[0] <= through_id]
        if not page:
            return
        yield page
        after_id = page[-1][0]


def _told(work: Work, stream: str, first_id: int, last_id: int) -> set[tuple[int, str]]:
    rows = work.session.execute(
        select(DeliveryRow.fact_id, DeliveryRow.consumer)
        .where(DeliveryRow.stream == stream, DeliveryRow.fact_id.between(first_id, last_id))
    )  # fmt: skip
    return {(row.fact_id, row.consumer) for row in rows}

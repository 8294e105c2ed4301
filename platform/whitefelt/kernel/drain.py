"""The worker's side: hands the deliveries of one key to their handler, strictly in order, and runs folds.

Each attempt is claimed first, in a transaction of its own: the claim counts (so that a fact that kills its worker is
seen to fail too) and fences (an attempt that outlived its lease can mark nothing any more).
"""

from __future__ import annotations

import enum
import logging
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from sqlalchemy import case, func, literal, select, update
from sqlalchemy.exc import DBAPIError

from whitefelt.kernel import db, outbox, wakeups
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.outbox import Fold, StoredFact, Subscription
from whitefelt.kernel.outbox_models import CursorRow, DeliveryRow, PlatformDeliveryRow
from whitefelt.kernel.relay_pass import stream_ids

log = logging.getLogger("whitefelt.drain")

#: An `outside` handler must be done within this; then another worker may try.
LEASE_SECONDS = 45
#: A job leaves what remains to a next one after this, so that one busy key does not keep a worker.
BUDGET_SECONDS = 15.0
#: So many attempts without success make a delivery `blocked`: shown to people, tried every `SLOW_SECONDS` or on demand.
BLOCKED_AFTER = 8
#: Pauses double from one second to this.
SLOW_SECONDS = 300

Deliveries = type[DeliveryRow] | type[PlatformDeliveryRow]


class _End(enum.Enum):
    """How one step ended: only after `DONE` is there a reason to look for the next."""

    DONE = enum.auto()
    NOTHING = enum.auto()
    FAILED = enum.auto()


@dataclass(frozen=True, slots=True)
class _Claim:
    """A delivery in hand, by its number of attempt."""

    id: int
    attempt: int
    name: str
    body: dict[str, Any]


def drain(tenant: TenantRef | None, consumer: str, key: str, keep_going: Callable[[], bool] = lambda: True) -> int:
    """Hand over what that consumer is owed for that key, in order, until one fails or none is due; returns how many.

    None is the platform. Harmless when called twice or for nothing: another worker at the same key is left alone.
    """
    give_up = time.monotonic() + BUDGET_SECONDS
    done = 0
    while _step(tenant, consumer, key) is _End.DONE:
        done += 1
        if time.monotonic() > give_up or not keep_going():
            tenant_id = tenant.id if tenant is not None else 0
            wakeups.try_send([wakeups.drain_job(outbox.queue_of(consumer), tenant_id, consumer, key)])
            break
    return done


def _step(tenant: TenantRef | None, consumer: str, key: str) -> _End:
    kind = next((one for one in outbox.SUBSCRIPTIONS.values() if one.consumer == consumer), None)
    with _plain_work(tenant) as work:
        claim = _claim(work, consumer, key, outside=kind is not None and kind.outside)
    if claim is None:
        return _End.NOTHING
    try:
        subscription = outbox.SUBSCRIPTIONS.get((consumer, claim.name))
        if subscription is None:
            raise LookupError(f"nobody handles {claim.name} for {consumer}")
        handed_over = _hand_over(tenant, subscription, claim)
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise  # The database went away: nothing can be noted, and the claim's pause brings the next attempt.
        with _plain_work(tenant) as work:
            _note_failure(work, claim, consumer, error)
        return _End.FAILED
    return _End.DONE if handed_over else _End.NOTHING


def _plain_work(tenant: TenantRef | None) -> AbstractContextManager[Work]:
    return db.unit_of_work(tenant) if tenant is not None else db.platform_work()


def _table(work: Work) -> Deliveries:
    return DeliveryRow if work.tenant is not None else PlatformDeliveryRow


def _claim(work: Work, consumer: str, key: str, *, outside: bool) -> _Claim | None:
    """Take the key's first open delivery if it is due and free; the attempt counts as failed until it is not."""
    table = _table(work)
    head = (
        select(table.id).where(table.consumer == consumer, table.key == key, table.state != "done")
        .order_by(table.id).limit(1).scalar_subquery()
    )  # fmt: skip
    row = work.session.execute(
        select(table.id, table.attempts, table.failures, table.name, table.body)
        .where(table.id == head, table.state != "done", table.next_at <= func.clock_timestamp())
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    pause = LEASE_SECONDS if outside else pause_seconds(row.failures + 1)
    work.session.execute(
        update(table).where(table.id == row.id).values(
            attempts=row.attempts + 1,
            failures=row.failures + 1,
            state="blocked" if row.failures >= BLOCKED_AFTER else table.state,
            next_at=func.clock_timestamp() + timedelta(seconds=pause),
            last_error=func.coalesce(table.last_error, "the attempt did not end"),
        )
    )  # fmt: skip
    return _Claim(row.id, row.attempts + 1, row.name, row.body)


def _hand_over(tenant: TenantRef | None, subscription: Subscription, claim: _Claim) -> bool:
    """Run the handler and mark the delivery done; False when another attempt has it by now."""
    fact = outbox.FACTS[claim.name].from_body(claim.body)
    if subscription.outside:
        # The platform's own schedules have no tenant; their wrapper knows.
        subscription.handler(tenant, fact)
        with _plain_work(tenant) as work:
            return _mark_done(work, claim)
    assert tenant is not None, "the platform has outside handlers only"
    open_work = db.money_work if subscription.money else db.unit_of_work
    with open_work(tenant) as work:
        # Held to the end of the handler's transaction: a second worker finds it locked and leaves.
        if not _still_ours(work, claim):
            return False
        subscription.handler(work, fact)
        marked = _mark_done(work, claim)
        assert marked, "a locked delivery was taken away"
    return True


def _still_ours(work: Work, claim: _Claim) -> bool:
    query = select(DeliveryRow.id).where(
        DeliveryRow.id == claim.id, DeliveryRow.attempts == claim.attempt, DeliveryRow.state != "done"
    )
    return work.session.scalar(query.with_for_update(skip_locked=True)) is not None


def _mark_done(work: Work, claim: _Claim) -> bool:
    table = _table(work)
    marked = work.session.scalars(
        update(table)
        .where(table.id == claim.id, table.attempts == claim.attempt, table.state != "done")
        .values(state="done", done_at=func.clock_timestamp(), last_error=None)
        .returning(table.id)
    ).all()
    return bool(marked)


def _note_failure(work: Work, claim: _Claim, consumer: str, error: Exception) -> None:
    table = _table(work)
    log.warning("%s failed on %s %d: %s", consumer, claim.name, claim.id, describe(error))
    pause = case(
        {number: literal(timedelta(seconds=pause_seconds(number))) for number in range(1, BLOCKED_AFTER)},
        value=table.failures, else_=literal(timedelta(seconds=SLOW_SECONDS)),
    )  # fmt: skip
    work.session.execute(
        update(table)
        .where(table.id == claim.id, table.attempts == claim.attempt, table.state != "done")
        .values(
            state=case((table.failures >= BLOCKED_AFTER, "blocked"), else_=table.state),
            next_at=func.clock_timestamp() + pause,
            last_error=describe(error),
        )
    )


def pause_seconds(failures: int) -> int:
    """How long to wait after so many failures: 1, 2, 4 .. seconds, at most `SLOW_SECONDS`, which it is once blocked."""
    assert failures > 0, "no failure, no pause"
    return SLOW_SECONDS if failures >= BLOCKED_AFTER else min(2 ** (failures - 1), SLOW_SECONDS)


def describe(error: BaseException) -> str:
    """What may be kept of an error: kind, stable code or database's code, and place. Never its message, which may name
    a person or an amount."""
    told = type(error).__name__
    if isinstance(error, Problem):
        told = f"{told} {error.code.name}"
    cause: Any = getattr(error, "orig", error)
    if getattr(cause, "sqlstate", None):
        constraint = cause.diag.constraint_name
        told = f"{told} {cause.sqlstate}" + (f" {constraint}" if constraint else "")
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    if ours:
        told = f"{told} at {'/'.join(PurePath(ours[-1].filename).parts[-2:])}:{ours[-1].lineno}"
    return told[:300]


def fold(tenant: TenantRef, consumer: str, keep_going: Callable[[], bool] = lambda: True) -> int:
    """Fold what the relay has passed since the last time; returns how many rows. Harmless when called twice."""
    wanted = outbox.FOLDS[consumer]
    open_work = db.money_work if wanted.money else db.unit_of_work
    folded = 0
    give_up = time.monotonic() + BUDGET_SECONDS
    try:
        while time.monotonic() < give_up and keep_going():
            with open_work(tenant) as work:
                rows = _fold_batch(work, wanted)
            if rows == 0:
                break
            folded += rows
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        log.warning("fold %s failed: %s", consumer, describe(error))
        with db.unit_of_work(tenant) as work:
            _note_fold_failure(work, wanted, describe(error))
    return folded


def _fold_batch(work: Work, wanted: Fold) -> int:
    cursor = work.session.scalar(
        select(CursorRow)
        .where(
            CursorRow.stream == wanted.stream, CursorRow.consumer == wanted.consumer,
            CursorRow.next_at <= func.clock_timestamp(),
        )
        .with_for_update(skip_locked=True)
    )  # fmt: skip
    if cursor is None:
        return 0
    ids = stream_ids(work, wanted.stream, cursor.last_id, outbox.passed_through(work, wanted.stream))
    if not ids:
        return 0
    ours = set(ids)
    read = outbox.STREAMS[wanted.stream].read(work, cursor.last_id, len(ids))
    facts = ((id, fact.read() if isinstance(fact, StoredFact) else fact) for id, fact in read if id in ours)
    wanted.handler(work, [(id, fact) for id, fact in facts if fact is not None])
    cursor.last_id = ids[-1]
    cursor.rows_passed += len(ids)
    cursor.failures, cursor.last_error, cursor.advanced_at = 0, None, work.now()
    return len(ids)


def _note_fold_failure(work: Work, wanted: Fold, told: str) -> None:
    cursor = work.session.get_one(CursorRow, (wanted.stream, wanted.consumer), with_for_update=True)
    cursor.failures += 1
    cursor.last_error = told
    now = work.session.scalar(select(func.clock_timestamp()))
    assert now is not None
    cursor.next_at = now + timedelta(seconds=pause_seconds(cursor.failures))

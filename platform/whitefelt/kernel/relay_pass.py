"""One look of the relay at one tenant: passes its streams in id order and writes what their consumers are owed.

Ids are taken before commit, so a row with a lower id may appear later. The relay never passes such a hole before every
transaction that could fill it has ended: whoever inserts into the table holds its row-exclusive lock from before the id
is taken until after the row can be seen, so the holders of that lock, noted when the hole is first seen, are exactly
those to wait for. (A snapshot's xmin would also wait for every other writer, and would miss one that has its id but
no transaction id yet.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from whitefelt.kernel import outbox, wakeups
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work, unit_of_work
from whitefelt.kernel.outbox import Fold, Stream, Subscription
from whitefelt.kernel.outbox_models import CursorRow, DeliveryRow, SubscriptionRow
from whitefelt.kernel.wakeups import Job

#: Rows per transaction, and keys per sweep.
BATCH_ROWS = 500
#: A delivery that was never tried and is this old has lost its wake-up.
STALE_SECONDS = 1.0

_WRITERS = text(
    "SELECT DISTINCT l.virtualtransaction FROM pg_locks l"
    " WHERE l.locktype = 'relation' AND l.relation = CAST(:table AS regclass) AND l.mode = 'RowExclusiveLock'"
    " AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())"
    " AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()"
)
#: Keys whose first open delivery is due and not fresh: their wake-up was lost, or it is time to try again.
_DUE_KEYS = text(
    "SELECT d.consumer, d.key FROM deliveries d"
    " WHERE d.state <> 'done' AND d.next_at <= clock_timestamp() - CASE WHEN d.attempts = 0"
    "       THEN make_interval(secs => :stale) ELSE interval '0' END"
    " AND NOT EXISTS (SELECT 1 FROM deliveries e WHERE e.consumer = d.consumer AND e.key = d.key"
    "                 AND e.state <> 'done' AND e.id < d.id)"
    " ORDER BY d.next_at LIMIT :rows"
)
_NEXT_DUE = text(
    "SELECT CAST(extract(epoch FROM min(d.next_at) - clock_timestamp()) AS double precision) FROM deliveries d"
    " WHERE d.state <> 'done' AND d.next_at > clock_timestamp()"
)


@dataclass(slots=True)
class Passed:
    """What one look at a tenant did: rows passed, whether a hole or more rows remain, when something is due."""

    rows: int = 0
    waiting: bool = False
    more: bool = False
    woken: int = 0
    due_seconds: float | None = None

    @property
    def idle(self) -> bool:
        return not (self.rows or self.waiting or self.more or self.woken)


def relay_tenant(tenant: TenantRef) -> Passed:
    """Look at every stream of the tenant once, then at folds and deliveries that are due; sends their wake-ups."""
    passed = Passed()
    if not _something_to_do(tenant, passed):
        return passed
    jobs: list[Job] = []
    for stream in outbox.STREAMS.values():
        with unit_of_work(tenant) as work:
            jobs += _pass_stream(work, stream, passed)
    with unit_of_work(tenant) as work:
        jobs += _folds_behind(work)
        jobs += _due_keys(work, passed)
    wakeups.try_send(list(dict.fromkeys(jobs)))
    passed.woken = len(jobs)
    return passed


def _something_to_do(tenant: TenantRef, passed: Passed) -> bool:
    """One cheap statement for the many tenants at rest."""
    past = " OR ".join(
        f"EXISTS (SELECT 1 FROM {name} s WHERE s.id > coalesce((SELECT c.last_id FROM relay_cursors c"  # noqa: S608
        f" WHERE c.stream = '{name}' AND c.consumer = ''), 0))"
        for name in outbox.STREAMS
    )
    behind = (
        "EXISTS (SELECT 1 FROM relay_cursors f JOIN relay_cursors c ON c.stream = f.stream AND c.consumer = ''"
        " WHERE f.consumer <> '' AND f.last_id < c.last_id AND f.next_at <= clock_timestamp())"
    )
    fresh = (
        "(SELECT count(*) FROM relay_cursors f WHERE f.consumer = ANY (:folds)) < cardinality(CAST(:folds AS text[]))"
    )
    due = "extract(epoch FROM (SELECT min(d.next_at) FROM deliveries d WHERE d.state <> 'done') - clock_timestamp())"
    query = text(f"SELECT ({past} OR {behind} OR {fresh}), CAST({due} AS double precision)")
    with unit_of_work(tenant) as work:
        found, passed.due_seconds = work.session.execute(query, {"folds": list(outbox.FOLDS)}).one()
    return bool(found) or (passed.due_seconds is not None and passed.due_seconds <= 0)


def _pass_stream(work: Work, stream: Stream, passed: Passed) -> list[Job]:
    """Pass what may be passed of the stream, one batch; the caller's commit makes it so."""
    cursor = _lock_cursor(work, stream.name)
    if cursor is None:
        return []
    ids = _passable(work, cursor, stream.name)
    passed.waiting = passed.waiting or bool(cursor.waiting_for)
    if not ids:
        return []
    wanted = outbox.subscriptions_to(stream)
    _keep_subscriptions(work, stream, wanted, cursor.last_id)
    jobs = _deliver(work, stream, wanted, cursor.last_id, ids) if wanted else []
    cursor.last_id = ids[-1]
    cursor.rows_passed += len(ids)
    cursor.advanced_at = work.now()
    passed.rows += len(ids)
    passed.more = passed.more or len(ids) >= BATCH_ROWS
    return jobs


def _lock_cursor(work: Work, stream: str) -> CursorRow | None:
    """The relay's cursor, locked; None when another relay is at it."""
    query = select(CursorRow).where(CursorRow.stream == stream, CursorRow.consumer == "")
    query = query.with_for_update(skip_locked=True)
    found = work.session.scalar(query)
    if found is None:
        work.session.execute(insert(CursorRow).values(stream=stream, consumer="").on_conflict_do_nothing())
        found = work.session.scalar(query)
    return found


def _passable(work: Work, cursor: CursorRow, stream: str) -> list[int]:
    """Ids after the cursor below which no row can appear any more; notes in the cursor whom it waits for."""
    ids = stream_ids(work, stream, cursor.last_id)
    whole = _without_hole(ids, cursor.last_id)
    if len(whole) == len(ids):
        cursor.waiting_for = []
        return ids
    # From here on the order matters: the rows were read, then the writers are; rows are read again only after that.
    writers = set(work.session.scalars(_WRITERS, {"table": stream}))
    hole = cursor.last_id + len(whole) + 1
    if hole <= cursor.waiting_through:
        writers &= set(cursor.waiting_for)
    else:
        cursor.waiting_through = ids[-1]
    cursor.waiting_for = sorted(writers)
    if writers:
        return whole
    return [id for id in stream_ids(work, stream, cursor.last_id) if id <= cursor.waiting_through]


def stream_ids(work: Work, stream: str, after_id: int, through_id: int | None = None) -> list[int]:
    """Ids of the stream's rows after one id (and up to another), ascending, at most `BATCH_ROWS`."""
    query = f"SELECT id FROM {stream} WHERE id > :after AND id <= :through ORDER BY id LIMIT {BATCH_ROWS}"  # noqa: S608
    through = through_id if through_id is not None else 2**63 - 1
    return list(work.session.scalars(text(query), {"after": after_id, "through": through}))


def _without_hole(ids: Sequence[int], after_id: int) -> list[int]:
    return [id for place, id in enumerate(ids) if id == after_id + 1 + place]


def _keep_subscriptions(work: Work, stream: Stream, wanted: Sequence[Subscription], since_id: int) -> None:
    """Put new subscriptions on file: their consumers are owed what comes after `since_id`."""
    rows = work.session.scalars(select(SubscriptionRow).where(SubscriptionRow.stream == stream.name))
    known = {(row.name, row.consumer) for row in rows}
    for name, consumer in {(one.name, one.consumer) for one in wanted} - known:
        values = {"stream": stream.name, "name": name, "consumer": consumer, "since_id": since_id}
        work.session.execute(insert(SubscriptionRow).values(**values).on_conflict_do_nothing())


def _deliver(
    work: Work, stream: Stream, wanted: Sequence[Subscription], after_id: int, ids: Sequence[int]
) -> list[Job]:
    """Write one delivery per fact and consumer; returns the jobs that drain their keys."""
    consumers: dict[str, list[Subscription]] = {}
    for one in wanted:
        consumers.setdefault(one.name, []).append(one)
    ours = set(ids)
    rows = []
    jobs = []
    for fact_id, fact in stream.read(work, after_id, len(ids)):
        if fact is None or fact_id not in ours:
            continue
        for one in consumers.get(fact.NAME, ()):
            rows.append({
                "stream": stream.name, "fact_id": fact_id, "consumer": one.consumer, "key": fact.key,
                "name": fact.NAME, "version": fact.VERSION, "body": fact.body(),
            })  # fmt: skip
            jobs.append(wakeups.drain_job(one.queue, work.here.id, one.consumer, fact.key))
    if rows:
        work.session.execute(insert(DeliveryRow).on_conflict_do_nothing(), rows)
    return jobs


def _folds_behind(work: Work) -> list[Job]:
    """Jobs for the folds that have not folded what the relay has passed."""
    if not outbox.FOLDS:
        return []
    at = {(row.stream, row.consumer): row for row in work.session.scalars(select(CursorRow))}
    now = work.session.scalar(select(func.clock_timestamp()))
    assert now is not None
    jobs = []
    for fold in outbox.FOLDS.values():
        passed, own = at.get((fold.stream, "")), at.get((fold.stream, fold.consumer))
        if own is None:
            own = _new_fold(work, fold, passed)
        if passed is not None and own.last_id < passed.last_id and own.next_at <= now:
            jobs.append(Job(fold.queue, "fold_stream", (work.here.id, fold.consumer)))
    return jobs


def _new_fold(work: Work, fold: Fold, passed: CursorRow | None) -> CursorRow:
    """Give a new fold its cursor: at the first row that is still there."""
    values: dict[str, str | int] = {"stream": fold.stream, "consumer": fold.consumer}
    if passed is not None:
        values |= {"last_id": passed.pruned_through, "rows_passed": passed.pruned_rows}
    work.session.execute(insert(CursorRow).values(**values).on_conflict_do_nothing())
    return work.session.get_one(CursorRow, (fold.stream, fold.consumer))


def _due_keys(work: Work, passed: Passed) -> list[Job]:
    """Jobs for keys that should have been drained by now; notes when the next one will be due."""
    rows = work.session.execute(_DUE_KEYS, {"stale": STALE_SECONDS, "rows": BATCH_ROWS}).all()
    seconds = work.session.scalar(_NEXT_DUE)
    passed.due_seconds = seconds
    return [wakeups.drain_job(outbox.queue_of(consumer), work.here.id, consumer, key) for consumer, key in rows]

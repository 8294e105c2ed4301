"""Facts under way and facts that are blocked: what staff sees of the outbox, and trying a blocked one again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text, update

from whitefelt import audit
from whitefelt.kernel import outbox, wakeups
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import FIELDS_INVALID, Problem
from whitefelt.kernel.outbox_models import DeliveryRow
from whitefelt.reporting.errors import DELIVERY_NOT_BLOCKED, DELIVERY_UNKNOWN

#: What is not delivered yet; delivered ones are history and not listed.
STATES = ("blocked", "pending")
MAX_REASON = 300


@dataclass(frozen=True, slots=True)
class Delivery:
    """A fact owed to one consumer. `error` names kind and place of the last failure; `behind` facts wait for this one."""

    id: int
    fact: str
    consumer: str
    key: str
    state: str
    attempts: int
    error: str | None
    behind: int
    next_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Flow:
    """How the stream of facts flows: deliveries by state, age of the oldest open one, and how far the relay is behind."""

    blocked: int
    pending: int
    oldest_at: datetime | None
    lag_seconds: int
    journal_through: int


def deliveries(work: Work, state: str = "blocked", *, before: int | None = None, limit: int = 50) -> list[Delivery]:
    """Open deliveries of one state, newest first, older than id `before`."""
    assert state in STATES, state
    query = select(DeliveryRow).where(DeliveryRow.state == state).order_by(DeliveryRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(DeliveryRow.id < before)
    rows = list(work.session.scalars(query.execution_options(populate_existing=True)))
    behind = _behind(work, rows) if state == "blocked" else {}
    return [_delivery(row, behind.get((row.consumer, row.key), 0)) for row in rows]


def _behind(work: Work, rows: list[DeliveryRow]) -> Mapping[tuple[str, str], int]:
    keys = {(row.consumer, row.key) for row in rows}
    if not keys:
        return {}
    counted = work.session.execute(
        select(DeliveryRow.consumer, DeliveryRow.key, func.count())
        .where(
            DeliveryRow.state != "done", DeliveryRow.consumer.in_({consumer for consumer, _ in keys}),
            DeliveryRow.key.in_({key for _, key in keys}),
        )
        .group_by(DeliveryRow.consumer, DeliveryRow.key)
    )  # fmt: skip
    return {(consumer, key): count - 1 for consumer, key, count in counted}


def _delivery(row: DeliveryRow, behind: int = 0) -> Delivery:
    return Delivery(
        row.id, row.name, row.consumer, row.key, row.state, row.attempts, row.last_error, behind, row.next_at,
        row.created_at,
    )  # fmt: skip


def retry(work: Work, delivery_id: int, reason: str) -> Delivery:
    """Have a blocked fact delivered again now, and what waits behind it after that; written to the audit log.

    Errors: `delivery_unknown`; `delivery_not_blocked`; `fields_invalid` without a reason.
    """
    reason = " ".join(reason.split())
    if not reason or len(reason) > MAX_REASON:
        raise Problem(
            FIELDS_INVALID, errors={"reason": [f"Say why it will work now, in 1 to {MAX_REASON} characters."]}
        )
    row = work.session.scalar(select(DeliveryRow).where(DeliveryRow.id == delivery_id).with_for_update())
    if row is None:
        raise Problem(DELIVERY_UNKNOWN)
    if row.state != "blocked":
        raise Problem(DELIVERY_NOT_BLOCKED)
    work.session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id, DeliveryRow.state == "blocked")
        .values(state="pending", failures=0, next_at=func.clock_timestamp())
    )
    work.wakeups.append(wakeups.direct(outbox.queue_of(row.consumer), row.consumer, row.key))
    work.session.refresh(row)
    audit.record(
        work, "delivery.retried", f"delivery:{row.id}", reason=reason,
        before={"state": "blocked", "attempts": row.attempts, "error": row.last_error},
        after={"state": "pending", "fact": row.name, "consumer": row.consumer, "key": row.key},
    )  # fmt: skip
    return _delivery(row)


_BEHIND = text("""
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waits.at)), 0)::bigint FROM (
        (SELECT created_at AS at FROM journal WHERE id > :journal ORDER BY id LIMIT 1)
        UNION ALL
        (SELECT recorded_at FROM outbox WHERE id > :outbox ORDER BY id LIMIT 1)) waits
""")


def flow(work: Work) -> Flow:
    """How this operator's facts flow right now."""
    counted = work.session.execute(
        select(DeliveryRow.state, func.count(), func.min(DeliveryRow.created_at))
        .where(DeliveryRow.state != "done")
        .group_by(DeliveryRow.state)
    ).all()
    counts = {state: count for state, count, _ in counted}
    through = outbox.passed_through(work, "journal")
    lag = work.session.scalar(_BEHIND, {"journal": through, "outbox": outbox.passed_through(work, "outbox")})
    return Flow(
        blocked=counts.get("blocked", 0), pending=counts.get("pending", 0),
        oldest_at=min((at for _, _, at in counted), default=None), lag_seconds=int(lag or 0), journal_through=through,
    )  # fmt: skip

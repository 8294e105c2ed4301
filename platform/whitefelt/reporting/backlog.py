"""Facts under way and facts that are blocked: what staff sees of the outbox, and trying a blocked one again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text

from whitefelt import audit
from whitefelt.kernel import deliveries as owed
from whitefelt.kernel import outbox
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
    found = owed.deliveries(work, state=state, before=before, limit=limit)
    behind = _behind(work, found) if state == "blocked" else {}
    return [_delivery(one, behind.get((one.consumer, one.key), 0)) for one in found]


def _behind(work: Work, found: list[owed.Delivery]) -> Mapping[tuple[str, str], int]:
    """How many facts wait behind the first one of each key."""
    if not found:
        return {}
    counted = work.session.execute(
        select(DeliveryRow.consumer, DeliveryRow.key, func.count())
        .where(
            DeliveryRow.state != "done", DeliveryRow.consumer.in_({one.consumer for one in found}),
            DeliveryRow.key.in_({one.key for one in found}),
        )
        .group_by(DeliveryRow.consumer, DeliveryRow.key)
    )  # fmt: skip
    return {(consumer, key): count - 1 for consumer, key, count in counted}


def _delivery(one: owed.Delivery, behind: int = 0) -> Delivery:
    return Delivery(
        one.id, one.name, one.consumer, one.key, one.state, one.attempts, one.last_error, behind, one.next_at,
        one.created_at,
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
    row = work.session.scalar(
        select(DeliveryRow)
        .where(DeliveryRow.id == delivery_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise Problem(DELIVERY_UNKNOWN)
    if row.state != "blocked":
        raise Problem(DELIVERY_NOT_BLOCKED)
    was = {"state": row.state, "attempts": row.attempts, "error": row.last_error}
    found = owed.retry(work, delivery_id)
    audit.record(
        work, "delivery.retried", f"delivery:{found.id}", reason=reason, before=was,
        after={"state": found.state, "fact": found.name, "consumer": found.consumer, "key": found.key},
    )  # fmt: skip
    return _delivery(found)


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

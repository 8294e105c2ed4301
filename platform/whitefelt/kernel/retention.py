"""How long facts on their way are kept: `KEEP_DAYS` after everyone had them. What was pruned is recorded, so that
`deliveries.missing_facts` still knows what must be there. Journals are not pruned, only their deliveries.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, and_, delete, func, not_, select

from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work, platform_work, unit_of_work
from whitefelt.kernel.outbox import FOLDS, STREAMS
from whitefelt.kernel.outbox_models import (
    CursorRow,
    DeliveryRow,
    OutboxRow,
    PlatformDeliveryRow,
    PlatformScheduleRunRow,
    ScheduleRunRow,
)  # fmt: skip
from whitefelt.kernel.schedules import STREAM, schedule

#: Days that delivered facts, and decided runs of schedules, are kept.
KEEP_DAYS, KEEP_RUNS_DAYS = 30, 7
#: Rows per transaction.
_BATCH = 10_000


@schedule("kernel.prune_facts", daily_at="03:40")
def prune_tenant(tenant: TenantRef, due_at: datetime) -> None:
    """Prune what a tenant need not keep any longer."""
    for stream in STREAMS:
        while True:
            with unit_of_work(tenant) as work:
                if not prune_stream(work, stream, due_at - timedelta(days=KEEP_DAYS)):
                    break
    with unit_of_work(tenant) as work:
        _prune_runs(work, due_at - timedelta(days=KEEP_RUNS_DAYS))


@schedule("kernel.prune_platform_runs", daily_at="03:40", scope="platform")
def prune_platform(due_at: datetime) -> None:
    """Prune runs of the platform's schedules."""
    with platform_work() as work:
        _prune_runs(work, due_at - timedelta(days=KEEP_RUNS_DAYS))


def prune_stream(work: Work, stream: str, horizon: datetime) -> bool:
    """Prune one batch of what every consumer had before `horizon`; whether there may be more."""
    cursors = list(work.session.scalars(select(CursorRow).where(CursorRow.stream == stream).with_for_update()))
    relay = next((cursor for cursor in cursors if cursor.consumer == ""), None)
    if relay is None:
        return False
    readers = [cursor.last_id for cursor in cursors if not cursor.consumer or cursor.consumer in FOLDS]
    through = min([*readers, relay.pruned_through + _BATCH])
    wanted = _first_wanted(work, stream, relay.pruned_through, horizon)
    through = min(through, wanted - 1) if wanted is not None else through
    if through <= relay.pruned_through:
        return False
    work.session.execute(delete(DeliveryRow).where(DeliveryRow.stream == stream, DeliveryRow.fact_id <= through))
    if stream == OutboxRow.__tablename__:
        gone: CursorResult[Any] = work.session.execute(delete(OutboxRow).where(OutboxRow.id <= through))  # type: ignore[assignment]
        relay.pruned_rows += gone.rowcount
    relay.pruned_through = through
    return True


def _first_wanted(work: Work, stream: str, after_id: int, horizon: datetime) -> int | None:
    """The lowest id that must stay: still owed, delivered lately, or recorded lately."""
    ended = and_(DeliveryRow.state == "done", DeliveryRow.done_at < horizon)
    owed = work.session.scalar(
        select(DeliveryRow.fact_id).where(DeliveryRow.stream == stream, DeliveryRow.fact_id > after_id, not_(ended))
        .order_by(DeliveryRow.fact_id).limit(1)
    )  # fmt: skip
    if stream != OutboxRow.__tablename__:
        return owed
    recent = work.session.scalar(
        select(OutboxRow.id).where(OutboxRow.id > after_id, OutboxRow.recorded_at >= horizon)
        .order_by(OutboxRow.id).limit(1)
    )  # fmt: skip
    return min((one for one in (owed, recent) if one is not None), default=None)


def _prune_runs(work: Work, horizon: datetime) -> None:
    deliveries: Any = DeliveryRow if work.tenant is not None else PlatformDeliveryRow
    runs: Any = ScheduleRunRow if work.tenant is not None else PlatformScheduleRunRow
    work.session.execute(delete(deliveries).where(deliveries.stream == STREAM, deliveries.done_at < horizon))
    open_runs = select(func.min(deliveries.fact_id)).where(deliveries.stream == STREAM, deliveries.state != "done")
    work.session.execute(
        delete(runs).where(runs.decided_at < horizon, runs.id < func.coalesce(open_runs.scalar_subquery(), 2**62))
    )

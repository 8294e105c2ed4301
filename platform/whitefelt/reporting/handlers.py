"""What runs by itself: the fold of the daily totals, and once a minute the fold of the house's balances."""

from __future__ import annotations

from datetime import datetime

from whitefelt import wallet
from whitefelt.kernel import db, jobs, outbox
from whitefelt.kernel.context import TenantRef
from whitefelt.reporting.totals import CONSUMER, fold_totals

outbox.add_fold("journal", CONSUMER, fold_totals)


@jobs.schedule(name="reporting.fold_house", every_seconds=60, scope="tenant", catch_up="last")
def fold_house(tenant: TenantRef, due_at: datetime) -> None:
    """Fold the house's balances through the last journal row that nothing can still precede; repeating is harmless."""
    with db.money_work(tenant) as work:
        through_id = outbox.passed_through(work, "journal")
        if through_id:
            wallet.fold_house(work, through_id)

"""What compliance does by the clock. Imported by the composition root, for its effect."""

from __future__ import annotations

from datetime import datetime

from whitefelt.compliance.exclusions import settle_ended
from whitefelt.kernel import jobs
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import money_work


@jobs.schedule("compliance.settle_exclusions", every_seconds=60, scope="tenant", catch_up="last")
def settle_exclusions(tenant: TenantRef, due_at: datetime) -> None:
    """Allow stakes again where a break has ended; repeating it changes nothing."""
    while True:
        with money_work(tenant) as work:
            if not settle_ended(work):
                return

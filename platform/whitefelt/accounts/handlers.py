"""What accounts does by the clock. Imported by the composition root, for its effect."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete

from whitefelt.accounts.models import SignInAttemptRow
from whitefelt.kernel import jobs
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import unit_of_work

#: How long attempts are kept: long enough to look into a complaint, no longer.
KEPT = timedelta(days=30)


@jobs.schedule("accounts.forget_attempts", daily_at="03:10", scope="tenant", catch_up="last")
def forget_attempts(tenant: TenantRef, due_at: datetime) -> None:
    """Delete sign-in attempts older than 30 days; repeating it changes nothing."""
    with unit_of_work(tenant) as work:
        work.session.execute(delete(SignInAttemptRow).where(SignInAttemptRow.attempted_at < work.now() - KEPT))

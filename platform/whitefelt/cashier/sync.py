"""Asking providers about payments and payouts that we have not heard the end of, ever more rarely."""

from __future__ import annotations

import logging

from sqlalchemy import select

from whitefelt.cashier import rules
from whitefelt.cashier.applying import Row
from whitefelt.cashier.asking import ask_payment, ask_payout
from whitefelt.cashier.models import DepositRow, WithdrawalRow
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work, unit_of_work

log = logging.getLogger("whitefelt.cashier")

#: Questions of each kind in one run; what is left is due at the next.
AT_ONCE = 50


def sync_payments(tenant: TenantRef) -> int:
    """Ask about every deposit and payout that is due; returns how many were asked about."""
    with unit_of_work(tenant) as work:
        payments = _take(work, DepositRow, rules.DEPOSIT_OPEN)
        payouts = _take(work, WithdrawalRow, ("approved", "sent"))
    for integration_id, reference in payments:
        ask_payment(tenant, integration_id, reference)
    for integration_id, reference in payouts:
        if ask_payout(tenant, integration_id, reference).result == "mismatch":
            log.error("withdrawal %s: the provider tells another payout than we ordered", reference)
    return len(payments) + len(payouts)


def _take(work: Work, model: type[Row], statuses: tuple[str, ...]) -> list[tuple[int, str]]:
    """Due rows, put off to their next time; two runs at once never take the same."""
    now = work.now()
    rows = work.session.scalars(
        select(model)
        .where(model.next_check_at <= now, model.status.in_(statuses))
        .order_by(model.next_check_at)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    taken = []
    for row in rows:
        row.checks += 1
        row.next_check_at = rules.next_check(now, row.checks)
        taken.append((row.integration_id, row.reference))
    return taken

"""Asking providers about payments and payouts that we have not heard the end of, ever more rarely."""

from __future__ import annotations

import logging
import time

from sqlalchemy import select

from whitefelt.cashier import rules
from whitefelt.cashier.applying import Row
from whitefelt.cashier.asking import ask_payment, ask_payout
from whitefelt.cashier.models import DepositRow, WithdrawalRow
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work, unit_of_work

log = logging.getLogger("whitefelt.cashier")

#: A run asks no longer than this; what is left is due at the next.
BUDGET_SECONDS = 20


def sync_payments(tenant: TenantRef) -> int:
    """Ask about every deposit and payout that is due, the longest due first; returns how many were asked about."""
    end, asked = time.monotonic() + BUDGET_SECONDS, 0
    while time.monotonic() < end:
        with unit_of_work(tenant) as work:
            payment = _take(work, DepositRow, rules.DEPOSIT_OPEN)
            payout = _take(work, WithdrawalRow, ("approved", "sent"))
        if payment is not None:
            ask_payment(tenant, *payment)
        if payout is not None and ask_payout(tenant, *payout).result == "mismatch":
            log.error("withdrawal %s: the provider tells another payout than we ordered", payout[1])
        if payment is None and payout is None:
            break
        asked += (payment is not None) + (payout is not None)
    return asked


def _take(work: Work, model: type[Row], statuses: tuple[str, ...]) -> tuple[int, str] | None:
    """One due row, put off to its next time; two runs at once never take the same."""
    now = work.now()
    row = work.session.scalar(
        select(model)
        .where(model.next_check_at <= now, model.status.in_(statuses))
        .order_by(model.next_check_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.checks += 1
    row.next_check_at = rules.next_check(now, row.checks)
    return row.integration_id, row.reference

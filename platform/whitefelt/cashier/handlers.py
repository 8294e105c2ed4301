"""Reactions of the cashier: notifications are applied, approved withdrawals are paid, open ends are asked about."""

from __future__ import annotations

from datetime import datetime

from whitefelt.cashier import callbacks, payouts, sync
from whitefelt.facts.money import PaymentNotified, WithdrawalApproved
from whitefelt.kernel import jobs, outbox
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work

SYNC_SECONDS = 15


@outbox.subscribe(PaymentNotified, consumer="cashier.notifications", queue="money", money=True)
def apply_notification(work: Work, fact: PaymentNotified) -> None:
    """Apply a message that lies in the inbox; in order per payment, once."""
    callbacks.apply(work, fact.inbox_id)


@outbox.subscribe(WithdrawalApproved, consumer="cashier.payouts", queue="money", outside=True)
def pay_approved(tenant: TenantRef, fact: WithdrawalApproved) -> None:
    """Ask the provider to pay; every failure to know is an exception, so that the fact comes again."""
    payouts.send(tenant, fact.withdrawal_public_id)


@jobs.schedule(name="cashier.sync_payments", every_seconds=SYNC_SECONDS, scope="tenant", catch_up="last")
def sync_payments(tenant: TenantRef, due_at: datetime) -> None:
    """Ask providers about what we have not heard the end of."""
    sync.sync_payments(tenant)

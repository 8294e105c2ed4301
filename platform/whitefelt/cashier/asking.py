"""Asking a provider what became of a payment or a payout, by our reference; no transaction is open while it answers."""

from __future__ import annotations

import logging
from datetime import timedelta

from whitefelt.cashier import methods, rules
from whitefelt.cashier.applying import Applied, apply_payment, apply_payout, end_without_money, locked
from whitefelt.cashier.models import DepositRow
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work, money_work
from whitefelt.kernel.http import VendorError

log = logging.getLogger("whitefelt.cashier")


def ask_payment(tenant: TenantRef, integration_id: int, reference: str) -> Applied:
    """Ask about one deposit and take the answer up. A provider out of reach changes nothing."""
    integration = methods.integration_by_id(tenant, integration_id)
    if integration is None:
        return Applied("integration_stopped")
    try:
        told = methods.vendor_of(integration).payment(methods.account_of(integration), reference)
    except VendorError as error:
        log.info("deposit %s: the provider could not be asked: %s", reference, error)
        return Applied("not_answered")
    with money_work(tenant) as work:
        if told is None:
            return _unheard(work, reference)
        if told.status == "created" and _overdue(work, reference):
            return Applied("given_up")
        return apply_payment(work, integration_id, told)


def _unheard(work: Work, reference: str) -> Applied:
    """The provider has never heard of it. While our request may still be under way that says nothing; and one that it knew
    before and has forgotten ends like one that nobody finished, or its allowance would be held for ever."""
    if _overdue(work, reference):
        return Applied("given_up")
    row = locked(work, DepositRow, reference)
    if row is None or row.status != "created" or row.vendor_id is not None:
        return Applied("no_change")
    if work.now() < row.created_at + timedelta(seconds=rules.UNHEARD_SECONDS):
        return Applied("no_change")
    end_without_money(work, row, "failed", "not_carried_out")
    return Applied("not_carried_out")


def _overdue(work: Work, reference: str) -> bool:
    """End a deposit that nobody finished for days. If it is paid after all, it is credited."""
    row = locked(work, DepositRow, reference)
    if row is None or row.status not in rules.DEPOSIT_OPEN:
        return False
    if work.now() < row.created_at + timedelta(hours=rules.GIVE_UP_HOURS):
        return False
    end_without_money(work, row, "expired", "not_finished")
    return True


def ask_payout(tenant: TenantRef, integration_id: int, reference: str) -> Applied:
    """Ask about one payout and take the answer up. A provider out of reach changes nothing."""
    integration = methods.integration_by_id(tenant, integration_id)
    if integration is None:
        return Applied("integration_stopped")
    try:
        told = methods.vendor_of(integration).payout(methods.account_of(integration), reference)
    except VendorError as error:
        log.info("withdrawal %s: the provider could not be asked: %s", reference, error)
        return Applied("not_answered")
    if told is None:
        return Applied("not_heard_of")
    with money_work(tenant) as work:
        return apply_payout(work, integration_id, told)

"""Payouts: approved withdrawals sent to the provider. At least once is harmless: our reference is the idempotency key,
and before a repetition the provider is asked what became of the first attempt."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from whitefelt import wallet
from whitefelt.cashier import asking, methods, rules
from whitefelt.cashier.allowance import OURS
from whitefelt.cashier.applying import apply_payout, fail_withdrawal, locked
from whitefelt.cashier.models import WithdrawalRow
from whitefelt.cashier.ports import PayoutOrder
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.http import VendorRefused

log = logging.getLogger("whitefelt.cashier")


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What is to be sent, and whether it was tried before."""

    integration_id: int
    order: PayoutOrder
    repeated: bool


class IntegrationStopped(Exception):
    """The provider that must pay is switched off; tried again later."""


class NothingReserved(Exception):
    """The wallet holds no money for this withdrawal: it must not be paid, whatever its row says."""


class OutcomeOpen(Exception):
    """The provider could not say what became of an earlier attempt; nothing is sent before it can."""


def send(tenant: TenantRef, public_id: str) -> None:
    """Have the provider pay an approved withdrawal; does nothing once it was sent or ended.

    Raises VendorUnavailable, VendorUnknown, OutcomeOpen or IntegrationStopped: the withdrawal stays approved, call
    again later. A refusal ends it: the money is cash again. NothingReserved: someone must look at it.
    """
    attempt = _begin(tenant, public_id)
    if attempt is None:
        return
    if attempt.repeated:
        known = asking.ask_payout(tenant, attempt.integration_id, public_id)
        if known.result in ("not_answered", "integration_stopped"):
            raise OutcomeOpen(public_id)
        if known.result != "not_heard_of":
            return
    integration = methods.integration_by_id(tenant, attempt.integration_id)
    assert integration is not None, "looked up a moment ago"
    try:
        told = methods.vendor_of(integration).pay_out(methods.account_of(integration), attempt.order)
    except VendorRefused as error:
        log.warning("withdrawal %s was refused by the provider: %s", public_id, error)
        with money_work(tenant) as work:
            row = locked(work, WithdrawalRow, public_id)
            if row is not None and row.status == "approved":
                fail_withdrawal(work, row, "vendor_refused")
        return
    with money_work(tenant) as work:
        apply_payout(work, attempt.integration_id, told)


def _begin(tenant: TenantRef, public_id: str) -> _Attempt | None:
    """Note the attempt before it is made, so that whoever comes after knows that there was one."""
    with unit_of_work(tenant) as work:
        row = locked(work, WithdrawalRow, public_id)
        if row is None or row.status != "approved":
            return None
        # A row is only a row: what may leave is what the wallet has set aside for it, and set aside still.
        if wallet.open_reserve(work, source=OURS, ref=f"withdrawal:{public_id}") != row.money:
            raise NothingReserved(public_id)
        row.attempts, row.attempted_at = row.attempts + 1, work.now()
        row.next_check_at = rules.next_check(work.now(), row.checks)
        integration_id, money, destination = row.integration_id, row.money, row.destination
        repeated = row.attempts > 1
    integration = methods.integration_by_id(tenant, integration_id)
    if integration is None:
        raise IntegrationStopped(public_id)
    order = PayoutOrder(public_id, money, destination, methods.webhook_url(integration))
    return _Attempt(integration_id, order, repeated)

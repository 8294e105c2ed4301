"""What a provider says becomes money, once: the state tables applied under the row's lock.

Everything that hears from a provider comes through here, whatever it was: the answer to our call, a notification, an
answer to our question. The row is locked first, then the wallet's pockets; a movement's reference names our row, so
that the journal would refuse a second one even if the state table did not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select

from whitefelt import accounts, audit, wallet
from whitefelt.cashier import allowance, rules
from whitefelt.cashier.models import DepositRow, WithdrawalRow
from whitefelt.cashier.ports import PaymentState, PayoutState
from whitefelt.cashier.queries import as_uuid
from whitefelt.facts.money import DepositFailed, DepositSettled, WithdrawalFailed, WithdrawalPaid
from whitefelt.kernel import outbox
from whitefelt.kernel.db import Work
from whitefelt.kernel.money import decimal
from whitefelt.wallet import Outcome, Pockets

Row = TypeVar("Row", DepositRow, WithdrawalRow)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a provider's word: `result` is a stable code; `flagged`: a person must look."""

    result: str
    flagged: bool = False


def locked(work: Work, model: type[Row], reference: str) -> Row | None:
    """The row with that reference of ours, locked until commit and freshly read."""
    query = select(model).where(model.public_id == as_uuid(reference)).with_for_update()
    return work.session.scalar(query.execution_options(populate_existing=True))


def pockets_of(work: Work, player_id: int, currency: str) -> Pockets:
    """The player's pockets in that currency; opened if they never were."""
    owner = accounts.player(work, player_id).owner
    return wallet.find_pockets(work, owner, currency) or wallet.open_pockets(work, owner, currency)


def house_of(work: Work, integration_id: int, currency: str) -> int:
    """The house's pocket at that integration's provider."""
    return wallet.house_pocket(work, f"psp:{integration_id}", currency)


# --- deposits --------------------------------------------------------------------------------------------------------


def apply_payment(work: Work, integration_id: int, told: PaymentState) -> Applied:
    """Take up what a provider says about a payment; needs a money_work. Repeating it changes nothing."""
    row = locked(work, DepositRow, told.reference)
    if row is None or row.integration_id != integration_id:
        return Applied("unknown_payment", flagged=True)
    differs = rules.disagreements(
        asked_money=row.money, asked_vendor_id=row.vendor_id, told_money=told.money, told_vendor_id=told.vendor_id
    )
    if differs:
        return _mismatch(work, row, told, differs)
    step = rules.DEPOSIT_STEPS[row.status, told.status]
    row.vendor_id, row.updated_at = told.vendor_id, work.now()
    if step.status == "redirected" or row.redirect_url is None:
        row.redirect_url = told.redirect_url or row.redirect_url
    if step.action in ("credit", "credit_late"):
        _credit(work, row, told, late=step.action == "credit_late")
    elif step.action == "give_back":
        assert step.status is not None
        end_without_money(work, row, step.status, told.reason or step.status)
    elif step.status is not None:
        row.status = step.status
    return Applied(step.result, step.flagged)


def _credit(work: Work, row: DepositRow, told: PaymentState, *, late: bool) -> None:
    row.status, row.settled_at, row.next_check_at, row.reason = "settled", work.now(), None, None
    row.authorisation, row.instrument = told.authorisation, told.instrument
    pockets = pockets_of(work, row.player_id, row.currency)
    if late:
        allowance.claim_late(work, row, pockets)
    outcome = wallet.deposit(
        work, source=row.integration_id, ref=f"deposit:{row.reference}", pockets=pockets, money=row.money,
        house=house_of(work, row.integration_id, row.currency),
    )  # fmt: skip
    _must_post(outcome, f"deposit {row.reference}")
    outbox.record(
        work,
        DepositSettled(
            row.id, row.reference, row.player_id, row.amount_units, row.currency, journal_id=outcome.journal_id
        ),
    )


def end_without_money(work: Work, row: DepositRow, status: str, reason: str) -> None:
    """End an open deposit that brought nothing and give its allowance back; the row is locked, needs a money_work."""
    assert row.status in rules.DEPOSIT_OPEN, row.status
    assert status in rules.DEPOSIT_GIVEN_UP, status
    row.status, row.reason, row.next_check_at, row.updated_at = status, reason, None, work.now()
    allowance.give_back(work, row, pockets_of(work, row.player_id, row.currency))
    outbox.record(
        work,
        DepositFailed(
            row.id, row.reference, row.player_id, row.amount_units, row.currency, status=status, reason=reason
        ),
    )


def _mismatch(work: Work, row: DepositRow, told: PaymentState, differs: tuple[str, ...]) -> Applied:
    """The provider speaks of another payment than we asked for. Never credited by itself: a person decides."""
    before = row.status
    if told.status in ("paid", "created") and row.status not in ("settled", "mismatch"):
        row.status, row.reason, row.next_check_at = "mismatch", ",".join(differs), None
        row.updated_at = work.now()
    if told.status == "paid" or row.status != before:
        audit.record(
            work, "deposit.mismatch", f"deposit:{row.reference}", reason=f"differs in {', '.join(differs)}",
            before={"status": before, "amount": decimal(row.money), "currency": row.currency,
                    "vendor_id": row.vendor_id},
            after={"status": row.status, "amount": decimal(told.money), "currency": told.money.currency,
                   "vendor_id": told.vendor_id},
        )  # fmt: skip
    return Applied("mismatch", flagged=True)


# --- withdrawals -----------------------------------------------------------------------------------------------------


def apply_payout(work: Work, integration_id: int, told: PayoutState) -> Applied:
    """Take up what a provider says about a payout; needs a money_work. Repeating it changes nothing."""
    row = locked(work, WithdrawalRow, told.reference)
    if row is None or row.integration_id != integration_id:
        return Applied("unknown_payout", flagged=True)
    differs = rules.disagreements(
        asked_money=row.money, asked_vendor_id=row.vendor_id, told_money=told.money, told_vendor_id=told.vendor_id
    )
    if differs:
        row.next_check_at = None  # asking again would tell the same; a person looks
        audit.record(
            work, "withdrawal.mismatch", f"withdrawal:{row.reference}", reason=f"differs in {', '.join(differs)}",
            before={"status": row.status, "amount": decimal(row.money), "vendor_id": row.vendor_id},
            after={"status": told.status, "amount": decimal(told.money), "vendor_id": told.vendor_id},
        )  # fmt: skip
        return Applied("mismatch", flagged=True)
    step = rules.WITHDRAWAL_STEPS[row.status, told.status]
    if row.status in ("approved", "sent"):
        row.vendor_id, row.updated_at = told.vendor_id, work.now()
    if step.action == "pay_out":
        _paid(work, row)
    elif step.action == "release":
        fail_withdrawal(work, row, told.reason or "payout_failed")
    elif step.status is not None:
        row.status = step.status
    if step.flagged:
        audit.record(
            work, f"withdrawal.{step.result}", f"withdrawal:{row.reference}",
            reason=f"the provider says {told.status}, we had {row.status}", after={"vendor_id": told.vendor_id},
        )  # fmt: skip
    return Applied(step.result, step.flagged)


def _paid(work: Work, row: WithdrawalRow) -> None:
    row.status, row.closed_at, row.next_check_at = "paid", work.now(), None
    outcome = wallet.pay_out(
        work, source=allowance.OURS, ref=f"withdrawal:{row.reference}:paid", reserve_ref=f"withdrawal:{row.reference}",
        house=house_of(work, row.integration_id, row.currency),
        pockets=pockets_of(work, row.player_id, row.currency),
    )  # fmt: skip
    _must_post(outcome, f"pay-out of {row.reference}")
    outbox.record(work, WithdrawalPaid(row.id, row.reference, row.player_id, row.amount_units, row.currency))


def fail_withdrawal(work: Work, row: WithdrawalRow, reason: str) -> None:
    """An approved withdrawal could not be paid: the money goes back to cash. The row is locked, needs a money_work."""
    assert row.status in ("approved", "sent"), row.status
    row.status, row.failure_reason, row.closed_at, row.next_check_at = "failed", reason, work.now(), None
    row.updated_at = work.now()
    release(work, row)
    outbox.record(
        work, WithdrawalFailed(row.id, row.reference, row.player_id, row.amount_units, row.currency, reason=reason)
    )


def release(work: Work, row: WithdrawalRow) -> None:
    """Pending becomes cash again: the end of a withdrawal that is not paid."""
    outcome = wallet.release(
        work, source=allowance.OURS, ref=f"withdrawal:{row.reference}:released",
        reserve_ref=f"withdrawal:{row.reference}", pockets=pockets_of(work, row.player_id, row.currency),
    )  # fmt: skip
    _must_post(outcome, f"release of {row.reference}")


def _must_post(outcome: Outcome, what: str) -> None:
    # Money that is owed is always movable; anything else is a fault that must block this payment until it is seen.
    if not outcome.posted:
        raise RuntimeError(f"the wallet answered {outcome.status} to the {what}")

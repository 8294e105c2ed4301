"""Withdrawals: asked for by a player, decided by a person (or by policy), paid by the provider; never taken back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from whitefelt import accounts, audit, compliance, wallet
from whitefelt.accounts import Player
from whitefelt.cashier import methods, queries, rules
from whitefelt.cashier.allowance import OURS
from whitefelt.cashier.applying import locked, pockets_of, release
from whitefelt.cashier.errors import (
    ALREADY_DECIDED,
    IDEMPOTENCY_CONFLICT,
    INSUFFICIENT_FUNDS,
    METHOD_NOT_USED,
    REASON_REQUIRED,
    WITHDRAWAL_UNKNOWN,
)
from whitefelt.cashier.models import DepositRow, WithdrawalRow
from whitefelt.cashier.queries import QueueRow, Withdrawal
from whitefelt.facts.money import WithdrawalApproved, WithdrawalRejected, WithdrawalRequested
from whitefelt.kernel import ids, outbox
from whitefelt.kernel.context import SYSTEM, Actor, TenantRef
from whitefelt.kernel.db import Work, money_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money, decimal, to_minor
from whitefelt.tenancy import Integration
from whitefelt.wallet import Pockets

#: Postings read back, at most, to find out whether something was staked since the last deposit.
LOOK_BACK_PAGES, LOOK_BACK_LINES = 20, 100


@dataclass(frozen=True, slots=True)
class _Request:
    money: Money
    method: str
    key: str | None
    digest: bytes


def request(
    tenant: TenantRef, player: Player, money: Money, method: str, *, idempotency_key: str | None = None
) -> Withdrawal:
    """Ask for money: cash becomes pending at once, to an instrument that the player has deposited with.

    Errors: payment_method_unknown, payment_method_not_used, amount_too_fine, amount_below_minimum, insufficient_funds
    (with `available`), idempotency_conflict, and those of compliance's gate. A refusal leaves nothing behind.
    """
    assert money.currency == player.currency, "a player withdraws in the account's currency"
    methods.offered_method(tenant, method, money.currency)
    to_minor(money)  # refuses what could not be paid
    rules.check_payout(money)
    digest = rules.request_hash("withdrawal", method, decimal(money), money.currency)
    asked = _Request(money, method, rules.checked_key(idempotency_key), digest)
    with money_work(tenant, Actor("player", player.public_id)) as work:
        row = _open(work, player, asked)
        return queries.withdrawal_of(row)


def _open(work: Work, player: Player, asked: _Request) -> WithdrawalRow:
    accounts.lock_player(work, player.id)
    twin = _twin(work, player, asked)
    if twin is not None:
        return twin
    compliance.withdraw_gate(work, player)
    deposit = _last_deposit(work, player, asked)
    integration = methods.integration_by_id(work.here, deposit.integration_id) if deposit is not None else None
    if deposit is None or deposit.instrument is None or integration is None:
        raise Problem(METHOD_NOT_USED)
    now = work.now()
    values = {
        "public_id": ids.uuid7(), "player_id": player.id, "integration_id": integration.id, "method": asked.method,
        "amount_units": asked.money.units, "currency": asked.money.currency, "status": "waiting", "reasons": [],
        "destination": deposit.instrument, "decision_note": "", "attempts": 0, "idempotency_key": asked.key,
        "body_hash": asked.digest, "checks": 0, "created_at": now, "updated_at": now,
    }  # fmt: skip
    made = work.session.scalar(
        insert(WithdrawalRow).values(**values).on_conflict_do_nothing().returning(WithdrawalRow.id)
    )
    if made is None:
        twin = _twin(work, player, asked)
        assert twin is not None, "the key was taken and nobody has it"
        return twin
    row = work.session.get_one(WithdrawalRow, made)
    pockets = pockets_of(work, player.id, row.currency)
    outcome = wallet.reserve(work, source=OURS, ref=f"withdrawal:{row.reference}", pockets=pockets, money=row.money)
    if outcome.status == "insufficient_funds":
        available = Money(outcome.current[pockets.cash], row.currency)
        raise Problem(
            INSUFFICIENT_FUNDS, f"{available} can be paid out.", available=decimal(available), currency=row.currency
        )
    assert outcome.posted, f"a fresh reserve was answered with {outcome.status}"
    _decide_whether_it_waits(work, player, row, integration, pockets)
    return row


def _twin(work: Work, player: Player, asked: _Request) -> WithdrawalRow | None:
    if asked.key is None:
        return None
    row = work.session.scalar(
        select(WithdrawalRow).where(WithdrawalRow.player_id == player.id, WithdrawalRow.idempotency_key == asked.key)
    )
    if row is not None and row.body_hash != asked.digest:
        raise Problem(IDEMPOTENCY_CONFLICT)
    return row


def _last_deposit(work: Work, player: Player, asked: _Request) -> DepositRow | None:
    """The closed loop: money goes back to the instrument it came from."""
    return work.session.scalar(
        select(DepositRow)
        .where(
            DepositRow.player_id == player.id, DepositRow.method == asked.method, DepositRow.status == "settled",
            DepositRow.currency == asked.money.currency, DepositRow.instrument.is_not(None),
        )
        .order_by(DepositRow.id.desc())
        .limit(1)
    )  # fmt: skip


def _decide_whether_it_waits(
    work: Work, player: Player, row: WithdrawalRow, integration: Integration, pockets: Pockets
) -> None:
    known = rules.Circumstances(
        money=row.money, paid_before=_paid_before(work, player), verified=player.verified_at is not None,
        staked_since_deposit=_staked_since_deposit(work, pockets),
    )  # fmt: skip
    reasons = rules.waiting_reasons(known, methods.review_policy(integration, row.currency))
    row.reasons = list(reasons)
    outbox.record(
        work,
        WithdrawalRequested(row.id, row.reference, row.player_id, row.amount_units, row.currency, reasons=reasons),
    )
    if not reasons:
        _approve(work, row, SYSTEM, "")


def _paid_before(work: Work, player: Player) -> bool:
    query = (
        select(WithdrawalRow.id).where(WithdrawalRow.player_id == player.id, WithdrawalRow.status == "paid").limit(1)
    )
    return work.session.scalar(query) is not None


def _staked_since_deposit(work: Work, pockets: Pockets) -> bool:
    before: int | None = None
    for _ in range(LOOK_BACK_PAGES):
        lines = wallet.statement(work, pockets, before=before, limit=LOOK_BACK_LINES)
        for line in lines:
            if line.kind in ("stake", "deposit"):
                return line.kind == "stake"
        if not lines:
            return False
        before = lines[-1].journal_id
    return False


# --- deciding --------------------------------------------------------------------------------------------------------


def approve(work: Work, public_id: str, note: str = "") -> Withdrawal:
    """`work.actor` lets a waiting withdrawal be paid; the provider is asked after commit. Needs a money_work.

    Errors: withdrawal_unknown; already_decided with `decision`, `decided_by` and `decided_at`.
    """
    row = _undecided(work, public_id)
    _approve(work, row, work.actor, rules.clean_note(note))
    audit.record(
        work, "withdrawal.approved", f"withdrawal:{row.reference}", reason=row.decision_note,
        before={"status": "waiting"},
        after={"status": "approved", "amount": decimal(row.money), "currency": row.currency},
    )  # fmt: skip
    return queries.withdrawal_of(row)


def reject(work: Work, public_id: str, reason: str) -> Withdrawal:
    """`work.actor` refuses a waiting withdrawal; the money is cash again at once. Needs a money_work.

    Errors: withdrawal_unknown; reason_required; already_decided with `decision`, `decided_by` and `decided_at`.
    """
    reason = rules.clean_note(reason)
    if not reason:
        raise Problem(REASON_REQUIRED)
    row = _undecided(work, public_id)
    _decided(work, row, "rejected", work.actor, reason)
    row.closed_at = work.now()
    release(work, row)
    outbox.record(
        work, WithdrawalRejected(row.id, row.reference, row.player_id, row.amount_units, row.currency, reason=reason)
    )
    audit.record(
        work, "withdrawal.rejected", f"withdrawal:{row.reference}", reason=reason, before={"status": "waiting"},
        after={"status": "rejected", "amount": decimal(row.money), "currency": row.currency},
    )  # fmt: skip
    return queries.withdrawal_of(row)


def _undecided(work: Work, public_id: str) -> WithdrawalRow:
    """The row, locked; whoever comes second waits here and then reads the first one's decision."""
    assert work.may_move_money, "decisions on withdrawals need a money_work"
    row = locked(work, WithdrawalRow, public_id)
    if row is None:
        raise Problem(WITHDRAWAL_UNKNOWN)
    if row.status != "waiting":
        decision = "rejected" if row.status == "rejected" else "approved"
        assert row.decided_at is not None
        raise Problem(
            ALREADY_DECIDED, f"{row.decided_by_name or 'Someone'} has {decision} this withdrawal already.",
            decision=decision, decided_by=row.decided_by_name, decided_at=row.decided_at.isoformat(),
        )  # fmt: skip
    return row


def _approve(work: Work, row: WithdrawalRow, actor: Actor, note: str) -> None:
    _decided(work, row, "approved", actor, note)
    outbox.record(
        work,
        WithdrawalApproved(row.id, row.reference, row.player_id, row.amount_units, row.currency, approved_by=actor.id),
    )


def _decided(work: Work, row: WithdrawalRow, status: str, actor: Actor, note: str) -> None:
    row.status, row.decided_at, row.updated_at, row.decision_note = status, work.now(), work.now(), note
    row.decided_by_kind, row.decided_by_id, row.decided_by_name = actor.kind, actor.id, actor.name


# --- reading ---------------------------------------------------------------------------------------------------------


def get(work: Work, public_id: str, player_id: int | None = None) -> Withdrawal:
    """The withdrawal of that id, of that player if one is named; `withdrawal_unknown`."""
    return queries.withdrawal(work, public_id, player_id)


def queued(work: Work, public_id: str) -> QueueRow:
    """One line of the queue, whatever its status; `withdrawal_unknown`."""
    return queries.queued(work, public_id)


def queue(work: Work, status: str | None = "waiting", *, before: int | None = None, limit: int = 50) -> list[QueueRow]:
    """The staff's queue; see `queries.queue`."""
    return queries.queue(work, status, before=before, limit=limit)

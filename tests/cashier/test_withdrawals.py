"""Withdrawals: pending at once, decided once, paid or given back once, whoever speaks first."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from cashier.desk import OTHER_STAFF, STAFF, Desk, audit_of, eur, funded, held, in_parallel, stake
from whitefelt import cashier, compliance, tenancy
from whitefelt.accounts import Player
from whitefelt.cashier import queries, rules
from whitefelt.facts.money import WithdrawalApproved, WithdrawalPaid, WithdrawalRequested
from whitefelt.kernel.db import money_work, platform_work, unit_of_work
from whitefelt.kernel.errors import Problem


def test_money_is_pending_from_the_request_and_gone_when_paid(desk: Desk) -> None:
    player = funded(desk)
    asked = desk.request(player, "60.00")
    assert asked.status == "waiting"
    assert held(desk, player) == (eur("48.00"), eur("60.00"))
    approved = desk.approve(asked.public_id)
    assert (approved.status, approved.decided_by) == ("approved", "Pat Payments")
    assert held(desk, player) == (eur("48.00"), eur("60.00"))
    desk.send_payouts(asked.public_id)
    desk.heard(asked.public_id)
    paid = desk.withdrawal(asked.public_id)
    assert paid.status == "paid" and paid.closed_at is not None
    assert held(desk, player) == (eur("48.00"), eur("0"))
    assert sorted(desk.lines(player)) == sorted([
        ("deposit", "cash", eur("108.00")), ("reserve", "cash", -eur("60.00")), ("reserve", "pending", eur("60.00")),
        ("pay_out", "pending", -eur("60.00")),
    ])  # fmt: skip
    assert [f.withdrawal_public_id for f in desk.facts(WithdrawalPaid)].count(asked.public_id) == 1
    books = desk.psp.control(f"/payouts?reference={asked.public_id}", "GET")["items"]
    assert [(one["amount"], one["currency"], one["status"]) for one in books] == [(6000, "EUR", "paid")]
    assert desk.faults() == []


def test_a_rejected_withdrawal_is_cash_again(desk: Desk) -> None:
    player = funded(desk)
    asked = desk.request(player, "60.00")
    rejected = desk.reject(asked.public_id)
    assert (rejected.status, rejected.note, rejected.decided_by) == ("rejected", "not today", "Pat Payments")
    assert held(desk, player) == (eur("108.00"), eur("0"))
    assert asked.public_id not in [f.withdrawal_public_id for f in desk.facts(WithdrawalApproved)]
    again = desk.request(player, "108.00")  # all of it can be asked for again
    assert held(desk, player) == (eur("0"), eur("108.00")) and again.status == "waiting"
    assert desk.faults() == []


def test_the_payout_goes_to_the_instrument_of_the_deposit(desk: Desk) -> None:
    player = desk.player()
    deposit = desk.paid(player, "50.00")
    asked = desk.request(player, "50.00")
    desk.approve(asked.public_id)
    desk.send_payouts(asked.public_id)
    payout = desk.psp.control(f"/payouts?reference={asked.public_id}", "GET")["items"][0]
    assert payout["destination"] == {"token": deposit.vendor_id}


# --- asking ----------------------------------------------------------------------------------------------------------


def _attempt(desk: Desk, player: Player, amount: str, method: str = "card") -> Any:
    try:
        return cashier.withdrawals.request(desk.tenant, player, eur(amount), method)
    except Problem as problem:
        return problem


def test_more_than_there_is_is_refused_and_moves_nothing(desk: Desk) -> None:
    player = funded(desk, "50.00")
    problem = _attempt(desk, player, "50.01")
    assert problem.code.name == "insufficient_funds" and problem.extra["available"] == "50.00"
    assert held(desk, player) == (eur("50.00"), eur("0"))
    with unit_of_work(desk.tenant) as work:
        assert queries.withdrawals_of(work, player.id) == []
    assert _attempt(desk, player, "50.00").status == "waiting"


def test_parallel_requests_cannot_take_more_than_there_is(desk: Desk) -> None:
    player = funded(desk, "100.00")
    outcomes = in_parallel([lambda: _attempt(desk, player, "30.00")] * 8)
    assert sum(not isinstance(one, Problem) for one in outcomes) == 3
    assert {one.code.name for one in outcomes if isinstance(one, Problem)} == {"insufficient_funds"}
    assert held(desk, player) == (eur("10.00"), eur("90.00"))
    assert desk.faults() == []


@pytest.mark.parametrize(
    ("amount", "method", "code"),
    [
        ("0", "card", "amount_below_minimum"),
        ("1.001", "card", "amount_too_fine"),
        ("5.00", "shells", "payment_method_unknown"),
        ("5.00", "instant_bank", "payment_method_not_used"),
    ],
)
def test_what_cannot_be_paid_is_refused(desk: Desk, amount: str, method: str, code: str) -> None:
    player = funded(desk, "50.00")
    assert _attempt(desk, player, amount, method).code.name == code
    assert _attempt(desk, player, "0.01").status == "waiting"


def test_a_deposit_that_never_came_opens_no_way_out(desk: Desk) -> None:
    player = desk.player()
    deposit = desk.start(player, "50.00")
    desk.pay(deposit, "decline")
    desk.heard(deposit.public_id)
    assert _attempt(desk, player, "1.00").code.name == "payment_method_not_used"


def test_the_same_key_gives_the_same_withdrawal(desk: Desk) -> None:
    player = funded(desk, "100.00")
    outcomes = in_parallel([lambda: desk.request(player, "30.00", key="w-1")] * 6)
    assert len({one.public_id for one in outcomes}) == 1
    assert held(desk, player) == (eur("70.00"), eur("30.00"))
    with pytest.raises(Problem) as caught:
        desk.request(player, "31.00", key="w-1")
    assert caught.value.code.name == "idempotency_conflict"
    assert desk.request(player, "30.00", key="w-2").public_id != outcomes[0].public_id


def test_an_excluded_player_may_withdraw_and_a_blocked_one_may_not(desk: Desk) -> None:
    player = funded(desk, "100.00")
    with money_work(desk.tenant) as work:
        compliance.exclude_for(work, player, "self_exclusion", "6months")
    assert _attempt(desk, player, "40.00").status == "waiting"
    with money_work(desk.tenant) as work:
        compliance.block_player(work, player.id, "a test")
    assert _attempt(desk, player, "40.00").code.name == "account_blocked"


# --- why it waits ----------------------------------------------------------------------------------------------------


def test_the_reasons_say_why_a_withdrawal_waits(desk: Desk) -> None:
    player = desk.player(verified=False)
    desk.paid(player, "100.00")
    first = desk.request(player, "10.00")
    assert first.reasons == ("identity_unverified", "no_play_since_deposit", "first_withdrawal", "manual_review")
    assert all(text.endswith(".") for text in first.reason_texts)
    known = funded(desk)
    stake(desk, known)
    assert desk.request(known, "10.00").reasons == ("first_withdrawal", "manual_review")
    row = next(one for one in _queue(desk) if one.withdrawal.public_id == first.public_id)
    assert (row.player.public_id, row.withdrawal.money, row.waiting_seconds >= 0) == (
        player.public_id,
        eur("10.00"),
        True,
    )
    requested = [f.reasons for f in desk.facts(WithdrawalRequested) if f.withdrawal_public_id == first.public_id]
    assert requested == [first.reasons]


def _queue(desk: Desk, status: str | None = "waiting") -> list[cashier.QueueRow]:
    with unit_of_work(desk.tenant) as work:
        return cashier.withdrawals.queue(work, status, limit=200)


def test_the_policy_of_the_tenant_decides_what_waits(desk: Desk) -> None:
    player = funded(desk, "200.00")
    stake(desk, player)
    _configure(desk, review_every=False, review_over={"EUR": "50.00"})
    try:
        assert desk.request(player, "50.00").reasons == ("first_withdrawal",)
        _pay_one(desk, player)
        assert desk.request(player, "50.01").reasons == ("amount_over_threshold",)
        quick = desk.request(player, "50.00")
        assert (quick.status, quick.reasons, quick.decided_by) == ("approved", (), "Whitefelt")
        desk.send_payouts(quick.public_id)
        desk.heard(quick.public_id)
        assert desk.withdrawal(quick.public_id).status == "paid"
    finally:
        _configure(desk)


def _pay_one(desk: Desk, player: Player) -> None:
    waiting = next(one for one in _queue(desk) if one.player.id == player.id).withdrawal
    desk.approve(waiting.public_id)
    desk.send_payouts(waiting.public_id)
    desk.heard(waiting.public_id)
    assert desk.withdrawal(waiting.public_id).status == "paid"


def _configure(desk: Desk, **more: Any) -> None:
    from whitefelt.tenancy.models import IntegrationRow

    with platform_work() as work:
        config = {"origin": desk.psp.origin, **more}
        work.session.execute(
            update(IntegrationRow).where(IntegrationRow.id == desk.integration.id).values(config=config)
        )
    tenancy.forget()


def test_the_queue_pages_and_counts(desk: Desk) -> None:
    player = funded(desk, "50.00")
    made = [desk.request(player, "1.00").id for _ in range(5)]
    with unit_of_work(desk.tenant) as work:
        first = cashier.withdrawals.queue(work, "waiting", limit=3)
        second = cashier.withdrawals.queue(work, "waiting", before=first[-1].withdrawal.id, limit=2)
        counts = cashier.counts(work)
    assert [one.withdrawal.id for one in [*first, *second]] == sorted(made, reverse=True)
    assert counts["waiting"] >= 5 and set(counts) == set(rules.WITHDRAWAL_STATUSES)


# --- deciding --------------------------------------------------------------------------------------------------------


def test_two_clicks_approve_once_and_the_second_is_told_by_whom(desk: Desk) -> None:
    player = funded(desk)
    asked = desk.request(player, "60.00")
    outcomes = in_parallel(
        [lambda: desk.approve(asked.public_id, STAFF), lambda: desk.approve(asked.public_id, OTHER_STAFF)]
    )
    won = [one for one in outcomes if not isinstance(one, Exception)]
    lost = [one for one in outcomes if isinstance(one, Problem)]
    assert len(won) == len(lost) == 1
    assert (lost[0].code.name, lost[0].code.status) == ("already_decided", 409)
    assert (lost[0].extra["decision"], lost[0].extra["decided_by"]) == ("approved", won[0].decided_by)
    assert len([f for f in desk.facts(WithdrawalApproved) if f.withdrawal_public_id == asked.public_id]) == 1
    assert [entry.action for entry in audit_of(desk, asked.public_id)] == ["withdrawal.approved"]
    assert audit_of(desk, asked.public_id)[0].actor_name == won[0].decided_by


@pytest.mark.parametrize("_round", range(5))
def test_approve_against_reject_has_one_winner(desk: Desk, _round: int) -> None:
    player = funded(desk)
    asked = desk.request(player, "60.00")
    outcomes = in_parallel(
        [lambda: desk.approve(asked.public_id, STAFF), lambda: desk.reject(asked.public_id, OTHER_STAFF)]
    )
    won = [one for one in outcomes if not isinstance(one, Exception)]
    lost = [one for one in outcomes if isinstance(one, Problem)]
    assert len(won) == len(lost) == 1 and lost[0].code.name == "already_decided"
    assert lost[0].extra["decision"] == won[0].status
    desk.send_payouts(asked.public_id)
    if won[0].status == "approved":
        desk.heard(asked.public_id)
        assert held(desk, player) == (eur("48.00"), eur("0"))
    else:
        assert desk.psp.control(f"/payouts?reference={asked.public_id}", "GET")["items"] == []
        assert held(desk, player) == (eur("108.00"), eur("0"))
    assert desk.faults() == []


def test_a_rejection_needs_a_reason(desk: Desk) -> None:
    asked = desk.request(funded(desk), "60.00")
    with money_work(desk.tenant, STAFF) as work, pytest.raises(Problem) as caught:
        cashier.withdrawals.reject(work, asked.public_id, " \n ")
    assert caught.value.code.name == "reason_required"
    assert desk.reject(asked.public_id).status == "rejected"


def test_what_does_not_exist_cannot_be_decided(desk: Desk) -> None:
    for public_id in ("00000000-0000-7000-8000-000000000000", "nonsense", ""):
        with pytest.raises(Problem) as caught:
            desk.approve(public_id)
        assert caught.value.code.name == "withdrawal_unknown"

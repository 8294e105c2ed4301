"""Payouts: once, or given back once, whoever speaks first: handler, notification or schedule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cashier.desk import Desk, audit_of, eur, funded, held, in_parallel, wait_for
from whitefelt.accounts import Player
from whitefelt.cashier import payouts, rules, sync
from whitefelt.cashier.payouts import NothingReserved, OutcomeOpen
from whitefelt.connectors.pay import sandpay
from whitefelt.facts.money import WithdrawalFailed
from whitefelt.kernel import clock
from whitefelt.kernel.http import VendorUnavailable, VendorUnknown


def approved(desk: Desk, player: Player, amount: str = "60.00") -> str:
    asked = desk.request(player, amount)
    desk.approve(asked.public_id)
    return asked.public_id


def test_a_payout_that_fails_is_cash_again_once(desk: Desk) -> None:
    player = funded(desk)
    desk.psp.mode(payout="failed", duplicate=3)
    public_id = approved(desk, player)
    desk.send_payouts(public_id)
    desk.heard(public_id)
    failed = desk.withdrawal(public_id)
    assert (failed.status, failed.failure_reason) == ("failed", "bank_refused")
    assert held(desk, player) == (eur("108.00"), eur("0"))
    in_parallel(
        [lambda: desk.apply(public_id), lambda: desk.send_payouts(public_id), lambda: sync.sync_payments(desk.tenant)]
    )
    assert held(desk, player) == (eur("108.00"), eur("0"))
    assert [f.reason for f in desk.facts(WithdrawalFailed) if f.withdrawal_public_id == public_id] == ["bank_refused"]
    assert desk.faults() == []


def test_notification_schedule_and_handler_together_pay_out_once(desk: Desk) -> None:
    player = funded(desk)
    public_id = approved(desk, player)
    desk.send_payouts(public_id)
    wait_for(lambda: desk.notifications(public_id))
    desk.edit_withdrawal(public_id, next_check_at=clock.now())
    jobs = [
        lambda: desk.apply(public_id),
        lambda: desk.send_payouts(public_id),
        lambda: sync.sync_payments(desk.tenant),
    ]
    outcomes = in_parallel(jobs * 3)
    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert desk.withdrawal(public_id).status == "paid"
    assert held(desk, player) == (eur("48.00"), eur("0"))
    assert desk.faults() == []


def test_the_approval_delivered_many_times_at_once_pays_once(desk: Desk) -> None:
    player = funded(desk)
    public_id = approved(desk, player)
    outcomes = in_parallel([lambda: desk.send_payouts(public_id)] * 5)
    assert not [one for one in outcomes if isinstance(one, Exception)]
    assert len(desk.psp.control(f"/payouts?reference={public_id}", "GET")["items"]) == 1
    desk.heard(public_id)
    assert held(desk, player) == (eur("48.00"), eur("0"))


def test_a_refused_payout_is_cash_again(desk: Desk) -> None:
    """The provider knows no such instrument: a refusal, not an outage."""
    player = funded(desk)
    public_id = approved(desk, player)
    desk.edit_withdrawal(public_id, destination="x" * 201)  # longer than the provider takes
    desk.send_payouts(public_id)
    failed = desk.withdrawal(public_id)
    assert (failed.status, failed.failure_reason) == ("failed", "vendor_refused")
    assert held(desk, player) == (eur("108.00"), eur("0"))
    assert desk.faults() == []


def test_a_provider_out_of_reach_leaves_it_approved_for_the_next_delivery(desk: Desk) -> None:
    player = funded(desk)
    public_id = approved(desk, player)
    data = desk.psp.config.parent
    desk.psp.stop()
    try:
        with pytest.raises(VendorUnavailable):
            desk.send_payouts(public_id)
        with pytest.raises(OutcomeOpen):  # it cannot even say what became of the first attempt
            desk.send_payouts(public_id)
    finally:
        desk.psp.begin(data)
    assert desk.withdrawal(public_id).status == "approved"
    assert held(desk, player) == (eur("48.00"), eur("60.00"))
    desk.send_payouts(public_id)
    desk.heard(public_id)
    assert desk.withdrawal(public_id).status == "paid"


def test_wrong_credentials_are_our_fault_and_end_nothing(desk: Desk) -> None:
    player = funded(desk)
    public_id = approved(desk, player)
    good = desk.psp.config.read_text()
    desk.psp.config.write_text('{"merchants": []}')
    try:
        with pytest.raises(VendorUnavailable):
            desk.send_payouts(public_id)
    finally:
        desk.psp.config.write_text(good)
    assert desk.withdrawal(public_id).status == "approved"
    desk.send_payouts(public_id)
    desk.heard(public_id)
    assert desk.withdrawal(public_id).status == "paid"


def test_an_unknown_outcome_is_asked_about_before_anything_is_sent_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = funded(desk)
    public_id = approved(desk, player)
    real = sandpay.http.call

    def lose_the_answer(method: str, url: str, **more: Any) -> Any:
        answer = real(method, url, **more)
        if method == "POST":
            raise VendorUnknown("the connection broke after the request was sent")
        return answer

    calls: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(sandpay.http, "call", lose_the_answer)
        with pytest.raises(VendorUnknown):
            desk.send_payouts(public_id)
    assert desk.withdrawal(public_id).status == "approved"

    def note(method: str, url: str, **more: Any) -> Any:
        calls.append(method)
        return real(method, url, **more)

    monkeypatch.setattr(sandpay.http, "call", note)
    desk.send_payouts(public_id)
    assert calls == ["GET"]  # the provider has it: nothing is sent a second time
    assert desk.withdrawal(public_id).status in ("sent", "paid")
    desk.heard(public_id)
    assert desk.withdrawal(public_id).status == "paid"
    assert len(desk.psp.control(f"/payouts?reference={public_id}", "GET")["items"]) == 1


def test_the_schedule_learns_the_end_of_a_payout_that_was_not_told(desk: Desk) -> None:
    player = funded(desk)
    desk.psp.mode(hold=True)
    public_id = approved(desk, player)
    desk.send_payouts(public_id)
    wait_for(lambda: desk.psp.control(f"/payouts?reference={public_id}&status=paid", "GET")["items"])
    assert desk.withdrawal(public_id).status == "sent"
    with clock.frozen(clock.now() + timedelta(seconds=rules.FIRST_CHECK_SECONDS + 1)):
        sync.sync_payments(desk.tenant)
        wait_for(lambda: desk.withdrawal(public_id).status == "paid")
    assert held(desk, player) == (eur("48.00"), eur("0"))


@pytest.mark.parametrize(
    ("first", "later", "status", "result"),
    [
        ("payout.paid", "payout.failed", "paid", "failed_after_paid"),
        ("payout.failed", "payout.paid", "failed", "paid_after_failed"),
    ],
)
def test_a_provider_that_changes_its_mind_is_flagged_and_moves_nothing_more(
    desk: Desk, first: str, later: str, status: str, result: str
) -> None:
    player = funded(desk)
    desk.psp.mode(payout="hold")
    public_id = approved(desk, player)
    desk.send_payouts(public_id)
    sent = desk.withdrawal(public_id)
    for kind in (first, later):
        assert desk.tell(desk.event(sent, kind))[0] == 200
        desk.apply(public_id)
    assert desk.withdrawal(public_id).status == status
    assert [(one.result, one.flagged) for one in desk.notifications(public_id)][-1] == (result, True)
    assert f"withdrawal.{result}" in [entry.action for entry in audit_of(desk, public_id)]
    assert held(desk, player) == (eur("48.00") if status == "paid" else eur("108.00"), eur("0"))
    assert desk.faults() == []


def test_a_payout_that_nobody_approved_is_flagged(desk: Desk) -> None:
    player = funded(desk)
    asked = desk.request(player, "60.00")
    desk.tell(desk.event(asked, "payout.paid", id="po_strange"))
    desk.apply(asked.public_id)
    assert desk.withdrawal(asked.public_id).status == "waiting"
    assert [(one.result, one.flagged) for one in desk.notifications(asked.public_id)] == [
        ("payout_not_asked_for", True)
    ]
    assert held(desk, player) == (eur("48.00"), eur("60.00"))


@pytest.mark.parametrize("wrong", [{"amount": 6001}, {"currency": "SEK"}, {"id": "po_other"}])
def test_a_payout_that_differs_from_the_order_changes_nothing_and_is_flagged(desk: Desk, wrong: dict[str, Any]) -> None:
    player = funded(desk)
    desk.psp.mode(payout="hold")
    public_id = approved(desk, player)
    desk.send_payouts(public_id)
    desk.tell(desk.event(desk.withdrawal(public_id), "payout.paid", **wrong))
    desk.apply(public_id)
    assert desk.withdrawal(public_id).status == "sent"
    assert [(one.result, one.flagged) for one in desk.notifications(public_id)] == [("mismatch", True)]
    desk.tell(desk.event(desk.withdrawal(public_id), "payout.paid"))
    desk.apply(public_id)
    assert desk.withdrawal(public_id).status == "paid"


def test_a_row_that_was_tampered_with_pays_nobody(desk: Desk) -> None:
    """Whoever can write the cashier's table, but not the wallet's, must not be able to send money out."""
    player = funded(desk)
    asked = desk.request(player, "60.00").public_id
    desk.reject(asked)
    desk.edit_withdrawal(asked, status="approved", closed_at=None)
    with pytest.raises(NothingReserved):
        payouts.send(desk.tenant, asked)
    assert desk.psp.control(f"/payouts?reference={asked}", "GET")["items"] == []
    honest = approved(desk, player)
    desk.edit_withdrawal(honest, amount_units=eur("61.00").units)
    with pytest.raises(NothingReserved):
        payouts.send(desk.tenant, honest)
    # Put right again, so that the proofs of other tests stand.
    desk.edit_withdrawal(asked, status="rejected", closed_at=clock.now())
    desk.edit_withdrawal(honest, amount_units=eur("60.00").units)
    payouts.send(desk.tenant, honest)
    desk.heard(honest)
    assert desk.faults() == []

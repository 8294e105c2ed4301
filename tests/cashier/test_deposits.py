"""Deposits against the sandbox provider: what it does becomes money once, or nothing at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cashier.desk import Desk, in_parallel, wait_for
from whitefelt import cashier, compliance
from whitefelt.accounts import Player
from whitefelt.cashier import asking, queries, rules, sync
from whitefelt.connectors.pay import sandpay
from whitefelt.facts.money import DepositFailed, DepositSettled
from whitefelt.kernel import clock
from whitefelt.kernel.db import money_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money, parse

EUR = "EUR"


def eur(text: str) -> Money:
    return parse(text, EUR)


def limit(desk: Desk, player: Player, period: str, amount: str) -> None:
    with money_work(desk.tenant) as work:
        compliance.set_deposit_limit(work, player, period, eur(amount))


def refusal(outcome: Any) -> str:
    assert isinstance(outcome, Problem), outcome
    return outcome.code.name


def test_a_paid_deposit_is_credited(desk: Desk) -> None:
    player = desk.player()
    deposit = desk.start(player, "100.00")
    assert deposit.status == "redirected"
    assert deposit.redirect_url is not None and deposit.redirect_url.startswith(desk.psp.origin)
    desk.pay(deposit)
    desk.heard(deposit.public_id)
    settled = desk.deposit(deposit.public_id)
    assert settled.status == "settled" and settled.authorisation and settled.settled_at is not None
    assert desk.cash(player) == eur("100.00")
    assert desk.lines(player) == [("deposit", "cash", eur("100.00"))]
    assert [fact.deposit_public_id for fact in desk.facts(DepositSettled)].count(deposit.public_id) == 1
    assert desk.faults() == []


@pytest.mark.parametrize(
    ("action", "status"), [("decline", "declined"), ("cancel", "cancelled"), ("expire", "expired")]
)
def test_a_deposit_without_money_moves_nothing_and_gives_its_allowance_back(
    desk: Desk, action: str, status: str
) -> None:
    player = desk.player()
    limit(desk, player, "day", "100.00")
    deposit = desk.start(player, "100.00")
    assert refusal(_attempt(desk, player, "10.00")) == "limit_reached"
    desk.pay(deposit, action)
    desk.heard(deposit.public_id)
    ended = desk.deposit(deposit.public_id)
    assert (ended.status, ended.settled_at) == (status, None)
    assert ended.reason == ("issuer_declined" if status == "declined" else status)
    assert desk.lines(player) == []
    assert [f.status for f in desk.facts(DepositFailed) if f.deposit_public_id == deposit.public_id] == [status]
    assert desk.start(player, "100.00").status == "redirected"
    assert refusal(_attempt(desk, player, "10.00")) == "limit_reached"


def test_the_browser_may_return_before_the_notification(desk: Desk) -> None:
    player = desk.player()
    desk.psp.mode(hold=True)
    deposit = desk.start(player)
    desk.pay(deposit)
    assert desk.notifications(deposit.public_id) == []
    assert cashier.deposits.refresh(desk.tenant, player, deposit.public_id).status == "settled"
    assert desk.cash(player) == eur("100.00")
    desk.psp.control("/release")
    desk.heard(deposit.public_id)
    assert [one.result for one in desk.notifications(deposit.public_id)] == ["already_credited"]
    assert desk.cash(player) == eur("100.00")
    assert desk.lines(player) == [("deposit", "cash", eur("100.00"))]


def test_the_notification_may_come_before_the_browser_returns(desk: Desk) -> None:
    player = desk.player()
    deposit = desk.paid(player)
    assert cashier.deposits.refresh(desk.tenant, player, deposit.public_id).status == "settled"
    assert desk.cash(player) == eur("100.00")


def test_the_notification_may_come_before_the_answer_to_our_request(desk: Desk) -> None:
    """The provider's answer is slow: its page was paid and told before we know its id."""
    player = desk.player()
    desk.psp.mode(start="slow", slow_ms=1500)

    def pay_meanwhile() -> str:
        found = wait_for(lambda: _payment_at_psp(desk, player))
        desk.psp.control(f"/payments/{found['id']}/pay")
        desk.heard(found["reference"])
        return str(found["reference"])

    started, reference = in_parallel([lambda: desk.start(player), pay_meanwhile])
    assert started.public_id == reference
    assert (started.status, started.vendor_id is not None) == ("settled", True)
    assert desk.cash(player) == eur("100.00")
    assert desk.faults() == []


def _payment_at_psp(desk: Desk, player: Player) -> dict[str, Any] | None:
    with money_work(desk.tenant) as work:
        mine = queries.deposits_of(work, player.id)
    found = [] if not mine else desk.psp.control(f"/payments?reference={mine[0].public_id}", "GET")["items"]
    return found[0] if found else None


def test_duplicate_notifications_in_parallel_credit_once(desk: Desk) -> None:
    player = desk.player()
    deposit = desk.start(player)
    raw = desk.event(deposit, "payment.paid")
    answers = in_parallel([lambda: desk.tell(raw)] * 20)
    assert answers == [(200, b'{"received": true}')] * 20
    assert len(desk.notifications(deposit.public_id)) == 1
    in_parallel([lambda: desk.apply(deposit.public_id)] * 8)
    assert desk.lines(player) == [("deposit", "cash", eur("100.00"))]


def test_twenty_different_events_about_one_payment_in_parallel_credit_once(desk: Desk) -> None:
    player = desk.player()
    deposit = desk.start(player)
    events = [desk.event(deposit, "payment.paid") for _ in range(20)]
    assert {status for status, _ in in_parallel([lambda raw=raw: desk.tell(raw) for raw in events])} == {200}
    kept = [one.id for one in desk.notifications(deposit.public_id)]
    assert len(kept) == 20

    def apply(notification_id: int) -> str:
        with money_work(desk.tenant) as work:
            return cashier.callbacks.apply(work, notification_id).result

    results = in_parallel([lambda one=one: apply(one) for one in kept])
    assert sorted(results) == ["already_credited"] * 19 + ["credited"]
    assert desk.lines(player) == [("deposit", "cash", eur("100.00"))]
    assert desk.faults() == []


def test_the_provider_repeats_itself_until_we_answer(desk: Desk, callbacks: Any) -> None:
    player = desk.player()
    deposit = desk.start(player)
    callbacks.refuse = 2
    desk.psp.mode(duplicate=3)
    desk.pay(deposit)
    desk.heard(deposit.public_id)
    event = desk.psp.control(f"/events?reference={deposit.public_id}", "GET")["items"][0]
    desk.psp.control(f"/events/{event['id']}/resend", times=5)
    desk.apply(deposit.public_id)
    assert len(desk.notifications(deposit.public_id)) == 1
    assert desk.lines(player) == [("deposit", "cash", eur("100.00"))]


def test_a_success_after_the_end_is_credited_and_counted(desk: Desk) -> None:
    player = desk.player()
    limit(desk, player, "week", "100.00")
    deposit = desk.start(player, "60.00")
    desk.tell(desk.event(deposit, "payment.expired"))
    desk.apply(deposit.public_id)
    assert desk.deposit(deposit.public_id).status == "expired"
    other = desk.start(player, "100.00")  # the allowance is free again
    desk.tell(desk.event(deposit, "payment.paid", authorisation=123456))
    desk.apply(deposit.public_id)
    assert desk.deposit(deposit.public_id).status == "settled"
    assert desk.cash(player) == eur("60.00")
    assert [one.result for one in desk.notifications(deposit.public_id)] == ["expired", "credited_late"]
    desk.tell(desk.event(other, "payment.declined", reason="issuer_declined"))
    desk.apply(other.public_id)
    problem = _attempt(desk, player, "40.01")  # the late money counts
    assert refusal(problem) == "limit_reached" and problem.extra["left"] == "40.00"
    assert desk.start(player, "40.00").status == "redirected"


@pytest.mark.parametrize("later", ["payment.cancelled", "payment.declined", "payment.expired"])
def test_what_comes_after_the_money_changes_nothing(desk: Desk, later: str) -> None:
    player = desk.player()
    deposit = desk.paid(player)
    assert desk.tell(desk.event(deposit, later))[0] == 200
    desk.apply(deposit.public_id)
    assert desk.deposit(deposit.public_id).status == "settled"
    assert desk.notifications(deposit.public_id)[-1].result == "out_of_order"
    assert desk.cash(player) == eur("100.00")


# --- limits ----------------------------------------------------------------------------------------------------------


def _attempt(desk: Desk, player: Player, amount: str) -> Any:
    try:
        return desk.start(player, amount)
    except Problem as problem:
        return problem


def test_parallel_deposits_cannot_pass_a_limit_together(desk: Desk) -> None:
    player = desk.player()
    limit(desk, player, "day", "100.00")
    outcomes = in_parallel([lambda: _attempt(desk, player, "30.00")] * 8)
    made = [one for one in outcomes if not isinstance(one, Problem)]
    assert len(made) == 3
    problem = next(one for one in outcomes if isinstance(one, Problem))
    assert problem.code.name == "limit_reached"
    assert (problem.extra["limit"], problem.extra["left"], problem.extra["ceiling"]) == (
        "deposit:day",
        "10.00",
        "100.00",
    )
    assert refusal(_attempt(desk, player, "10.01")) == "limit_reached"  # one minor unit too many
    assert _attempt(desk, player, "10.00").status == "redirected"  # and exactly what is left


def test_a_refused_deposit_leaves_nothing_behind(desk: Desk) -> None:
    player = desk.player()
    limit(desk, player, "day", "50.00")
    assert refusal(_attempt(desk, player, "50.01")) == "limit_reached"
    with money_work(desk.tenant) as work:
        assert queries.deposits_of(work, player.id) == []
    assert _attempt(desk, player, "50.00").status == "redirected"


@pytest.mark.parametrize(
    ("amount", "code"), [("9.99", "amount_below_minimum"), ("5000.01", "amount_above_maximum"), ("10.001", "amount_too_fine")]
)  # fmt: skip
def test_amounts_outside_the_methods_limits_are_refused(desk: Desk, amount: str, code: str) -> None:
    assert refusal(_attempt(desk, desk.player(), amount)) == code


def test_amounts_at_the_methods_limits_are_taken(desk: Desk) -> None:
    player = desk.player()
    assert desk.start(player, "10.00").status == "redirected"
    assert desk.start(player, "5000.00").status == "redirected"


def test_an_unknown_method_is_refused(desk: Desk) -> None:
    with pytest.raises(Problem) as caught:
        desk.start(desk.player(), "20.00", method="shells")
    assert caught.value.code.name == "payment_method_unknown"


def test_an_excluded_player_cannot_deposit(desk: Desk) -> None:
    player = desk.player()
    assert _attempt(desk, player, "20.00").status == "redirected"
    with money_work(desk.tenant) as work:
        compliance.exclude_for(work, player, "time_out", "24h")
    assert refusal(_attempt(desk, player, "20.00")) == "excluded"


# --- repeating a request ---------------------------------------------------------------------------------------------


def test_the_same_key_gives_the_same_deposit(desk: Desk) -> None:
    player = desk.player()
    limit(desk, player, "day", "100.00")
    outcomes = in_parallel([lambda: desk.start(player, "40.00", key="k-1")] * 6)
    assert len({(one.public_id, one.status, one.redirect_url) for one in outcomes}) == 1
    assert outcomes[0].status == "redirected"
    assert desk.start(player, "40.00", key="k-1").public_id == outcomes[0].public_id
    assert desk.start(player, "40.00", key="k-2").public_id != outcomes[0].public_id
    assert len(desk.psp.control(f"/payments?reference={outcomes[0].public_id}", "GET")["items"]) == 1
    assert refusal(_attempt(desk, player, "20.01")) == "limit_reached"  # claimed twice, not seven times


def test_the_same_key_with_another_body_is_a_conflict(desk: Desk) -> None:
    player, other = desk.player(), desk.player()
    first = desk.start(player, "40.00", key="k")
    with pytest.raises(Problem) as caught:
        desk.start(player, "41.00", key="k")
    assert caught.value.code.name == "idempotency_conflict"
    assert desk.start(other, "41.00", key="k").public_id != first.public_id  # a key is one player's own


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "\x00", "é"])
def test_an_unusable_key_is_refused(desk: Desk, key: str) -> None:
    with pytest.raises(Problem) as caught:
        desk.start(desk.player(), "40.00", key=key)
    assert caught.value.code.name == "idempotency_key_invalid"


# --- a provider that fails -------------------------------------------------------------------------------------------


def test_a_provider_out_of_reach_fails_the_deposit_and_gives_the_allowance_back(desk: Desk) -> None:
    player = desk.player()
    limit(desk, player, "day", "100.00")
    data = desk.psp.config.parent
    desk.psp.stop()
    try:
        failed = desk.start(player, "100.00")
    finally:
        desk.psp.begin(data)
    assert (failed.status, failed.reason, failed.redirect_url) == ("failed", "vendor_unavailable", None)
    assert desk.start(player, "100.00").status == "redirected"


def test_an_unknown_outcome_stays_open_until_the_provider_says_that_it_never_happened(desk: Desk) -> None:
    player = desk.player()
    limit(desk, player, "day", "100.00")
    desk.psp.mode(start="error")
    open_ = desk.start(player, "100.00")
    assert (open_.status, open_.vendor_id) == ("created", None)
    assert asking.ask_payment(desk.tenant, desk.integration.id, open_.public_id).result == "no_change"
    assert refusal(_attempt(desk, player, "10.00")) == "limit_reached"  # it may have happened
    with clock.frozen(clock.now() + timedelta(seconds=rules.UNHEARD_SECONDS + 1)):
        assert asking.ask_payment(desk.tenant, desk.integration.id, open_.public_id).result == "not_carried_out"
    ended = desk.deposit(open_.public_id)
    assert (ended.status, ended.reason) == ("failed", "not_carried_out")
    desk.psp.mode()
    assert desk.start(player, "100.00").status == "redirected"


def test_an_unknown_outcome_that_did_happen_is_found_by_reference(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    player = desk.player()
    monkeypatch.setattr(sandpay, "CALL_SECONDS", 1)
    desk.psp.mode(start="slow", slow_ms=2500)
    open_ = desk.start(player)
    assert (open_.status, open_.vendor_id) == ("created", None)
    desk.psp.mode()
    found = desk.psp.control(f"/payments?reference={open_.public_id}", "GET")["items"][0]
    assert cashier.deposits.refresh(desk.tenant, player, open_.public_id).redirect_url == found["redirect_url"]
    assert desk.deposit(open_.public_id).status == "redirected"
    desk.psp.control(f"/payments/{found['id']}/pay")
    desk.heard(open_.public_id)
    assert desk.cash(player) == eur("100.00")


def test_the_schedule_asks_about_what_was_not_told(desk: Desk) -> None:
    player = desk.player()
    desk.psp.mode(hold=True)
    deposit = desk.start(player)
    desk.pay(deposit)
    with clock.frozen(clock.now() + timedelta(seconds=rules.FIRST_CHECK_SECONDS + 1)):
        wait_for(lambda: sync.sync_payments(desk.tenant) or True)
        wait_for(lambda: desk.deposit(deposit.public_id).status == "settled")
    assert desk.cash(player) == eur("100.00")


def test_a_deposit_that_nobody_finishes_is_given_up(desk: Desk) -> None:
    player = desk.player()
    limit(desk, player, "month", "100.00")
    deposit = desk.start(player, "100.00")
    with clock.frozen(clock.now() + timedelta(hours=rules.GIVE_UP_HOURS, seconds=1)):
        assert asking.ask_payment(desk.tenant, desk.integration.id, deposit.public_id).result == "given_up"
    assert desk.deposit(deposit.public_id).status == "expired"
    desk.pay(deposit)
    desk.heard(deposit.public_id)
    assert desk.cash(player) == eur("100.00")  # late, and credited


def test_a_deposit_that_its_provider_has_forgotten_is_given_up_too(desk: Desk) -> None:
    """It was asked about hourly for ever, and its part of the player's limit was never given back."""
    player = desk.player()
    limit(desk, player, "month", "100.00")
    desk.psp.mode(start="error")
    forgotten = desk.start(player, "100.00").public_id
    desk.psp.mode()
    desk.edit_deposit(forgotten, status="redirected", vendor_id="pay_forgotten")
    assert asking.ask_payment(desk.tenant, desk.integration.id, forgotten).result == "no_change"
    with clock.frozen(clock.now() + timedelta(hours=rules.GIVE_UP_HOURS, seconds=1)):
        assert asking.ask_payment(desk.tenant, desk.integration.id, forgotten).result == "given_up"
    assert desk.deposit(forgotten).status == "expired"
    assert desk.start(player, "100.00").status == "redirected"


def test_another_operators_provider_cannot_speak_about_our_deposits(desk: Desk, bravo: Any) -> None:
    from whitefelt import tenancy

    player = desk.player()
    deposit = desk.start(player)
    theirs = tenancy.integrations_of(bravo, "pay")[0]
    raw = desk.event(deposit, "payment.paid")
    headers = desk.signed(raw, secret=theirs.secrets["webhook_secret"])
    assert cashier.callbacks.receive(theirs, headers, raw)[0] == 200  # theirs to send, and about nothing of theirs
    assert cashier.callbacks.receive(desk.integration, headers, raw)[0] == 401
    assert desk.notifications(deposit.public_id) == []
    assert desk.lines(player) == []

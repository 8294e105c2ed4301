"""The whole way with the real relay and drain between the transactions, and in currencies of every shape."""

from __future__ import annotations

import pytest

from cashier.desk import Desk, eur, funded, held, wait_for
from whitefelt import cashier, compliance, tenancy, wallet
from whitefelt.kernel import drain
from whitefelt.kernel.db import money_work
from whitefelt.kernel.money import Money, parse, to_minor
from whitefelt.kernel.relay_pass import Passed, relay_tenant


def work_off(desk: Desk, consumer: str, key: str) -> int:
    """What relay and worker do: pass what was recorded, then drain one key."""
    wait_for(lambda: _nothing_left(relay_tenant(desk.tenant)))
    return drain.drain(desk.tenant, consumer, key)


def _nothing_left(passed: Passed) -> bool:
    return not (passed.rows or passed.waiting or passed.more)


def test_a_deposit_and_a_withdrawal_over_relay_and_worker(desk: Desk) -> None:
    relay_tenant(desk.tenant)  # subscriptions begin now
    player = desk.player()
    deposit = desk.start(player, "100.00")
    desk.pay(deposit)
    wait_for(lambda: desk.notifications(deposit.public_id))
    assert work_off(desk, "cashier.notifications", f"payment:{deposit.public_id}") == 1
    assert desk.cash(player) == eur("100.00")
    assert work_off(desk, "cashier.notifications", f"payment:{deposit.public_id}") == 0
    asked = desk.request(player, "60.00")
    desk.approve(asked.public_id)
    assert work_off(desk, "cashier.payouts", f"withdrawal:{asked.id}") == 1
    wait_for(lambda: desk.notifications(asked.public_id))
    assert work_off(desk, "cashier.notifications", f"payment:{asked.public_id}") == 1
    assert desk.withdrawal(asked.public_id).status == "paid"
    assert held(desk, player) == (eur("40.00"), eur("0"))


def test_an_approval_survives_a_provider_that_is_away(desk: Desk) -> None:
    relay_tenant(desk.tenant)
    player = funded(desk)
    asked = desk.request(player, "60.00")
    desk.approve(asked.public_id)
    data = desk.psp.config.parent
    desk.psp.stop()
    try:
        assert work_off(desk, "cashier.payouts", f"withdrawal:{asked.id}") == 0
        assert desk.withdrawal(asked.public_id).status == "approved"
    finally:
        desk.psp.begin(data)
    wait_for(lambda: work_off(desk, "cashier.payouts", f"withdrawal:{asked.id}"), 20)
    desk.heard(asked.public_id)
    assert desk.withdrawal(asked.public_id).status == "paid"


@pytest.mark.parametrize(
    ("currency", "method", "amount", "out", "minor"),
    [
        ("SEK", "card", "100.00", "0.01", 10_000),
        ("JPY", "card", "1000", "999", 1000),
        ("KWD", "card", "3.001", "0.001", 3001),
        ("BTC", "bitcoin", "0.00012345", "0.00000001", 12345),
    ],
)
def test_money_of_every_shape_comes_in_and_goes_out_to_the_unit(
    desk: Desk, currency: str, method: str, amount: str, out: str, minor: int
) -> None:
    player = desk.player(currency=currency)
    deposit = desk.start(player, amount, method=method)
    at_psp = desk.psp.control(f"/payments?reference={deposit.public_id}", "GET")["items"][0]
    assert (at_psp["amount"], at_psp["currency"]) == (minor, currency)
    desk.pay(deposit)
    desk.heard(deposit.public_id)
    assert desk.cash(player) == parse(amount, currency)
    asked = cashier.withdrawals.request(desk.tenant, player, parse(out, currency), method)
    desk.approve(asked.public_id)
    desk.send_payouts(asked.public_id)
    desk.heard(asked.public_id)
    payout = desk.psp.control(f"/payouts?reference={asked.public_id}", "GET")["items"][0]
    assert payout["amount"] == to_minor(parse(out, currency))
    assert held(desk, player) == (parse(amount, currency) - parse(out, currency), Money(0, currency))
    assert desk.faults() == []


def test_what_cannot_be_paid_out_stays_on_the_balance(desk: Desk) -> None:
    player = desk.player(currency="JPY")
    deposit = desk.start(player, "1000")
    desk.pay(deposit)
    desk.heard(deposit.public_id)
    with money_work(desk.tenant) as work:
        pockets = wallet.find_pockets(work, player.owner, "JPY")
        assert pockets is not None
        house = wallet.house_pocket(work, "adjustment", "JPY")
        wallet.adjust(
            work, source=0, ref=f"test-{player.public_id}", pockets=pockets, pocket=pockets.cash, house=house,
            money=parse("0.5", "JPY"), to_player=True,
        )  # fmt: skip
    assert desk.cash(player) == parse("1000.5", "JPY")
    with pytest.raises(Exception, match="amount_too_fine"):
        cashier.withdrawals.request(desk.tenant, player, parse("1000.5", "JPY"), "card")
    assert cashier.withdrawals.request(desk.tenant, player, parse("1000", "JPY"), "card").status == "waiting"
    assert desk.cash(player) == parse("0.5", "JPY")


def test_a_swedish_player_needs_identity_and_limit_first(desk: Desk, bravo: object) -> None:
    theirs = tenancy.site_of("bravo.localhost").tenant
    assert theirs is not None
    there = Desk(theirs, "bravo.localhost", desk.psp, tenancy.integrations_of(theirs, "pay")[0])
    with pytest.raises(Exception, match="identity_required"):
        there.start(there.player(verified=False), "100.00")
    player = there.player()
    with pytest.raises(Exception, match="limit_required"):
        there.start(player, "100.00")
    with money_work(theirs) as work:
        compliance.set_deposit_limit(work, player, "day", parse("500.00", "SEK"))
    assert there.paid(player, "500.00").status == "settled"
    assert there.cash(player) == parse("500.00", "SEK")
    with pytest.raises(Exception, match="limit_reached"):
        there.start(player, "100.00")
    assert there.faults() == []


def test_an_unproven_player_is_held_to_the_threshold_and_told_why(desk: Desk) -> None:
    player = desk.player(verified=False)
    assert desk.start(player, "1999.99").status == "redirected"
    with pytest.raises(Exception, match="identity_required"):
        desk.start(player, "10.00")

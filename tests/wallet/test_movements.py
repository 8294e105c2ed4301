"""What each movement does, exactly, and what it answers when the message comes again."""

from __future__ import annotations

import psycopg
import pytest

from wallet.conftest import Till
from whitefelt import wallet
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.money import Money
from whitefelt.wallet import Cap, call


def test_deposit_is_booked_once_however_often_it_comes(till: Till):
    ref = till.ref()
    first, again = till.deposit(100, ref), till.deposit(100, ref)
    assert first.posted and not first.replayed
    assert again.posted and again.replayed and again.journal_id == first.journal_id
    assert again.balances == first.balances
    assert till.cash() == 100


def test_same_reference_with_other_data_is_a_conflict_and_moves_nothing(till: Till):
    ref = till.ref()
    till.deposit(100, ref)
    assert till.deposit(101, ref).status == "transaction_conflict"
    assert till.cash() == 100


def test_a_round_that_is_won(till: Till):
    till.deposit(100)
    assert till.bet(10).balances[till.pockets.cash] == 90 * till.scale
    with unit_of_work(till.tenant) as work:
        [hold] = wallet.holds(work, till.pockets, open_only=True)
        assert hold.held == till.money(10)
    assert till.win(18).posted
    assert till.cash() == 108
    with unit_of_work(till.tenant) as work:
        assert wallet.holds(work, till.pockets, open_only=True) == []
        [hold] = wallet.holds(work, till.pockets)
        assert (hold.staked, hold.won, hold.held) == (till.money(10), till.money(18), till.money(0))


def test_a_replayed_win_answers_with_the_first_balance_and_tells_the_current_one(till: Till):
    till.deposit(100)
    till.bet(10)
    first = till.win(18, ref := till.ref())
    till.bet(50, round_ref="r2")
    again = till.win(18, ref)
    assert again.replayed and again.balances == first.balances
    assert again.current[till.pockets.cash] == 58 * till.scale


def test_too_little_money_is_refused_and_the_refusal_is_remembered(till: Till):
    till.deposit(5)
    ref = till.ref()
    assert till.bet(6, ref).status == "insufficient_funds"
    till.deposit(100)
    again = till.bet(6, ref)
    assert (again.status, again.replayed) == ("insufficient_funds", True)
    assert till.cash() == 105
    assert till.bet(6).posted


def test_stakes_draw_on_pockets_in_the_order_asked(till: Till):
    till.deposit(10)
    till.grant(30)
    cash, bonus = till.pockets.cash, till.pockets.bonus
    first = till.bet(15, round_ref="a")
    assert [(leg.debit, leg.units // till.scale) for leg in first.split] == [(cash, 10), (bonus, 5)]
    till.deposit(10)
    second = till.bet(5, round_ref="b", order="bonus_first")
    assert [(leg.debit, leg.units // till.scale) for leg in second.split] == [(bonus, 5)]
    third = till.bet(9, round_ref="c", order="proportional")  # 10 cash, 20 bonus
    assert [(leg.debit, leg.units // till.scale) for leg in third.split] == [(cash, 3), (bonus, 6)]
    assert third.balances == {cash: 7 * till.scale, bonus: 14 * till.scale}


def test_proportional_rounding_never_loses_or_invents_a_unit(till: Till):
    with money_work(till.tenant) as work:
        wallet.deposit(
            work, source=till.source, ref=till.ref(), pockets=till.pockets, money=Money(10, "EUR"), house=till.psp
        )
    till.grant(1)
    out = wallet.stake(
        till.tenant, source=till.source, ref=till.ref(), digest=b"", pockets=till.pockets, money=Money(333_333, "EUR"),
        house=till.house, round_ref="p", label={}, order="proportional",
    )  # fmt: skip
    assert sum(leg.units for leg in out.split) == 333_333
    assert sum(out.balances.values()) == 10 + till.scale - 333_333


def test_a_refund_returns_each_part_to_the_pocket_it_came_from_and_only_once(till: Till):
    till.deposit(10)
    till.grant(30)
    till.bet(15, bet := till.ref())
    assert till.refund(bet).posted
    assert till.balances().cash == till.money(10) and till.balances().bonus == till.money(30)
    second = till.refund(bet)
    assert second.posted and second.detail["restored_units"] == 0
    assert till.balances().stakeable == till.money(40)


def test_a_refund_that_overtakes_its_bet_leaves_a_tombstone(till: Till):
    till.deposit(10)
    bet = till.ref()
    assert till.refund(bet).posted
    assert till.bet(5, bet).status == "transaction_rolled_back"
    assert till.cash() == 10
    assert till.bet(5).posted, "another bet is not affected"


def test_a_bet_refunded_after_its_round_closed_comes_from_the_house(till: Till):
    till.deposit(10)
    till.bet(5, bet := till.ref())
    till.win(0)
    assert till.refund(bet).posted
    assert till.cash() == 10


def test_a_refund_that_closes_ends_the_round_also_when_its_bet_never_arrived_or_was_refused(till: Till):
    till.deposit(10)
    for number, bet in enumerate((till.ref(), till.ref())):
        round_ref = f"close-{number}"
        till.bet(4, round_ref=round_ref)
        if number:
            assert till.bet(99, bet, round_ref=round_ref).status == "insufficient_funds"
        assert till.refund(bet, close=True, round_ref=round_ref).posted
        with unit_of_work(till.tenant) as work:
            hold = wallet.holds(work, till.pockets)[0]
        assert (hold.held, hold.restored, hold.staked) == (till.money(0), till.money(0), till.money(4))
        assert hold.closed_at is not None
    assert till.cash() == 2
    till.bet(1, bet := till.ref(), round_ref="both")
    assert till.refund(bet, close=True, round_ref="both").posted
    assert till.cash() == 2
    with unit_of_work(till.tenant) as work:
        assert wallet.holds(work, till.pockets, open_only=True) == []


def test_a_win_can_be_taken_back_but_not_below_the_floor_unless_asked(till: Till):
    till.deposit(10)
    till.bet(10)
    till.win(20, win := till.ref(), close=False)
    till.bet(15, round_ref="r2")
    assert till.refund(win, target_kind="settle").status == "insufficient_funds"
    assert till.cash() == 5
    assert till.refund(win, target_kind="settle", below_floor=True).status == "posted"
    assert till.cash() == -15


def test_a_win_without_a_bet_is_not_paid_and_not_remembered(till: Till):
    till.deposit(10)
    ref = till.ref()
    assert till.win(5, ref).status == "hold_unknown"
    till.bet(1)
    assert till.win(5, ref).posted
    assert till.cash() == 14
    assert till.win(5, round_ref="free", need_round=False).posted


def test_a_closed_round_takes_no_bet_but_pays_a_late_win(till: Till):
    till.deposit(10)
    till.bet(1)
    till.win(0)
    assert till.bet(1).status == "hold_closed"
    assert till.win(3).posted
    assert till.cash() == 12


def test_two_players_may_share_a_round_reference(till: Till, alpha):
    from wallet.conftest import open_till

    other = open_till(alpha)
    for one in (till, other):
        one.deposit(10)
        assert one.bet(4, round_ref="table-7").posted
    till.win(8, round_ref="table-7")
    assert (till.cash(), other.cash()) == (14, 6)


def test_zero_stake_and_zero_win_are_legal(till: Till):
    assert till.bet(0).posted
    assert till.win(0).posted
    assert till.cash() == 0


def test_a_negative_stake_is_refused_by_the_database_itself(till: Till):
    till.deposit(10)
    arguments = (
        till.source, till.ref(), b"", till.pockets.cash, [till.pockets.cash], "ordered", -1, till.house.escrow,
        till.house.gaming, "r", {}, False, None, [],
    )  # fmt: skip
    with pytest.raises(psycopg.Error):
        call.one_trip(till.tenant, "wallet_stake", arguments)
    assert till.cash() == 10
    call.one_trip(till.tenant, "wallet_stake", (*arguments[:6], 10 * till.scale, *arguments[7:]))
    assert till.cash() == 0


def test_stakes_stop_at_once_while_wins_and_refunds_pass(till: Till):
    till.deposit(10)
    till.bet(4, bet := till.ref())
    with money_work(till.tenant) as work:
        wallet.set_stakes_allowed(work, till.pockets, False)
    assert till.bet(1).status == "stakes_not_allowed"
    assert till.win(1, close=False).posted
    assert till.refund(bet).posted
    with money_work(till.tenant) as work:
        wallet.set_stakes_allowed(work, till.pockets, True)
    assert till.bet(1).posted


def test_caps_read_under_old_terms_are_refused_and_not_remembered(till: Till):
    till.deposit(10)
    with unit_of_work(till.tenant) as work:
        old = wallet.terms(work, till.pockets)
    with money_work(till.tenant) as work:
        new = wallet.set_stakes_allowed(work, till.pockets, True)
    ref = till.ref()
    assert till.bet(1, ref, terms=old).status == "terms_changed"
    assert till.bet(1, ref, terms=new).posted


@pytest.mark.parametrize(("amount", "passes"), [(29, True), (30, True), (31, False)])
def test_a_cap_is_exact(till: Till, amount: int, passes: bool):
    till.deposit(70, caps=(Cap("deposit:day", "2026-11-22", 70 * till.scale, 100 * till.scale),))
    out = till.deposit(amount, caps=(Cap("deposit:day", "2026-11-22", amount * till.scale, 100 * till.scale),))
    assert out.posted is passes
    if not passes:
        assert out.status == "cap_reached" and out.detail["counter"] == "deposit:day"
    tomorrow = Cap("deposit:day", "2026-11-23", 100 * till.scale, 100 * till.scale)
    assert till.deposit(100, caps=(tomorrow,)).posted


def test_nothing_is_advanced_unless_all_caps_pass(till: Till):
    day, week = Cap("d", "1", 50, 100), Cap("w", "1", 50, 40)
    with money_work(till.tenant) as work:
        assert (
            wallet.claim(work, source=0, ref=till.ref(), pockets=till.pockets, caps=[day, week]).status == "cap_reached"
        )
        assert wallet.claim(work, source=0, ref=till.ref(), pockets=till.pockets, caps=[Cap("d", "1", 100, 100)]).posted
        assert wallet.claim(work, source=0, ref=till.ref(), pockets=till.pockets, caps=[Cap("d", "1", -30)]).posted
        assert wallet.claim(work, source=0, ref=till.ref(), pockets=till.pockets, caps=[Cap("d", "1", 30, 100)]).posted
        assert not wallet.claim(
            work, source=0, ref=till.ref(), pockets=till.pockets, caps=[Cap("d", "1", 1, 100)]
        ).posted


def test_a_gap_between_stakes_is_kept(till: Till):
    till.deposit(10)
    slow = (Cap("cycle", "", 0, None, gap_ms=60_000),)
    assert till.bet(1, caps=slow, round_ref="a").posted
    assert till.bet(1, caps=slow, round_ref="b").status == "cap_reached"
    assert till.bet(1, round_ref="c").posted


def test_a_withdrawal_is_pending_at_once_then_paid_or_released_once(till: Till):
    till.deposit(108)
    with money_work(till.tenant) as work:
        ref = till.ref("withdrawal")
        out = wallet.reserve(work, source=0, ref=ref, pockets=till.pockets, money=till.money(60))
        assert out.posted
    assert (till.balances().cash, till.balances().pending) == (till.money(48), till.money(60))
    with money_work(till.tenant) as work:
        back = wallet.release(work, source=0, ref=f"{ref}:back", reserve_ref=ref, pockets=till.pockets)
        late = wallet.pay_out(work, source=0, ref=f"{ref}:paid", reserve_ref=ref, house=till.psp, pockets=till.pockets)
    assert back.posted and late.status == "already_closed"
    assert (till.balances().cash, till.balances().pending) == (till.money(108), till.money(0))
    with money_work(till.tenant) as work:
        second = till.ref("withdrawal")
        wallet.reserve(work, source=0, ref=second, pockets=till.pockets, money=till.money(60))
        paid = wallet.pay_out(
            work, source=0, ref=f"{second}:paid", reserve_ref=second, house=till.psp, pockets=till.pockets
        )
        assert paid.posted
    assert (till.balances().cash, till.balances().pending) == (till.money(48), till.money(0))


def test_every_debit_and_credit_is_in_the_statement(till: Till):
    till.deposit(100)
    till.bet(10)
    till.win(18)
    with money_work(till.tenant) as work:
        wallet.reserve(work, source=0, ref=till.ref(), pockets=till.pockets, money=till.money(60))
    with unit_of_work(till.tenant) as work:
        lines = list(reversed(wallet.statement(work, till.pockets)))
    told = [(line.kind, line.pocket, line.amount.units // till.scale, line.after.units // till.scale) for line in lines]
    assert told == [
        ("deposit", "cash", 100, 100), ("stake", "cash", -10, 90), ("settle", "cash", 18, 108),
        ("reserve", "cash", -60, 48), ("reserve", "pending", 60, 60),
    ]  # fmt: skip


def test_pages_of_a_statement_lose_nothing(till: Till):
    till.deposit(100)
    for number in range(7):
        till.bet(1, round_ref=f"p{number}")
        till.win(number % 2, round_ref=f"p{number}")
    with unit_of_work(till.tenant) as work:
        whole = wallet.statement(work, till.pockets, limit=100)
        pages, before = [], None
        while page := wallet.statement(work, till.pockets, before=before, limit=2):
            assert len(page) == 2 or page[-1].kind == "deposit"
            pages += page
            before = page[-1].journal_id
    assert pages == whole and len(whole) == 1 + 7 + 3


@pytest.mark.parametrize(("currency", "scale"), [("JPY", 10**6), ("KWD", 10**6), ("BTC", 10**8), ("ETH", 10**9)])
def test_other_currencies_keep_their_scale(alpha, currency: str, scale: int):
    from wallet.conftest import open_till

    till = open_till(alpha, currency, scale)
    till.deposit(3)
    assert till.bet(1).posted and till.win(2).posted
    assert till.balances().cash == Money(4 * scale, currency)


def test_an_operation_never_mixes_currencies(till: Till, alpha):
    from wallet.conftest import open_till

    yen = open_till(alpha, "JPY")
    with pytest.raises(Exception, match="currencies"), money_work(till.tenant) as work:
        wallet.deposit(
            work, source=till.source, ref=till.ref(), pockets=till.pockets, money=till.money(1), house=yen.psp
        )


def test_a_correction_of_bonus_money_stands_in_the_statement_too(till: Till):
    """It was filed under the bonus pocket, and statements read what is filed under cash: it was nowhere to be seen."""
    with money_work(till.tenant) as work:
        house = wallet.house_pocket(work, "adjustment", "EUR")
        for pocket in (till.pockets.cash, till.pockets.bonus):
            wallet.adjust(
                work, source=0, ref=till.ref(), pockets=till.pockets, pocket=pocket, money=till.money(5), house=house,
                to_player=True,
            )  # fmt: skip
        lines = wallet.statement(work, till.pockets)
    assert [(line.kind, line.pocket) for line in lines] == [("adjust", "bonus"), ("adjust", "cash")]

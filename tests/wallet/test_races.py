"""Real threads on one wallet: duplicates, overdrafts, caps and crossing references decide without a race."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg

from wallet.conftest import Till, open_till
from whitefelt import wallet
from whitefelt.kernel import settings
from whitefelt.kernel.db import unit_of_work
from whitefelt.wallet import Cap


def together(count: int, act) -> list:
    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(act, number) for number in range(count)]]


def test_one_message_twenty_times_at_once_is_one_bet(till: Till):
    till.deposit(100)
    for _ in range(10):
        ref = till.ref()
        before = till.cash()
        outcomes = together(20, lambda _, ref=ref: till.bet(1, ref))
        assert {out.status for out in outcomes} == {"posted"}
        assert sum(not out.replayed for out in outcomes) == 1
        assert len({out.journal_id for out in outcomes}) == 1
        assert till.cash() == before - 1


def test_draining_a_balance_never_overdraws(till: Till):
    till.deposit(100)
    outcomes = together(20, lambda number: till.bet(7, round_ref=f"r{number}"))
    assert sum(out.posted for out in outcomes) == 14
    assert {out.status for out in outcomes if not out.posted} == {"insufficient_funds"}
    assert till.cash() == 2


def test_parallel_deposits_never_pass_a_cap_by_one_unit(till: Till):
    ceiling = 100 * till.scale
    outcomes = together(16, lambda _: till.deposit(9, caps=(Cap("deposit:day", "d", 9 * till.scale, ceiling),)))
    assert sum(out.posted for out in outcomes) == 11
    assert till.cash() == 99


def test_bet_and_its_refund_at_once_end_equal_whoever_comes_first(till: Till):
    till.deposit(50)
    for number in range(15):
        ref = till.ref()
        till_outcomes = together(2, lambda which, ref=ref, n=number: (
            till.bet(5, ref, round_ref=f"x{n}") if which else till.refund(ref)))  # fmt: skip
        assert {out.status for out in till_outcomes} <= {"posted", "transaction_rolled_back"}
        assert till.cash() == 50


def test_one_reference_used_for_two_players_moves_one_of_them(till: Till, alpha):
    other = open_till(alpha)
    till.deposit(10)
    other.deposit(10)
    for _ in range(10):
        ref = till.ref()
        before = till.cash() + other.cash()
        outcomes = together(2, lambda which, ref=ref: (till if which else other).bet(1, ref, digest=b"%d" % which))
        assert sorted(out.status for out in outcomes) == ["posted", "transaction_conflict"]
        assert till.cash() + other.cash() == before - 1


def test_crossing_transfers_between_many_players_do_not_deadlock(alpha):
    tills = [open_till(alpha) for _ in range(4)]
    for one in tills:
        one.deposit(1000)
        one.grant(1000)

    def act(number: int) -> bool:
        one = tills[number % 4]
        order = ("cash_first", "bonus_first", "proportional")[number % 3]
        bet = one.bet(2, ref := one.ref(), round_ref=f"d{number}", order=order)
        won = one.win(1, round_ref=f"d{number}", close=number % 2 == 0)
        return bet.posted and won.posted and one.refund(ref).posted

    assert all(together(48, act))
    for one in tills:
        assert one.balances().stakeable == one.money(2012)


def test_snapshots_taken_meanwhile_always_add_to_zero(alpha):
    """Jepsen's bank test: whatever moves, every snapshot of all accounts has the same total."""
    tills = [open_till(alpha) for _ in range(4)]
    for one in tills:
        one.deposit(100)

    def act(number: int) -> list[int]:
        one = tills[number % 4]
        if number % 8 == 7:
            with unit_of_work(alpha) as work:
                return [int(row["total"]) for row in wallet.figures(work)]
        one.bet(1, round_ref=f"s{number}")
        one.win(2, round_ref=f"s{number}")
        return []

    totals = [total for result in together(48, act) for total in result]
    assert totals and set(totals) == {0}


def test_bets_survive_the_death_of_every_pooled_connection(till: Till, servers):
    till.deposit(50)
    together(8, lambda number: till.bet(1, round_ref=f"warm{number}"))
    with psycopg.connect(servers.postgres.superuser_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'whitefelt-money'"
        )
    assert all(out.posted for out in together(8, lambda number: till.bet(1, round_ref=f"after{number}")))
    assert till.cash() == 34


def test_a_held_lock_of_one_player_does_not_stop_the_others(till: Till, alpha):
    other = open_till(alpha)
    other.deposit(10)
    till.deposit(10)
    with psycopg.connect(settings.current().databases["default"]) as connection:
        connection.execute(f"SELECT id FROM {alpha.schema}.pockets WHERE id = %s FOR UPDATE", (till.pockets.cash,))
        assert other.bet(1).posted
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(till.bet, 1)
            assert other.bet(1).posted
            assert not waiting.done()
            connection.rollback()
            assert waiting.result(timeout=5).posted

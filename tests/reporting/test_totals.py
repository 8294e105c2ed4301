"""Daily totals: every posting once, on its day in the operator's time zone; and the check that finds what is wrong."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, date, datetime

import psycopg
import pytest
from psycopg import sql

from whitefelt import reporting, wallet
from whitefelt.app import wire
from whitefelt.facts.money import MoneyPosted
from whitefelt.kernel import clock, db, drain, ids, settings
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.money import Money
from whitefelt.kernel.relay_pass import relay_tenant
from whitefelt.reporting import rules
from whitefelt.reporting.handlers import fold_house
from whitefelt.tenancy import provision

_number = itertools.count(1)


def euro(amount: int) -> Money:
    return Money(amount * 10**6, "EUR")


@pytest.fixture
def tenant(platform: object) -> TenantRef:
    """A tenant of its own, so that its totals are this test's."""
    return provision(f"report-{ids.base32(6)}", "Reported", "Europe/Stockholm")


def fold(tenant: TenantRef) -> None:
    """Relay the journal and fold what was passed, as relay and worker do."""
    wire()
    while relay_tenant(tenant).rows:
        pass
    drain.fold(tenant, reporting.CONSUMER)


def faults(tenant: TenantRef) -> list[str]:
    with db.unit_of_work(tenant) as work:
        found = reporting.verify(work)
    assert {fault.code for fault in found} <= {"daily_total_differs"}
    return [f"{fault.subject}: {fault.detail}" for fault in found]


def today(tenant: TenantRef) -> reporting.Day:
    with db.unit_of_work(tenant) as work:
        return reporting.daily(work, "EUR", 14)[-1]


class Life:
    """A player's movements in that tenant, amounts in whole euro."""

    def __init__(self, tenant: TenantRef) -> None:
        self.tenant = tenant
        with db.money_work(tenant) as work:
            self.pockets = wallet.open_pockets(work, f"player:{uuid.uuid4()}", "EUR")
            self.house = wallet.play_house(work, "EUR")
            self.psp = wallet.house_pocket(work, "psp:1", "EUR")

    def ref(self) -> str:
        return f"t-{next(_number)}-{uuid.uuid4().hex[:8]}"

    def deposit(self, amount: int) -> None:
        with db.money_work(self.tenant) as work:
            assert wallet.deposit(
                work, source=0, ref=self.ref(), pockets=self.pockets, money=euro(amount), house=self.psp
            ).posted  # fmt: skip

    def round(self, staked: int, won: int) -> None:
        name = self.ref()
        assert self.bet(name, staked).posted
        assert wallet.settle(
            self.tenant, source=0, ref=self.ref(), digest=b"w", pockets=self.pockets,
            parts=[(self.pockets.cash, euro(won))], house=self.house, round_ref=name, label={}, close=True,
            need_round=True,
        ).posted  # fmt: skip

    def bet(self, name: str, staked: int, ref: str | None = None, *, close: bool = False) -> wallet.Outcome:
        return wallet.stake(
            self.tenant, source=0, ref=ref or self.ref(), digest=b"d", pockets=self.pockets, money=euro(staked),
            house=self.house, round_ref=name, label={}, close=close,
        )  # fmt: skip

    def refund(self, target: str) -> None:
        assert wallet.restore(
            self.tenant, source=0, ref=self.ref(), digest=b"r", pockets=self.pockets, target_ref=target,
            target_kind="stake", house=self.house,
        ).posted  # fmt: skip

    def withdraw(self, amount: int, *, paid: bool) -> None:
        reserve = self.ref()
        with db.money_work(self.tenant) as work:
            assert wallet.reserve(work, source=0, ref=reserve, pockets=self.pockets, money=euro(amount)).posted
        with db.money_work(self.tenant) as work:
            if paid:
                done = wallet.pay_out(
                    work, source=0, ref=self.ref(), reserve_ref=reserve, house=self.psp, pockets=self.pockets
                )
            else:
                done = wallet.release(work, source=0, ref=self.ref(), reserve_ref=reserve, pockets=self.pockets)
        assert done.posted


def test_a_day_of_a_players_life_adds_up_exactly(tenant: TenantRef) -> None:
    life = Life(tenant)
    life.deposit(100)
    life.round(10, 18)
    life.round(5, 0)
    life.withdraw(60, paid=True)
    life.withdraw(20, paid=False)
    open_round, taken_back = life.ref(), life.ref()
    life.bet(open_round, 3, taken_back)
    life.bet(open_round, 2)
    life.refund(taken_back)
    fold(tenant)
    day = today(tenant)
    assert (day.deposits, day.withdrawals) == (euro(100), euro(60))
    assert (day.stakes, day.wins, day.ggr) == (euro(15), euro(18), euro(-3))
    assert day.total("stake").money == euro(20) and day.total("stake_returned").money == euro(3)
    assert day.total("withdrawal_requested").postings == 2
    assert day.total("withdrawal_returned").money == euro(20)
    assert faults(tenant) == []
    with db.unit_of_work(tenant) as work:
        assert reporting.currencies(work) == ["EUR"]
        days = reporting.daily(work, "EUR", 14)
        assert len(days) == 14 and all(day.ggr == euro(0) for day in days[:-1])
        assert reporting.daily(work, "SEK")[-1].deposits == Money(0, "SEK")


def test_ggr_counts_a_stake_when_its_round_ends_and_what_is_given_back_afterwards(tenant: TenantRef) -> None:
    life = Life(tenant)
    life.deposit(100)
    name, ref = life.ref(), life.ref()
    life.bet(name, 10, ref)
    fold(tenant)
    assert today(tenant).ggr == euro(0)
    life.bet(name, 1, close=True)
    fold(tenant)
    assert today(tenant).ggr == euro(11)
    life.refund(ref)
    fold(tenant)
    assert (today(tenant).stakes, today(tenant).ggr) == (euro(1), euro(1))
    assert faults(tenant) == []


def test_nothing_counts_twice_and_later_rows_are_not_yet_missed(tenant: TenantRef) -> None:
    life = Life(tenant)
    life.deposit(100)
    fold(tenant)
    fold(tenant)
    assert today(tenant).total("deposit").postings == 1
    life.deposit(50)
    assert faults(tenant) == []  # beyond the cursor
    fold(tenant)
    assert today(tenant).deposits == euro(150)


def test_the_houses_balances_are_folded_by_the_minute_and_stay_the_same(tenant: TenantRef) -> None:
    life = Life(tenant)
    life.deposit(100)
    life.round(10, 4)
    fold(tenant)

    def gaming() -> Money:
        with db.unit_of_work(tenant) as work:
            return wallet.house_balance(work, life.house.gaming, "EUR")

    assert gaming() == euro(6)
    fold_house(tenant, clock.now())
    with db.unit_of_work(tenant) as work:
        assert wallet.verify(work, [0]) == []
        folded = work.session.connection().exec_driver_sql("SELECT max(through_id) FROM house_folds").scalar_one()
        assert folded == reporting.figures_through(work) > 0
    assert gaming() == euro(6)
    life.round(10, 0)
    assert gaming() == euro(16)
    fold_house(tenant, clock.now())
    assert gaming() == euro(16)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE daily_totals SET units = units + 1 WHERE kind = 'deposit'",
        "UPDATE daily_totals SET postings = postings + 1 WHERE kind = 'deposit'",
        "UPDATE daily_totals SET day = day - 1 WHERE kind = 'deposit'",
        "UPDATE daily_totals SET kind = 'win' WHERE kind = 'deposit'",
        "DELETE FROM daily_totals WHERE kind = 'deposit'",
    ],
)
def test_the_check_finds_totals_that_the_journal_does_not_say(tenant: TenantRef, statement: str) -> None:
    Life(tenant).deposit(100)
    fold(tenant)
    assert faults(tenant) == []
    with psycopg.connect(settings.current().databases[tenant.alias]) as connection:
        connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(tenant.schema)))
        connection.execute(statement)
    assert faults(tenant)


def test_a_movement_before_midnight_belongs_to_its_day_in_the_operators_time_zone(tenant: TenantRef) -> None:
    """22:30 UTC on the 14th is 23:30 in Stockholm, 23:30 UTC is the 15th there."""
    life = Life(tenant)

    def fact(number: int, at: str) -> tuple[int, MoneyPosted]:
        return number, MoneyPosted(
            journal_id=number, source=0, ref=f"x{number}", leg=0, kind="deposit", owner="player:x",
            home_pocket=life.pockets.cash, debit_pocket=life.psp, credit_pocket=life.pockets.cash,
            amount_units=number * 10**6, currency="EUR", posted_at=at,
        )  # fmt: skip

    with db.unit_of_work(tenant) as work:
        reporting.fold_totals(work, [fact(1, "2026-11-14T22:30:00+00:00"), fact(2, "2026-11-14T23:30:00+00:00")])
    with clock.frozen(datetime(2026, 11, 15, 12, tzinfo=UTC)), db.unit_of_work(tenant) as work:
        before, day = reporting.daily(work, "EUR", 2)
    assert (before.day, before.deposits) == (date(2026, 11, 14), euro(1))
    assert (day.day, day.deposits) == (date(2026, 11, 15), euro(2))


@pytest.mark.parametrize(
    ("movement", "debit", "credit", "kind"),
    [
        ("deposit", "psp:3", "cash", "deposit"),
        ("pay_out", "pending", "psp:3", "withdrawal_paid"),
        ("stake", "cash", "escrow", "stake"),
        ("stake", "escrow", "gaming", "stake_settled"),
        ("settle", "escrow", "gaming", "stake_settled"),
        ("settle", "gaming", "bonus", "win"),
        ("restore", "escrow", "cash", "stake_returned"),
        ("restore", "gaming", "cash", "stake_returned_settled"),
        ("restore", "cash", "gaming", "win_taken_back"),
        ("restore", "escrow", "gaming", "stake_settled"),
        ("adjust", "adjustment", "cash", "adjustment_in"),
        ("adjust", "cash", "adjustment", "adjustment_out"),
        ("bonus_convert", "bonus", "cash", "bonus_convert"),
        ("something_new", "cash", "gaming", "other"),
    ],
)
def test_meaning(movement: str, debit: str, credit: str, kind: str) -> None:
    assert rules.meaning(movement, debit, credit) == kind
    assert kind in reporting.KINDS

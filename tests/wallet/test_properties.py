"""A state machine against the real wallet: any sequence of movements, repeated and out of order, agrees with a model.

The model is plain arithmetic over Python dicts; it shares no code with the SQL functions.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from wallet.conftest import Till, open_till
from whitefelt import tenancy, wallet
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.money import Money

AMOUNTS = st.integers(0, 40)
ROUNDS = st.sampled_from(["r1", "r2", "r3"])
TENANT: list[Any] = []


class WalletMachine(RuleBasedStateMachine):
    """Bets, wins, refunds (also early, late and twice), deposits, withdrawals and their ends."""

    bets = Bundle("bets")
    reserves = Bundle("reserves")

    @initialize()
    def open(self) -> None:
        self.till: Till = open_till(TENANT[0])
        self.cash = self.pending = 0
        self.bet_of: dict[str, tuple[int, str]] = {}
        self.state: dict[str, str] = {}
        self.held: dict[str, int] = {}
        self.closed: set[str] = set()
        self.reserved: dict[str, int] = {}
        self.answers: dict[str, str] = {}

    @rule(amount=AMOUNTS)
    def deposit(self, amount: int) -> None:
        assert self.till.deposit(amount).posted
        self.cash += amount

    @rule(target=bets, amount=AMOUNTS, round_ref=ROUNDS)
    def bet(self, amount: int, round_ref: str) -> str:
        ref = self.till.ref()
        self.bet_of[ref] = (amount, round_ref)
        self._play(ref)
        return ref

    @rule(target=bets, amount=AMOUNTS, round_ref=ROUNDS)
    def bet_that_is_late(self, amount: int, round_ref: str) -> str:
        """Only announced: its refund may overtake it, `repeat` sends it."""
        ref = self.till.ref()
        self.bet_of[ref] = (amount, round_ref)
        return ref

    @rule(ref=bets)
    def repeat(self, ref: str) -> None:
        self._play(ref)

    def _play(self, ref: str) -> None:
        amount, round_ref = self.bet_of[ref]
        out = self.till.bet(amount, ref, round_ref=round_ref)
        if ref in self.state:
            assert out.replayed and out.status == self.answers[ref], ref
            return
        if round_ref in self.closed:
            expected = "hold_closed"
        elif amount > self.cash:
            expected = "insufficient_funds"
        else:
            expected = "posted"
            self.cash -= amount
            self.held[round_ref] = self.held.get(round_ref, 0) + amount
        assert out.status == expected
        self.state[ref] = self.answers[ref] = expected

    @rule(ref=bets)
    def refund(self, ref: str) -> None:
        amount, round_ref = self.bet_of[ref]
        assert self.till.refund(ref).posted
        if ref not in self.state:
            self.state[ref], self.answers[ref] = "tombstone", "transaction_rolled_back"
        elif self.state[ref] == "posted":
            self.state[ref] = "refunded"
            self.cash += amount
            if round_ref not in self.closed:
                self.held[round_ref] -= amount

    @rule(amount=AMOUNTS, round_ref=ROUNDS, close=st.booleans())
    def win(self, amount: int, round_ref: str, close: bool) -> None:
        out = self.till.win(amount, ref := self.till.ref(), round_ref=round_ref, close=close)
        if round_ref not in self.held:
            assert out.status == "hold_unknown"
            return
        assert out.posted
        assert self.till.win(amount, ref, round_ref=round_ref, close=close).replayed
        self.cash += amount
        if close:
            self.closed.add(round_ref)
            self.held[round_ref] = 0

    @rule(target=reserves, amount=AMOUNTS)
    def reserve(self, amount: int) -> str:
        ref = self.till.ref()
        with money_work(self.till.tenant) as work:
            out = wallet.reserve(work, source=0, ref=ref, pockets=self.till.pockets, money=self.till.money(amount))
        assert out.posted is (amount <= self.cash)
        if out.posted:
            self.cash -= amount
            self.pending += amount
            self.reserved[ref] = amount
        return ref

    @rule(ref=reserves, pay=st.booleans())
    def end_reserve(self, ref: str, pay: bool) -> None:
        with money_work(self.till.tenant) as work:
            common = {"source": 0, "ref": self.till.ref(), "reserve_ref": ref, "pockets": self.till.pockets}
            out = wallet.pay_out(work, house=self.till.psp, **common) if pay else wallet.release(work, **common)
        if ref not in self.reserved:
            assert out.status in ("already_closed", "target_unknown")
            return
        assert out.posted
        amount = self.reserved.pop(ref)
        self.pending -= amount
        self.cash += 0 if pay else amount

    @invariant()
    def balances_agree(self) -> None:
        if hasattr(self, "till"):
            have = self.till.balances()
            assert have.cash == self.till.money(self.cash)
            assert have.pending == self.till.money(self.pending)

    def teardown(self) -> None:
        if not hasattr(self, "till"):
            return
        with unit_of_work(self.till.tenant) as work:
            for hold in wallet.holds(work, self.till.pockets):
                assert hold.held == Money(self.held.get(hold.ref, 0) * self.till.scale, "EUR"), hold.ref


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        WalletMachine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )  # fmt: skip
    with unit_of_work(TENANT[0]) as work:
        own = [one.id for one in tenancy.integrations_of(TENANT[0])]
        assert wallet.verify(work, own) == []


def test_any_sequence_agrees_with_the_model(alpha):
    TENANT[:] = [alpha]
    run(examples=40, steps=30)


@pytest.mark.long
def test_many_sequences_agree_with_the_model(alpha):
    """1,000 sequences without a failure bound the share of failing ones below 0.3 % (rule of three)."""
    TENANT[:] = [alpha]
    run(examples=1000, steps=50)

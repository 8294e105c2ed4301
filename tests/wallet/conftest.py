"""A funded owner in tenant alpha, and short forms of the movements."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass

import pytest

from whitefelt import wallet
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.money import Money
from whitefelt.wallet import Balances, House, Outcome, Pockets

_number = itertools.count(1)


@dataclass
class Till:
    """One owner's wallet in a test: amounts are whole currency units times 10^6."""

    tenant: TenantRef
    pockets: Pockets
    house: House
    psp: int
    source: int
    scale: int = 10**6

    def money(self, amount: int) -> Money:
        return Money(amount * self.scale, self.pockets.currency)

    def ref(self, word: str = "t") -> str:
        return f"{word}-{next(_number)}-{uuid.uuid4().hex[:8]}"

    def deposit(self, amount: int, ref: str | None = None, caps: tuple[wallet.Cap, ...] = ()) -> Outcome:
        with money_work(self.tenant) as work:
            return wallet.deposit(
                work, source=self.source, ref=ref or self.ref("deposit"), pockets=self.pockets,
                money=self.money(amount), house=self.psp, caps=caps,
            )  # fmt: skip

    def grant(self, amount: int) -> Outcome:
        with money_work(self.tenant) as work:
            cost = wallet.house_pocket(work, "bonus_cost", self.pockets.currency)
            return wallet.bonus(
                work, kind="bonus_grant", source=0, ref=self.ref("grant"), pockets=self.pockets, from_pocket=cost,
                to_pocket=self.pockets.bonus, money=self.money(amount),
            )  # fmt: skip

    def bet(self, amount: int, ref: str | None = None, round_ref: str = "r1", digest: bytes = b"d", **more) -> Outcome:
        return wallet.stake(
            self.tenant, source=self.source, ref=ref or self.ref("bet"), digest=digest, pockets=self.pockets,
            money=self.money(amount), house=self.house, round_ref=round_ref, label={"game": "g"}, **more,
        )  # fmt: skip

    def win(self, amount: int, ref: str | None = None, round_ref: str = "r1", close: bool = True, digest: bytes = b"w",
            need_round: bool = True, to: int | None = None) -> Outcome:  # fmt: skip
        return wallet.settle(
            self.tenant, source=self.source, ref=ref or self.ref("win"), digest=digest, pockets=self.pockets,
            parts=[(to or self.pockets.cash, self.money(amount))], house=self.house, round_ref=round_ref, label={},
            close=close, need_round=need_round,
        )  # fmt: skip

    def refund(self, target: str, ref: str | None = None, digest: bytes = b"r", **more) -> Outcome:
        return wallet.restore(
            self.tenant, source=self.source, ref=ref or self.ref("refund"), digest=digest, pockets=self.pockets,
            target_ref=target, target_kind=more.pop("target_kind", "stake"), house=self.house, **more,
        )  # fmt: skip

    def balances(self) -> Balances:
        with unit_of_work(self.tenant) as work:
            return wallet.balances(work, self.pockets)

    def cash(self) -> int:
        """Cash in whole currency units; fractions would show as an assertion."""
        units = self.balances().cash.units
        assert units % self.scale == 0
        return units // self.scale


def open_till(tenant: TenantRef, currency: str = "EUR", scale: int = 10**6) -> Till:
    from whitefelt import tenancy

    source = tenancy.integrations_of(tenant, "play")[0].id
    with money_work(tenant) as work:
        pockets = wallet.open_pockets(work, f"player:{uuid.uuid4()}", currency)
        house = wallet.play_house(work, currency)
        psp = wallet.house_pocket(work, f"psp:{source}", currency)
    return Till(tenant, pockets, house, psp, source, scale)


@pytest.fixture
def till(alpha: TenantRef) -> Till:
    return open_till(alpha)

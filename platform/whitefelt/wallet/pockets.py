"""Pockets: a player's cash, bonus and pending withdrawals; the house's side of every movement; balances and terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select

from whitefelt.kernel.db import Work
from whitefelt.kernel.money import Money
from whitefelt.wallet import call
from whitefelt.wallet.models import counters, house_folds, journal
from whitefelt.wallet.models import pockets as table

PLAYER_KINDS = ("cash", "bonus", "pending")
HOUSE_OWNER = "house"


@dataclass(frozen=True, slots=True)
class Pockets:
    """Ids of one owner's pockets in one currency. `cash` is the home pocket: its lock guards the owner's caps."""

    cash: int
    bonus: int
    pending: int
    currency: str


@dataclass(frozen=True, slots=True)
class Balances:
    """What an owner has: cash and bonus can be staked, pending waits to be paid out."""

    cash: Money
    bonus: Money
    pending: Money

    @property
    def stakeable(self) -> Money:
        """Cash and bonus together."""
        return self.cash + self.bonus


@dataclass(frozen=True, slots=True)
class House:
    """The house's pockets that play needs in one currency."""

    gaming: int
    escrow: int


def open_pockets(work: Work, owner: str, currency: str) -> Pockets:
    """The owner's pockets in that currency, opened if need be; needs a money_work."""
    ids = call.in_work(work, "wallet_open", (owner, list(PLAYER_KINDS), currency, False))
    return Pockets(ids["cash"], ids["bonus"], ids["pending"], currency)


def find_pockets(work: Work, owner: str, currency: str) -> Pockets | None:
    """The owner's pockets in that currency, None if they were never opened."""
    rows = work.session.execute(
        select(table.c.kind, table.c.id).where(table.c.owner == owner, table.c.currency == currency, ~table.c.is_house)
    ).all()
    ids = {row.kind: int(row.id) for row in rows}
    if not ids:
        return None
    return Pockets(ids["cash"], ids["bonus"], ids["pending"], currency)


def house_pocket(work: Work, kind: str, currency: str) -> int:
    """A pocket of the house (psp:<integration id>, gaming, escrow, adjustment, bonus_cost), opened if need be."""
    found = work.session.scalar(
        select(table.c.id).where(table.c.owner == HOUSE_OWNER, table.c.kind == kind, table.c.currency == currency)
    )
    if found is not None:
        return int(found)
    opened = call.in_work(work, "wallet_open", (HOUSE_OWNER, [kind], currency, True))
    return int(opened[kind])


def play_house(work: Work, currency: str) -> House:
    """The two pockets that rounds need: escrow of open rounds and the house's gaming account."""
    return House(gaming=house_pocket(work, "gaming", currency), escrow=house_pocket(work, "escrow", currency))


def balances(work: Work, pockets: Pockets) -> Balances:
    """The three balances in one read."""
    rows = work.session.execute(
        select(table.c.id, table.c.balance_units).where(table.c.id.in_([pockets.cash, pockets.bonus, pockets.pending]))
    ).all()
    units = {row.id: int(row.balance_units) for row in rows}
    return Balances(
        *(Money(units[pocket_id], pockets.currency) for pocket_id in (pockets.cash, pockets.bonus, pockets.pending))
    )


def set_stakes_allowed(work: Work, pockets: Pockets, allowed: bool) -> int:
    """Allow or stop this owner's stakes from this commit on; returns the new version of the owner's terms.

    Call it after every change of limits or exclusions, also when `allowed` stays the same: caps that were read before
    are refused from then on (`terms_changed`) and read anew.
    """
    version = call.in_work(work, "wallet_set_terms", (pockets.cash, allowed))
    assert version is not None, "no such pocket"
    return int(version)


def renew_terms(work: Work, pockets: Pockets) -> int:
    """Make everything void that was read under this owner's terms so far (a play session ended); the flag stays."""
    return int(call.in_work(work, "wallet_set_terms", (pockets.cash, None)))


def terms(work: Work, pockets: Pockets) -> int:
    """The version of the owner's terms; read it before the caps that go with it."""
    return int(work.session.scalars(select(table.c.terms).where(table.c.id == pockets.cash)).one())


def used(work: Work, pockets: Pockets, windows: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Money]:
    """How far each (counter, window) has been advanced; absent ones are zero."""
    wanted = list(windows)
    if not wanted:
        return {}
    match = or_(*(and_(counters.c.counter == c, counters.c.time_window == w) for c, w in wanted))
    rows = work.session.execute(
        select(counters.c.counter, counters.c.time_window, counters.c.used_units)
        .where(counters.c.pocket_id == pockets.cash, match)
    ).all()  # fmt: skip
    found = {(counter, window): Money(units, pockets.currency) for counter, window, units in rows}
    return {key: found.get(key, Money(0, pockets.currency)) for key in wanted}


def fold_house(work: Work, through_id: int) -> int:
    """Fold house balances through that journal id (one that no open transaction can still undercut); needs money_work."""
    return int(call.in_work(work, "wallet_fold_house", (through_id,)))


def house_balance(work: Work, pocket_id: int, currency: str) -> Money:
    """A house pocket's balance: its fold and what came after it. Negative means that the house gave more than it got."""
    fold = work.session.execute(
        select(house_folds.c.through_id, house_folds.c.balance_units).where(house_folds.c.pocket_id == pocket_id)
    ).one_or_none()
    through, folded = (int(fold[0]), int(fold[1])) if fold else (0, 0)
    tail = 0
    for column, sign in ((journal.c.credit_pocket, 1), (journal.c.debit_pocket, -1)):
        units = work.session.scalar(
            select(func.coalesce(func.sum(journal.c.amount_units), 0)).where(
                journal.c.id > through, column == pocket_id
            )
        )
        tail += sign * int(units or 0)
    return Money(folded + tail, currency)

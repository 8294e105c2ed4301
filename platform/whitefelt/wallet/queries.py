"""Reads of the journal: statements, rounds' holds, and rows for the relay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, or_, select

from whitefelt.facts.money import MoneyPosted
from whitefelt.kernel.db import Work
from whitefelt.kernel.money import Money
from whitefelt.wallet.models import holds as holds_table
from whitefelt.wallet.models import journal
from whitefelt.wallet.models import pockets as pockets_table
from whitefelt.wallet.pockets import Pockets


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One entry in one of the owner's pockets: a debit (negative `amount`) or a credit, and the balance after it.

    `kind` is the movement's: deposit, reserve, pay_out, release, stake, settle, restore, adjust, bonus_*. `label` is what
    the round was opened with (game and the like), empty for other movements.
    """

    journal_id: int
    leg: int
    side: str
    pocket: str
    kind: str
    amount: Money
    after: Money
    source: int
    ref: str
    hold_id: int | None
    round_ref: str | None
    label: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """A round as the wallet sees it: what was staked, given back and won, what is still held, when it ended."""

    id: int
    source: int
    ref: str
    home_pocket: int
    staked: Money
    restored: Money
    won: Money
    held: Money
    label: Mapping[str, Any]
    opened_at: datetime
    closed_at: datetime | None


def statement(work: Work, pockets: Pockets, *, before: int | None = None, limit: int = 50) -> list[StatementLine]:
    """Every debit and credit of the owner's pockets, newest first; `limit` postings older than journal id `before`.

    A posting between two of the owner's own pockets (cash to pending) gives two lines.
    """
    names = {pockets.cash: "cash", pockets.bonus: "bonus", pockets.pending: "pending"}
    # A row between two house pockets (escrow to gaming, when a round ends) is filed here too, and is no line of the owner's.
    touches = or_(journal.c.debit_pocket.in_(names), journal.c.credit_pocket.in_(names))
    query = (
        select(journal, holds_table.c.ref.label("round_ref"), holds_table.c.label)
        .outerjoin(holds_table, holds_table.c.id == journal.c.hold_id)
        .where(journal.c.home_pocket == pockets.cash, journal.c.amount_units > 0, touches)
        .order_by(journal.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(journal.c.id < before)
    lines: list[StatementLine] = []
    for row in work.session.execute(query):
        if row.credit_pocket in names:
            lines.append(_line(row, "credit", names[row.credit_pocket], pockets.currency))
        if row.debit_pocket in names:
            lines.append(_line(row, "debit", names[row.debit_pocket], pockets.currency))
    return lines


def _line(row: Any, side: str, pocket: str, currency: str) -> StatementLine:
    units, after = row.amount_units, row.credit_after_units
    if side == "debit":
        units, after = -row.amount_units, row.debit_after_units
    return StatementLine(
        journal_id=row.id, leg=row.leg, side=side, pocket=pocket, kind=row.kind, amount=Money(units, currency),
        after=Money(after, currency), source=row.source, ref=row.ref, hold_id=row.hold_id, round_ref=row.round_ref,
        label=row.label or {}, created_at=row.created_at,
    )  # fmt: skip


def holds(
    work: Work, pockets: Pockets, *, before: int | None = None, limit: int = 50, open_only: bool = False
) -> list[Hold]:
    """The owner's rounds, newest first, older than hold id `before`."""
    table = holds_table
    query = select(table).where(table.c.home_pocket == pockets.cash).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(table.c.id < before)
    if open_only:
        query = query.where(table.c.closed_at.is_(None))
    return [_hold(row, pockets.currency) for row in work.session.execute(query)]


def _hold(row: Any, currency: str) -> Hold:
    def money(units: int) -> Money:
        return Money(units, currency)

    return Hold(
        id=row.id, source=row.source, ref=row.ref, home_pocket=row.home_pocket, staked=money(row.staked_units),
        restored=money(row.restored_units), won=money(row.won_units), held=money(row.held_units), label=row.label,
        opened_at=row.opened_at, closed_at=row.closed_at,
    )  # fmt: skip


def open_reserve(work: Work, *, source: int, ref: str) -> Money | None:
    """What that reserve still holds for a payout: its amount, None once it was paid, released, refused or never made."""
    ended = journal.alias("ended")
    row = work.session.execute(
        select(journal.c.amount_units, pockets_table.c.currency)
        .join(pockets_table, pockets_table.c.id == journal.c.credit_pocket)
        .outerjoin(ended, ended.c.closes == journal.c.id)
        .where(
            journal.c.source == source, journal.c.ref == ref, journal.c.leg == 0, journal.c.kind == "reserve",
            journal.c.status == "posted", ended.c.id.is_(None),
        )
    ).one_or_none()  # fmt: skip
    return None if row is None else Money(row.amount_units, row.currency)


def journal_rows(work: Work, after_id: int, limit: int) -> Sequence[RowMapping]:
    """Journal rows after an id, in id order, with currency and owner."""
    home = pockets_table
    query = (
        select(journal, home.c.owner, home.c.currency)
        .outerjoin(home, home.c.id == journal.c.home_pocket)
        .where(journal.c.id > after_id)
        .order_by(journal.c.id)
        .limit(limit)
    )
    return work.session.execute(query).mappings().all()


def journal_facts(work: Work, after_id: int, limit: int) -> list[tuple[int, MoneyPosted | None]]:
    """The journal as a stream of facts: every row's id, with a fact where money moved (refusals move none)."""
    return [(row["id"], _fact(row) if row["amount_units"] else None) for row in journal_rows(work, after_id, limit)]


def _fact(row: RowMapping) -> MoneyPosted:
    return MoneyPosted(
        journal_id=row["id"], source=row["source"], ref=row["ref"], leg=row["leg"], kind=row["kind"], owner=row["owner"],
        home_pocket=row["home_pocket"], debit_pocket=row["debit_pocket"], credit_pocket=row["credit_pocket"],
        amount_units=row["amount_units"], currency=row["currency"], posted_at=row["created_at"].isoformat(),
        hold_id=row["hold_id"],
    )  # fmt: skip

"""Does the cashier's book agree with the journal? Read-only; used by `whitefelt ledger verify`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from whitefelt import accounts, wallet
from whitefelt.cashier.models import DepositRow, WithdrawalRow
from whitefelt.cashier.rules import WITHDRAWAL_OPEN
from whitefelt.kernel.db import Work
from whitefelt.kernel.money import Money, decimal

PAGE = 5000


@dataclass(frozen=True, slots=True)
class Fault:
    """One disagreement: a stable `code`, whose (`subject`), and what exactly."""

    code: str
    subject: str
    detail: str


@dataclass(slots=True)
class _Journal:
    """The journal's rows that are ours, by reference; and the owners who ever had money pending."""

    deposits: dict[str, list[Any]] = field(default_factory=dict)
    ours: dict[str, list[Any]] = field(default_factory=dict)
    pending_owners: set[tuple[str, str]] = field(default_factory=set)


def verify(work: Work) -> list[Fault]:
    """Every disagreement between deposits, withdrawals and the journal of this tenant; empty when all is right."""
    journal = _read_journal(work)
    return [
        *_deposit_faults(work, journal),
        *_withdrawal_faults(work, journal),
        *_pending_faults(work, journal),
    ]


def _read_journal(work: Work) -> _Journal:
    found = _Journal()
    after = 0
    while rows := wallet.journal_rows(work, after, PAGE):
        after = rows[-1]["id"]
        for row in rows:
            if row["status"] != "posted" or row["leg"] != 0:
                continue
            if row["kind"] == "deposit":
                found.deposits.setdefault(row["ref"], []).append(row)
            elif row["kind"] in ("reserve", "pay_out", "release"):
                found.ours.setdefault(row["ref"], []).append(row)
                found.pending_owners.add((row["owner"], row["currency"]))
    return found


def _deposit_faults(work: Work, journal: _Journal) -> Iterator[Fault]:
    known = set()
    for row in work.session.scalars(select(DepositRow).order_by(DepositRow.id).execution_options(yield_per=500)):
        subject, ref = f"deposit:{row.reference}", f"deposit:{row.reference}"
        known.add(ref)
        posted = journal.deposits.get(ref, [])
        if row.status != "settled":
            if posted:
                yield Fault("deposit_posted_without_settling", subject, f"it is {row.status} and stands in the journal")
            continue
        if len(posted) != 1:
            yield Fault("deposit_posted_wrong_number", subject, f"{len(posted)} rows in the journal, one is due")
        for one in posted:
            if (one["amount_units"], one["currency"]) != (row.amount_units, row.currency):
                told = Money(one["amount_units"], one["currency"])
                yield Fault("deposit_amount_differs", subject, f"{row.money} was settled, {told} was posted")
            if one["source"] != row.integration_id:
                yield Fault("deposit_source_differs", subject, f"posted by source {one['source']}")
    for ref in journal.deposits.keys() - known:
        yield Fault("deposit_without_row", ref, "a deposit stands in the journal that the cashier does not know")


#: Status of a withdrawal -> the row that must close its reserve, if any.
_CLOSING = {"paid": "paid", "rejected": "released", "failed": "released"}


def _withdrawal_faults(work: Work, journal: _Journal) -> Iterator[Fault]:
    known = set()
    rows = work.session.scalars(select(WithdrawalRow).order_by(WithdrawalRow.id).execution_options(yield_per=500))
    for row in rows:
        subject = f"withdrawal:{row.reference}"
        due = {subject} | ({f"{subject}:{_CLOSING[row.status]}"} if row.status in _CLOSING else set())
        possible = {subject, f"{subject}:paid", f"{subject}:released"}
        known |= possible
        there = {ref for ref in possible if ref in journal.ours}
        for ref in sorted(due - there):
            yield Fault("withdrawal_row_missing", subject, f"it is {row.status}; {ref} is not in the journal")
        for ref in sorted(there - due):
            yield Fault("withdrawal_row_surplus", subject, f"it is {row.status}; {ref} is in the journal")
        for ref in sorted(due & there):
            for one in journal.ours[ref]:
                if (one["amount_units"], one["currency"]) != (row.amount_units, row.currency):
                    told = Money(one["amount_units"], one["currency"])
                    yield Fault("withdrawal_amount_differs", subject, f"{row.money} was asked for, {ref} moved {told}")
    for ref in sorted(journal.ours.keys() - known):
        yield Fault("withdrawal_without_row", ref, "the journal holds it, the cashier does not know it")


def _pending_faults(work: Work, journal: _Journal) -> Iterator[Fault]:
    open_units: dict[tuple[str, str], int] = dict.fromkeys(journal.pending_owners, 0)
    for row in work.session.scalars(select(WithdrawalRow).where(WithdrawalRow.status.in_(WITHDRAWAL_OPEN))):
        owner = accounts.player(work, row.player_id).owner
        open_units[owner, row.currency] = open_units.get((owner, row.currency), 0) + row.amount_units
    for (owner, currency), units in sorted(open_units.items()):
        pockets = wallet.find_pockets(work, owner, currency)
        held = wallet.balances(work, pockets).pending if pockets is not None else Money(0, currency)
        if held.units != units:
            asked = decimal(Money(units, currency))
            yield Fault("pending_differs", owner, f"pending holds {held}, open withdrawals ask for {asked}")

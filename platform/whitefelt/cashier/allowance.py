"""A player's deposit allowance: claimed before the money is asked for, given back once when none comes.

Claimed and given back under the wallet's lock, so that deposits that run in parallel cannot pass a limit together. What
was claimed is kept with the deposit, because it must go back to the same windows (day, week, month) even after
midnight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from whitefelt import compliance, wallet
from whitefelt.cashier.errors import LIMIT_REACHED
from whitefelt.cashier.models import DepositRow
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money, decimal
from whitefelt.wallet import Cap, Outcome, Pockets

#: Our own operations in the journal.
OURS = 0


def claim(work: Work, row: DepositRow, pockets: Pockets, caps: Sequence[Cap]) -> None:
    """Advance the player's counters by this deposit and keep what was claimed in the row; `limit_reached` names the
    counter, its window and what it leaves, unless compliance has a better word for it. Needs a money_work."""
    if not caps:
        return
    outcome = wallet.claim(work, source=OURS, ref=_ref(row), pockets=pockets, caps=caps)
    if outcome.status == "cap_reached":
        raise compliance.cap_problem(str(outcome.detail.get("counter"))) or _limit_reached(outcome, row.currency)
    assert outcome.posted, f"a fresh claim was answered with {outcome.status}"
    row.claims = [{"counter": cap.counter, "window": cap.window, "delta": cap.delta_units} for cap in caps]


def give_back(work: Work, row: DepositRow, pockets: Pockets) -> None:
    """Take the claim of a deposit that brought nothing back, once however often it is called. Needs a money_work."""
    _move(work, row, pockets, f"{_ref(row)}:returned", -1)


def claim_late(work: Work, row: DepositRow, pockets: Pockets) -> None:
    """Count a deposit that was given up and paid after all: the money is here, so no ceiling stops it."""
    _move(work, row, pockets, f"{_ref(row)}:late", 1)


def _move(work: Work, row: DepositRow, pockets: Pockets, ref: str, sign: int) -> None:
    if not row.claims:
        return
    caps = [_counted(one, sign) for one in row.claims]
    outcome = wallet.claim(work, source=OURS, ref=ref, pockets=pockets, caps=caps)
    assert outcome.posted, f"{ref} was answered with {outcome.status}"


def _counted(claimed: dict[str, Any], sign: int) -> Cap:
    return Cap(claimed["counter"], claimed["window"], sign * int(claimed["delta"]))


def _ref(row: DepositRow) -> str:
    return f"allowance:{row.reference}"


def _limit_reached(outcome: Outcome, currency: str) -> Problem:
    told = outcome.detail
    ceiling = int(told.get("ceiling") or 0)
    left = Money(max(ceiling - int(told.get("used_units") or 0), 0), currency)
    return Problem(
        LIMIT_REACHED, f"Your deposit limit of {Money(ceiling, currency)} leaves {left} for now.",
        limit=str(told.get("counter")), window=str(told.get("window")), ceiling=decimal(Money(ceiling, currency)),
        left=decimal(left), currency=currency,
    )  # fmt: skip

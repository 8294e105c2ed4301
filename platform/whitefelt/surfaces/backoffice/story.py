"""A player's money as sentences: timeline and statement lines in words, from the wallet's statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from whitefelt import games
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.money import Money
from whitefelt.surfaces.console import amount
from whitefelt.wallet import Balances, StatementLine

#: Movement: icon, words in the timeline, words in the statement.
_WORDS: Mapping[str, tuple[str, str, str]] = {
    "deposit": ("in", "Deposit credited", "Deposit"),
    "reserve": ("out", "Withdrawal asked for", "Withdrawal asked for"),
    "pay_out": ("out", "Withdrawal paid", "Withdrawal paid"),
    "release": ("back", "Withdrawal returned to cash", "Withdrawal returned"),
    "stake": ("play", "Staked", "Stake"),
    "settle": ("win", "Won", "Win"),
    "restore": ("back", "Taken back", "Taken back"),
    "adjust": ("lock", "Corrected by staff", "Correction"),
    "bonus_grant": ("gift", "Bonus granted", "Bonus"),
    "bonus_forfeit": ("gift", "Bonus taken back", "Bonus taken back"),
    "bonus_convert": ("gift", "Bonus turned into cash", "Bonus turned into cash"),
}
_ROUND_MOVEMENTS = ("stake", "settle", "restore")


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened: time, icon, sentence, amount, and the raw record on demand."""

    at: datetime
    icon: str
    text: str
    note: str = ""
    amount: str = ""
    after: str = ""
    href: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One debit or credit in one pocket."""

    at: datetime
    text: str
    ref: str
    pocket: str
    money: Money
    after: Money


@dataclass(frozen=True, slots=True)
class Named:
    """A balance with its name."""

    name: str
    money: Money


def balance_lines(balances: Balances) -> tuple[Named, ...]:
    """The three balances by name."""
    return (Named("Cash", balances.cash), Named("Bonus", balances.bonus), Named("Pending", balances.pending))


def titles(tenant: TenantRef) -> dict[str, str]:
    """Names of the operator's games by code, as many as one read gives; a code without a name speaks for itself."""
    return {title.code: title.title for title in games.library(tenant)}


def timeline(
    lines: Sequence[StatementLine], names: Mapping[str, str], hrefs: Mapping[str, str] | None = None
) -> list[Moment]:
    """One moment per posting, newest first; `names` of games, `hrefs` lead from a reference to its page."""
    groups = groupby(lines, key=lambda line: line.journal_id)
    return [_moment(list(group), names, hrefs or {}) for _, group in groups]


def _moment(lines: list[StatementLine], names: Mapping[str, str], hrefs: Mapping[str, str]) -> Moment:
    # A posting between two of the player's own pockets has a line in each: the money that can be used speaks.
    line = next((one for one in lines if one.pocket != "pending"), lines[0])
    icon, words, _ = _WORDS.get(line.kind, ("", line.kind, line.kind))
    return Moment(
        at=line.created_at, icon=icon, text=f"{words}{_on(line, names)}", note=_note(line, lines), amount=amount(line.amount),
        after=f"{amount(line.after)} {line.pocket}", href=hrefs.get(line.ref, ""),
        raw=f"{line.ref}\nsource {line.source}, journal {line.journal_id}, leg {line.leg}",
    )  # fmt: skip


def _on(line: StatementLine, names: Mapping[str, str]) -> str:
    game = game_name(line.label, names)
    return f" on {game}" if game and line.kind in _ROUND_MOVEMENTS else ""


def _note(line: StatementLine, lines: list[StatementLine]) -> str:
    if len(lines) > 1:
        by_side = {one.side: one.pocket for one in lines}
        return f"{by_side.get('debit', '')} to {by_side.get('credit', '')}"
    if line.round_ref:
        return f"round {line.round_ref}"
    return ""


def statement(lines: Sequence[StatementLine], names: Mapping[str, str]) -> list[Line]:
    """Every debit and credit, in the order given."""
    return [
        Line(
            line.created_at, f"{_WORDS.get(line.kind, ('', '', line.kind))[2]}{_on(line, names)}",
            f"round {line.round_ref}" if line.round_ref else line.ref, line.pocket, line.amount, line.after,
        )
        for line in lines
    ]  # fmt: skip


def game_name(label: Mapping[str, object], names: Mapping[str, str]) -> str:
    """The game that a round was opened with, by its name where it has one; empty when the round does not say."""
    code = str(label.get("game") or "")
    return names.get(code, code)

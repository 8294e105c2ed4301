"""The queue of withdrawals, and one withdrawal: why it waits, what a decision does, and deciding it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from whitefelt import accounts, audit, cashier, tenancy, wallet
from whitefelt.accounts import Player
from whitefelt.cashier import QueueRow, Withdrawal
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money
from whitefelt.kernel.routes import access
from whitefelt.surfaces.backoffice import story
from whitefelt.surfaces.backoffice.masking import mask_name
from whitefelt.surfaces.backoffice.page import (
    PAGE_SIZE,
    Badge,
    Fact,
    Notice,
    Tab,
    address,
    before,
    frame,
    may,
    moving_money,
    page,
    reading,
    tenant,
    text_field,
)
from whitefelt.surfaces.console import money, when

_STATES: Mapping[str, Badge] = {
    "waiting": Badge("wait", "Waiting"), "approved": Badge("busy", "Approved"), "sent": Badge("busy", "On its way"),
    "paid": Badge("good", "Paid"), "rejected": Badge("quiet", "Rejected"), "failed": Badge("bad", "Failed"),
}  # fmt: skip
_LABELS = {
    "waiting": "Waiting", "approved": "Approved", "sent": "On the way", "paid": "Paid", "rejected": "Rejected",
    "failed": "Failed",
}  # fmt: skip
_DONE = {
    "approved": Notice(
        "good", "Approved. The payment provider is being asked; the state changes when it has answered."
    ),
    "rejected": Notice("good", "Rejected. The money is the player's cash again, and the player is told why."),
}
_MOMENTS = 12


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the queue."""

    id: str
    asked_at: datetime
    player: str
    brand: str
    money: Money
    method: str
    reasons: tuple[str, ...]
    state: Badge


@dataclass(frozen=True, slots=True)
class Change:
    """A balance now and after the decision."""

    name: str
    now: Money
    then: Money


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to decide: what it does, in words and figures, and its form."""

    action: str
    verb: str
    effect: str
    lines: tuple[Change, ...]
    label: str
    field: str
    hint: str
    style: str
    required: bool = False
    fault: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """The withdrawal that the page is about."""

    id: str
    money: Money
    player: str
    waiting: bool
    asked_at: datetime
    reasons: tuple[str, ...]
    state: Badge
    method: str
    provider: str


@access("staff", "withdrawals.read")
def queue() -> Response:
    """Who waits, for how much, how long, and why; other states by tab."""
    wanted = request.args.get("status", "waiting")
    status = wanted if wanted in _LABELS else "waiting"
    with reading() as work:
        counts = cashier.counts(work)
        found = cashier.withdrawals.queue(work, status, before=before(), limit=PAGE_SIZE + 1)
        surrounding = frame(work, "/withdrawals")
    shown, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    older = address("/withdrawals", status=status, before=shown[-1].withdrawal.id) if more else ""
    # Who has waited longest stands first.
    rows = [_row(one) for one in (reversed(shown) if status == "waiting" else shown)]
    tabs = [
        Tab(address("/withdrawals", status=code if code != "waiting" else ""), label, code == status,
            counts[code] if code in ("waiting", "failed") else 0)
        for code, label in _LABELS.items()
    ]  # fmt: skip
    sentence = f"{counts['waiting']:,} wait for a decision." if counts["waiting"] else "Nobody waits for a decision."
    return page(
        "withdrawals.html", surrounding, rows=rows, status=status, tabs=tabs, sentence=sentence, flash=None,
        newest=address("/withdrawals", status=status) if before() else "", older=older,
    )  # fmt: skip


def _row(one: QueueRow) -> Row:
    found = one.withdrawal
    return Row(
        found.public_id, found.created_at, _name(one.player), _brand(one.player), found.money, _method(found)[0],
        _reasons(found), _STATES[found.status],
    )  # fmt: skip


def _reasons(found: Withdrawal) -> tuple[str, ...]:
    """Why it waits, in sentences; that everything is looked at is only worth saying when there is no other reason."""
    told = zip(found.reasons, found.reason_texts, strict=True)
    return tuple(text for code, text in told if code != "manual_review" or len(found.reasons) == 1)


def _name(player: Player) -> str:
    return player.name if may("players.pii") else mask_name(player.name)


def _brand(player: Player) -> str:
    try:
        return tenancy.brand_by_id(player.brand_id).name
    except KeyError:
        return ""


def _method(found: Withdrawal) -> tuple[str, str]:
    """The way it goes out and who carries it, by name."""
    for offered in cashier.offered_methods(tenant(), found.money.currency):
        if offered.method.code == found.method:
            return offered.method.name, offered.integration.name
    return found.method.replace("_", " ").capitalize(), "a provider that is switched off"


@access("staff", "withdrawals.read")
def detail(public_id: str) -> Response:
    """One withdrawal."""
    return _detail(public_id, flash=_DONE.get(request.args.get("done", "")))


@access("staff", "withdrawals.decide")
def approve(public_id: str) -> ResponseReturnValue:
    """Let it be paid."""
    note = text_field("note", 500)
    try:
        with moving_money() as work:
            cashier.withdrawals.approve(work, public_id, note)
    except Problem as problem:
        return _refused(public_id, problem, "approve", note)
    return redirect(f"/withdrawals/{public_id}?done=approved", 303)


@access("staff", "withdrawals.decide")
def reject(public_id: str) -> ResponseReturnValue:
    """Return it to the player's cash, with a reason."""
    reason = text_field("reason", 500)
    try:
        with moving_money() as work:
            cashier.withdrawals.reject(work, public_id, reason)
    except Problem as problem:
        return _refused(public_id, problem, "reject", reason)
    return redirect(f"/withdrawals/{public_id}?done=rejected", 303)


def _refused(public_id: str, problem: Problem, action: str, text: str) -> Response:
    if problem.code.status == 404 or problem.code.status >= 500:
        raise problem
    if problem.code.status == 422:
        return _detail(public_id, faults={action: (problem.detail, text)}, status=422)
    return _detail(public_id, flash=Notice("wait", problem.detail), status=problem.code.status)


def _detail(
    public_id: str, *, flash: Notice | None = None, faults: Mapping[str, tuple[str, str]] | None = None,
    status: int = 200,
) -> Response:  # fmt: skip
    with reading() as work:
        found = cashier.withdrawals.get(work, public_id)
        player = accounts.player(work, found.player_id)
        pockets = wallet.find_pockets(work, player.owner, found.money.currency) if may("ledger.read") else None
        balances = wallet.balances(work, pockets) if pockets else None
        lines = wallet.statement(work, pockets, limit=_MOMENTS) if pockets else []
        history = _history(work, found)
        surrounding = frame(work, "/withdrawals")
    method, provider = _method(found)
    item = Item(
        found.public_id, found.money, _name(player), found.status == "waiting", found.created_at, _reasons(found),
        _STATES[found.status], method, provider,
    )  # fmt: skip
    href = f"/players/{player.public_id}" if may("players.read") else ""
    return page(
        "withdrawal.html", surrounding, status, item=item, flash=flash, may_decide=may("withdrawals.decide"),
        player={"name": _name(player), "href": href, "note": f"{_brand(player)}, {player.jurisdiction}"},
        facts=_facts(player, surrounding.zone), choices=_choices(item, balances, faults or {}),
        decision=_decision(found, surrounding.zone), history=history,
        timeline=story.timeline(lines, story.titles(tenant()) if lines else {}),
        balances=story.balance_lines(balances) if balances else (),
    )  # fmt: skip


def _facts(player: Player, zone: str) -> list[Fact]:
    verified = f"verified on {when(player.verified_at, zone)}" if player.verified_at else "not verified"
    return [Fact("Identity", verified), Fact("Registered", when(player.created_at, zone))]


def _choices(item: Item, balances: wallet.Balances | None, faults: Mapping[str, tuple[str, str]]) -> tuple[Choice, ...]:
    sum_text = money(item.money)

    def lines(cash: int) -> tuple[Change, ...]:
        if balances is None:
            return ()
        back = Money(cash * item.money.units, item.money.currency)
        return (
            Change("Cash", balances.cash, balances.cash + back),
            Change("Pending", balances.pending, balances.pending - item.money),
        )

    def told(action: str) -> tuple[str, str]:
        return faults.get(action, ("", ""))

    return (
        Choice(
            "approve", "Approve", f"Sends {sum_text} to the player's {item.method.lower()} by {item.provider}. "
            "It cannot be called back from here.", lines(0), "Note (optional)", "note",
            "For colleagues. The player does not see it.", "primary", fault=told("approve")[0], text=told("approve")[1],
        ),
        Choice(
            "reject", "Reject", f"Returns {sum_text} to the player's cash, playable again at once.", lines(1), "Reason",
            "reason", "The player reads this sentence in a mail.", "danger", required=True, fault=told("reject")[0],
            text=told("reject")[1],
        ),
    )  # fmt: skip


def _decision(found: Withdrawal, zone: str) -> list[Fact]:
    facts = [Fact("State", _STATES[found.status].text)]
    if found.decided_at is not None:
        facts += [Fact("Decided by", found.decided_by or "policy"), Fact("Decided", when(found.decided_at, zone))]
    if found.note:
        facts.append(Fact("Reason" if found.status == "rejected" else "Note", found.note))
    if found.vendor_id:
        facts.append(Fact("At provider", found.vendor_id))
    if found.failure_reason:
        facts.append(Fact("Failed with", found.failure_reason))
    if found.closed_at is not None:
        facts.append(Fact("Closed", when(found.closed_at, zone)))
    return facts


def _history(work: Work, found: Withdrawal) -> list[story.Moment]:
    if not may("audit.read"):
        return []
    entries = audit.entries(work, subject=f"withdrawal:{found.public_id}", limit=20)
    return [
        story.Moment(
            entry.at, "lock", f"{entry.actor_name or entry.actor_id}: {entry.action}", entry.reason,
            href=f"/audit?subject=withdrawal%3A{found.public_id}",
        )
        for entry in entries
    ]  # fmt: skip

"""The audit log: filtered by action and subject, and the proof that nobody has touched it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, request

from whitefelt import audit
from whitefelt.kernel.routes import access
from whitefelt.surfaces.backoffice.page import PAGE_SIZE, address, before, frame, page, reading

#: What can be chosen; the first part of an action.
_ACTIONS = {
    "withdrawal": "Withdrawals", "deposit": "Deposits", "payment": "Payment messages", "player": "Players",
    "limit": "Limits", "identity": "Identity", "delivery": "Deliveries", "staff": "Staff",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """An entry of a choice."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Change:
    """One value before and after."""

    name: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as people read it."""

    seq: int
    at: datetime
    actor: str
    actor_kind: str
    action: str
    subject: str
    reason: str
    changes: tuple[Change, ...]
    hash: str
    trace: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking the chain found."""

    kind: str
    title: str
    text: str
    faults: tuple[str, ...] = ()


@access("staff", "audit.read")
def log() -> Response:
    """Entries, newest first."""
    return _list(None)


@access("staff", "audit.read")
def verify() -> Response:
    """Recompute the whole chain and say what was found."""
    with reading() as work:
        newest = audit.entries(work, limit=1)
        faults = audit.verify(work)
    if faults:
        verdict = Verdict("bad", "The chain is damaged", "", tuple(faults))
    elif newest:
        verdict = Verdict("good", "The chain is whole", f"Entries 1 to {newest[0].seq:,}: none changed, none missing.")
    else:
        verdict = Verdict("good", "The chain is whole", "It has no entries yet.")
    return _list(verdict)


def _list(verdict: Verdict | None) -> Response:
    action = request.args.get("action", "")[:100]
    subject = request.args.get("subject", "").strip()[:200]
    with reading() as work:
        found = audit.entries(
            work, before=before(), limit=PAGE_SIZE + 1, subject=subject or None, action=action or None
        )
        surrounding = frame(work, "/audit")
    shown, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    choices = [Option(value, label) for value, label in _ACTIONS.items()]
    if action and action not in _ACTIONS:
        choices.append(Option(action, action))
    return page(
        "audit.html", surrounding, rows=[_row(entry) for entry in shown], action=action, subject=subject,
        actions=choices, verdict=verdict,
        newest=address("/audit", action=action, subject=subject) if before() else "",
        older=address("/audit", action=action, subject=subject, before=shown[-1].seq) if more else "",
    )  # fmt: skip


def _row(entry: audit.Entry) -> Row:
    return Row(
        entry.seq, entry.at, entry.actor_name or entry.actor_id, entry.actor_kind, entry.action, entry.subject,
        entry.reason, tuple(_changes(entry.before or {}, entry.after or {})), entry.hash, entry.trace,
    )  # fmt: skip


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    return [
        Change(name.replace("_", " "), _text(before[name]) if name in before else None, _text(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name) or name not in before
    ]


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""Reading the log: newest first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from whitefelt.audit.models import AuditRow
from whitefelt.kernel.db import Work


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `hash` in hexadecimal."""

    seq: int
    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    subject: str
    reason: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    trace: str
    hash: str


def entries(
    work: Work,
    *,
    before: int | None = None,
    limit: int = 50,
    subject: str | None = None,
    action: str | None = None,
    actor_id: str | None = None,
) -> list[Entry]:
    """Entries older than sequence number `before`, newest first. `action` also matches by its first part."""
    query = select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditRow.seq < before)
    if subject:
        query = query.where(AuditRow.subject == subject)
    if actor_id:
        query = query.where(AuditRow.actor_id == actor_id)
    if action:
        exact = "." in action
        query = query.where(
            AuditRow.action == action if exact else AuditRow.action.startswith(f"{action}.", autoescape=True)
        )
    return [_entry(row) for row in work.session.scalars(query)]


def entry(work: Work, seq: int) -> Entry | None:
    """The entry of that sequence number, or None."""
    row = work.session.get(AuditRow, seq)
    return _entry(row) if row is not None else None


def _entry(row: AuditRow) -> Entry:
    return Entry(
        row.seq, row.at, row.actor_kind, row.actor_id, row.actor_name, row.action, row.subject, row.reason,
        row.before, row.after, row.trace, row.hash.hex(),
    )  # fmt: skip

"""Checking the whole chain: an edited, missing, moved or added entry and a cut tail each have their own sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select

from whitefelt.audit import rules
from whitefelt.audit.models import AuditHeadRow, AuditRow
from whitefelt.kernel.db import Work

#: Entries read at once: bounded memory for a chain of any length.
BATCH = 1000
#: After so many faults the rest is only counted: one early break makes every later line suspicious.
MAX_FAULTS = 50


def verify(work: Work) -> list[str]:
    """Recompute the tenant's chain from its first entry; the faults found, in words; empty when it is whole.

    May run beside writers: entries that are appended meanwhile are not part of this run.
    """
    head = work.session.execute(select(AuditHeadRow.seq, AuditHeadRow.hash).where(AuditHeadRow.id == 1)).one_or_none()
    if head is None:
        return ["The head of the chain is missing."]
    faults: list[str] = []
    last_seq, last_hash = 0, rules.GENESIS
    while len(faults) < MAX_FAULTS:
        rows = _batch(work, last_seq, head.seq)
        for row in rows:
            if row.seq != last_seq + 1:
                faults.append(_missing(last_seq + 1, row.seq - 1))
            elif row.hash_prev != last_hash:
                faults.append(f"Entry {row.seq} does not follow entry {last_seq}: the chain is broken between them.")
            if rules.chain(row.hash_prev, work.here.slug, _said(row)) != row.hash:
                faults.append(f"Entry {row.seq} is not what was written: its content does not match its hash.")
            last_seq, last_hash = row.seq, row.hash
        if len(rows) < BATCH:
            break
    if len(faults) < MAX_FAULTS:
        faults += _end_faults(work, head.seq, head.hash, last_seq, last_hash)
    return faults


def _batch(work: Work, after_seq: int, through_seq: int) -> Sequence[Row[Any]]:
    # Columns, not objects: the session must not fill up with the whole log.
    query = select(*AuditRow.__table__.c).where(AuditRow.seq > after_seq, AuditRow.seq <= through_seq)
    return work.session.execute(query.order_by(AuditRow.seq).limit(BATCH)).all()


def _end_faults(work: Work, head_seq: int, head_hash: bytes, last_seq: int, last_hash: bytes) -> list[str]:
    faults = []
    if last_seq < head_seq:
        faults.append(f"The end is cut: {_missing(last_seq + 1, head_seq)}")
    elif last_hash != head_hash:
        faults.append(f"The head does not name entry {head_seq} as it stands: one of the two was replaced.")
    # One statement, one snapshot: an entry beyond the head was not written by this module.
    beyond = select(func.count()).select_from(AuditRow).where(
        AuditRow.seq > select(AuditHeadRow.seq).where(AuditHeadRow.id == 1).scalar_subquery()
    )  # fmt: skip
    if surplus := work.session.scalar(beyond):
        faults.append(f"{surplus} entries lie beyond the chain's head.")
    return faults


def _missing(first: int, last: int) -> str:
    return f"Entry {first} is missing." if first == last else f"Entries {first} to {last} are missing."


def _said(row: Row[Any]) -> dict[str, Any]:
    return {
        "seq": row.seq, "at": row.at, "actor_kind": row.actor_kind, "actor_id": row.actor_id,
        "actor_name": row.actor_name, "action": row.action, "subject": row.subject, "reason": row.reason,
        "before": row.before, "after": row.after, "trace": row.trace,
    }  # fmt: skip

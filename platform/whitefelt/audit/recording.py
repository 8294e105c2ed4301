"""Writing an entry: in the transaction of the change, at the chain's end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from whitefelt.audit import rules
from whitefelt.audit.models import AuditHeadRow, AuditRow
from whitefelt.kernel import context
from whitefelt.kernel.db import Work


def record(
    work: Work,
    action: str,
    subject: str,
    *,
    reason: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Append what `work.actor` did: `action` ("withdrawal.approved"), `subject` ("withdrawal:<id>"), changed values.

    Takes the tenant's chain lock until commit: call it last in a transaction. Amounts are decimal strings.
    """
    head = work.session.execute(
        select(AuditHeadRow).where(AuditHeadRow.id == 1).with_for_update().execution_options(populate_existing=True)
    ).scalar_one()
    entry: dict[str, Any] = {
        "seq": head.seq + 1,
        "at": work.now(),
        "actor_kind": work.actor.kind,
        "actor_id": rules.clean(work.actor.id),
        "actor_name": rules.clean(work.actor.name),
        "action": action,
        "subject": rules.clean(subject),
        "reason": rules.clean(reason),
        "before": rules.plain(before),
        "after": rules.plain(after),
        "trace": rules.clean(context.trace.get()),
    }
    made = rules.chain(head.hash, work.here.slug, entry)
    work.session.add(AuditRow(**entry, hash_prev=head.hash, hash=made))
    head.seq, head.hash = entry["seq"], made
    work.session.flush()

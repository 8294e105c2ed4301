"""The whole proof of a tenant's money: the ledger's own, the cashier's, the facts' and the daily totals' in one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from whitefelt import audit, cashier, reporting, tenancy, wallet
from whitefelt.kernel import deliveries
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work, snapshot_work
from whitefelt.wallet import Fault


@dataclass(frozen=True, slots=True)
class Proof:
    """What was recomputed for one tenant: counts, figures per currency (ledger units; `total` is zero), and the faults."""

    tenant: str
    postings: int
    operations: int
    rounds: int
    figures: list[dict[str, Any]]
    faults: list[Fault]


def prove(tenant: TenantRef) -> Proof:
    """Recompute everything of one tenant; reads only, one snapshot, may be run while money moves."""
    own = [one.id for one in tenancy.every_integration_of(tenant)]
    with snapshot_work(tenant) as work:
        faults = wallet.verify(work, own)
        faults += [Fault(one.code, one.subject, one.detail) for one in cashier.verify(work)]
        faults += [Fault(one.code, one.subject, one.detail) for one in reporting.verify(work)]
        faults += [
            Fault("fact_missing", f"{one.stream} {one.fact_id}", one.detail) for one in deliveries.missing_facts(work)
        ]
        faults += [Fault("audit_broken", "audit log", line) for line in audit.verify(work)]
        figures = wallet.figures(work)
        faults += [
            Fault("not_zero", str(row["currency"]), f"all pockets together hold {row['total']}")
            for row in figures
            if row["total"]
        ]
        postings, operations, rounds = _counts(work)
    return Proof(tenant.slug, postings, operations, rounds, figures, faults)


def _counts(work: Work) -> tuple[int, int, int]:
    row = work.session.execute(
        text("""SELECT (SELECT count(*) FROM journal WHERE amount_units > 0),
                       (SELECT count(*) FROM journal WHERE leg = 0), (SELECT count(*) FROM holds)""")
    ).one()
    return int(row[0]), int(row[1]), int(row[2])

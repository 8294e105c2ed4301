"""The fold: every posting of the journal, in order, once, into its day's total."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from whitefelt.facts.money import MoneyPosted
from whitefelt.kernel.db import Work
from whitefelt.kernel.outbox import Fact
from whitefelt.reporting.models import DailyTotalRow
from whitefelt.reporting.rules import meaning

#: The fold's name among the readers of the journal.
CONSUMER = "reporting.daily_totals"


def fold_totals(work: Work, batch: Sequence[tuple[int, Fact]]) -> None:
    """Add a batch of the journal to the totals, in the transaction that advances the cursor: each posting once."""
    posted = [fact for _, fact in batch if isinstance(fact, MoneyPosted) and fact.amount_units > 0]
    if not posted:
        return
    kinds = _pocket_kinds(work, {pocket for fact in posted for pocket in (fact.debit_pocket, fact.credit_pocket)})
    zone = ZoneInfo(work.here.timezone)
    sums: dict[tuple[date, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for fact in posted:
        day = datetime.fromisoformat(fact.posted_at).astimezone(zone).date()
        kind = meaning(fact.kind, kinds.get(fact.debit_pocket, ""), kinds.get(fact.credit_pocket, ""))
        total = sums[day, fact.currency, kind]
        total[0] += 1
        total[1] += fact.amount_units
    rows = [
        {"day": day, "currency": currency, "kind": kind, "postings": count, "units": units}
        for (day, currency, kind), (count, units) in sorted(sums.items())
    ]
    adding = insert(DailyTotalRow).values(rows)
    work.session.execute(
        adding.on_conflict_do_update(
            index_elements=["currency", "day", "kind"],
            set_={
                "postings": DailyTotalRow.postings + adding.excluded.postings,
                "units": DailyTotalRow.units + adding.excluded.units,
            },
        )
    )


def _pocket_kinds(work: Work, ids: set[int]) -> dict[int, str]:
    found = work.session.execute(text("SELECT id, kind FROM pockets WHERE id = ANY (:ids)"), {"ids": sorted(ids)})
    return {row.id: row.kind for row in found}

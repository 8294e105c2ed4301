"""The proof of the totals: the journal up to the fold's cursor, added up anew in the database, must give the same."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from whitefelt.kernel import outbox
from whitefelt.kernel.db import Work
from whitefelt.reporting.totals import CONSUMER

# The same meanings as `rules.meaning`, said a second time in SQL: if the two ever differ, this check tells.
_DIFFERENCES = text("""
    WITH moved AS (
        SELECT j.kind AS movement, split_part(d.kind, ':', 1) AS debit, split_part(c.kind, ':', 1) AS credit,
               h.currency, (j.created_at AT TIME ZONE :zone)::date AS day, j.amount_units AS units
          FROM journal j JOIN pockets d ON d.id = j.debit_pocket JOIN pockets c ON c.id = j.credit_pocket
          JOIN pockets h ON h.id = j.home_pocket
         WHERE j.id <= :through AND j.amount_units > 0
    ), named AS (
        SELECT day, currency, units, CASE
               WHEN movement = 'deposit' THEN 'deposit'
               WHEN movement = 'reserve' THEN 'withdrawal_requested'
               WHEN movement = 'pay_out' THEN 'withdrawal_paid'
               WHEN movement = 'release' THEN 'withdrawal_returned'
               WHEN movement IN ('bonus_grant', 'bonus_forfeit', 'bonus_convert') THEN movement
               WHEN movement = 'adjust' AND debit = 'adjustment' THEN 'adjustment_in'
               WHEN movement = 'adjust' THEN 'adjustment_out'
               WHEN debit = 'escrow' AND credit = 'gaming' THEN 'stake_settled'
               WHEN movement = 'stake' AND credit = 'escrow' THEN 'stake'
               WHEN movement = 'settle' AND debit = 'gaming' THEN 'win'
               WHEN movement = 'restore' AND debit = 'escrow' THEN 'stake_returned'
               WHEN movement = 'restore' AND debit = 'gaming' THEN 'stake_returned_settled'
               WHEN movement = 'restore' AND debit IN ('cash', 'bonus') THEN 'win_taken_back'
               ELSE 'other' END AS kind
          FROM moved
    ), anew AS (
        SELECT day, currency, kind, count(*) AS postings, sum(units) AS units FROM named GROUP BY day, currency, kind
    )
    SELECT coalesce(t.day, a.day) AS day, coalesce(t.currency, a.currency) AS currency,
           coalesce(t.kind, a.kind) AS kind, coalesce(t.units, 0) AS kept, coalesce(a.units, 0) AS found,
           coalesce(t.postings, 0) AS kept_postings, coalesce(a.postings, 0) AS found_postings
      FROM daily_totals t FULL JOIN anew a ON a.day = t.day AND a.currency = t.currency AND a.kind = t.kind
     WHERE coalesce(t.units, 0) <> coalesce(a.units, 0) OR coalesce(t.postings, 0) <> coalesce(a.postings, 0)
     ORDER BY 1, 2, 3
""")


@dataclass(frozen=True, slots=True)
class Fault:
    """One disagreement: a stable `code`, which total (`subject`), and the figures."""

    code: str
    subject: str
    detail: str


def verify(work: Work) -> list[Fault]:
    """Where the daily totals differ from the journal up to the fold's cursor; empty when nowhere.

    Cursor, totals and journal must be seen at one moment: give it a snapshot, or let the fold rest meanwhile.
    """
    through = outbox.passed_through(work, "journal", CONSUMER)
    rows = work.session.execute(_DIFFERENCES, {"zone": work.here.timezone, "through": through})
    return [
        Fault(
            "daily_total_differs",
            f"{row.day} {row.currency} {row.kind}",
            f"kept {row.kept} units in {row.kept_postings} postings, journal says {row.found} in {row.found_postings}",
        )
        for row in rows
    ]

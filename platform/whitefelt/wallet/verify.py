"""The ledger's own proof: every stored figure recomputed from the journal, every fault named.

Read-only, one snapshot (REPEATABLE READ is the caller's choice; the queries tolerate rows that arrive meanwhile only
within one). Each check is one query, so that it runs in the database and scales with it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import text

from whitefelt.kernel.db import Work

#: How many faults of one kind are told; the count is always whole.
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as the journal says: a stable code, which pocket/row/round, and the figures."""

    code: str
    subject: str
    detail: str


_ENTRIES = """
    SELECT j.id, j.leg, j.debit_pocket AS pocket, -j.amount_units AS units, j.debit_after_units AS after, j.debit_seq AS seq
      FROM journal j WHERE j.debit_pocket IS NOT NULL
    UNION ALL
    SELECT j.id, j.leg, j.credit_pocket, j.amount_units, j.credit_after_units, j.credit_seq
      FROM journal j WHERE j.credit_pocket IS NOT NULL
"""

CHECKS: tuple[tuple[str, str], ...] = (
    # A stored balance is the sum of its entries, and as many as it counted.
    ("balance_differs", f"""
        SELECT 'pocket ' || p.id, 'stored ' || p.balance_units || ', journal says ' || coalesce(sum(e.units), 0)
          FROM pockets p LEFT JOIN ({_ENTRIES}) e ON e.pocket = p.id
         WHERE NOT p.is_house GROUP BY p.id HAVING p.balance_units <> coalesce(sum(e.units), 0)"""),
    ("entry_missing", f"""
        SELECT 'pocket ' || p.id, 'counted ' || p.seq || ' entries, journal has ' || count(e.seq)
          FROM pockets p LEFT JOIN ({_ENTRIES}) e ON e.pocket = p.id AND e.seq IS NOT NULL
         WHERE NOT p.is_house GROUP BY p.id HAVING p.seq <> count(e.seq)"""),
    # Each entry follows from the one before it.
    ("chain_broken", f"""
        SELECT 'journal ' || id, 'pocket ' || pocket || ' seq ' || seq || ': after ' || after || ', expected '
               || coalesce(previous, 0) + units || ' as seq ' || coalesce(previous_seq, 0) + 1
          FROM (SELECT e.*, lag(e.after) OVER w AS previous, lag(e.seq) OVER w AS previous_seq
                  FROM ({_ENTRIES}) e JOIN pockets p ON p.id = e.pocket AND NOT p.is_house
                 WHERE e.seq IS NOT NULL WINDOW w AS (PARTITION BY e.pocket ORDER BY e.id, e.leg)) c
         WHERE after <> coalesce(previous, 0) + units OR seq <> coalesce(previous_seq, 0) + 1"""),
    ("entry_unnumbered", f"""
        SELECT 'journal ' || e.id, 'pocket ' || e.pocket || ' moved ' || e.units || ' without a number in its chain'
          FROM ({_ENTRIES}) e JOIN pockets p ON p.id = e.pocket AND NOT p.is_house
         WHERE e.units <> 0 AND (e.seq IS NULL OR e.after IS NULL)"""),
    ("pocket_unknown", f"""
        SELECT 'journal ' || e.id, 'pocket ' || e.pocket || ' does not exist here'
          FROM ({_ENTRIES}) e LEFT JOIN pockets p ON p.id = e.pocket WHERE p.id IS NULL"""),
    ("currencies_mixed", """
        SELECT 'journal ' || j.id, d.currency || ' to ' || c.currency FROM journal j
          JOIN pockets d ON d.id = j.debit_pocket JOIN pockets c ON c.id = j.credit_pocket WHERE d.currency <> c.currency"""),
    ("below_floor", """
        SELECT 'pocket ' || p.id, 'balance ' || p.balance_units || ' below its floor ' || p.floor_units
          FROM pockets p WHERE NOT p.is_house AND p.balance_units < p.floor_units
           AND NOT EXISTS (SELECT FROM journal j WHERE j.kind = 'restore' AND j.debit_pocket = p.id)"""),
    # The remembered outcome of an operation is what its legs did, pocket by pocket: the house's have no chain of their own.
    ("outcome_differs", """
        SELECT 'journal ' || h.id, h.ref || ': answered ' || coalesce(h.outcome ->> 'split', 'nothing') || ', journal has '
               || done.split
          FROM journal h
          CROSS JOIN LATERAL (SELECT coalesce(jsonb_agg(jsonb_build_object(
                                  'debit', l.debit_pocket, 'credit', l.credit_pocket, 'units', l.amount_units) ORDER BY l.leg)
                                  FILTER (WHERE l.debit_pocket IS NOT NULL), '[]') AS split
                                FROM journal l WHERE l.source = h.source AND l.ref = h.ref) done
         WHERE h.leg = 0 AND h.status = 'posted' AND h.outcome -> 'split' IS DISTINCT FROM done.split"""),
    # A row is filed under the owner's home pocket: statements and totals read by it.
    ("home_differs", """
        SELECT 'journal ' || j.id, 'moves pocket ' || p.id || ' and is filed under ' || coalesce(j.home_pocket::text, 'none')
          FROM journal j CROSS JOIN LATERAL (VALUES (j.debit_pocket), (j.credit_pocket)) e (pocket)
          JOIN pockets p ON p.id = e.pocket AND NOT p.is_house
          LEFT JOIN pockets h ON h.id = j.home_pocket
         WHERE h.id IS NULL OR h.kind <> 'cash' OR h.owner <> p.owner OR h.currency <> p.currency"""),
    ("leg_orphaned", """
        SELECT 'journal ' || l.id, l.ref || ' leg ' || l.leg || ' without its operation' FROM journal l
         WHERE l.leg > 0 AND NOT EXISTS (SELECT FROM journal h WHERE h.source = l.source AND h.ref = l.ref AND h.leg = 0)"""),
    # House folds.
    ("house_fold_differs", f"""
        SELECT 'pocket ' || f.pocket_id, 'folded ' || f.balance_units || ' through ' || f.through_id || ', journal says '
               || coalesce(sum(e.units), 0)
          FROM house_folds f LEFT JOIN ({_ENTRIES}) e ON e.pocket = f.pocket_id AND e.id <= f.through_id
         GROUP BY f.pocket_id, f.through_id, f.balance_units HAVING f.balance_units <> coalesce(sum(e.units), 0)"""),
    # Pending pockets hold exactly the reserves that nothing has ended.
    ("pending_differs", """
        SELECT 'pocket ' || p.id, 'pending ' || p.balance_units || ', open reserves ' || coalesce(sum(r.amount_units), 0)
          FROM pockets p LEFT JOIN journal r ON r.credit_pocket = p.id AND r.kind = 'reserve'
               AND NOT EXISTS (SELECT FROM journal e WHERE e.closes = r.id)
         WHERE p.kind = 'pending' AND NOT p.is_house
         GROUP BY p.id HAVING p.balance_units <> coalesce(sum(r.amount_units), 0)"""),
    ("closing_differs", """
        SELECT 'journal ' || e.id, e.kind || ' of ' || e.amount_units || ' ends ' || r.kind || ' of ' || r.amount_units
          FROM journal e JOIN journal r ON r.id = e.closes
         WHERE e.amount_units <> r.amount_units OR e.home_pocket IS DISTINCT FROM r.home_pocket"""),
    # Round escrow: what each round holds is what its rows put there, and a finished round holds nothing.
    ("round_escrow_differs", """
        SELECT 'round ' || h.id, h.ref || ': holds ' || h.held_units || ', journal says ' || coalesce(sum(m.units), 0)
          FROM holds h
          LEFT JOIN (SELECT j.hold_id, j.credit_pocket AS pocket, j.amount_units AS units FROM journal j WHERE j.hold_id IS NOT NULL
                     UNION ALL
                     SELECT j.hold_id, j.debit_pocket, -j.amount_units FROM journal j WHERE j.hold_id IS NOT NULL) m
            ON m.hold_id = h.id AND m.pocket = h.escrow_pocket
         GROUP BY h.id HAVING h.held_units <> coalesce(sum(m.units), 0) OR (h.closed_at IS NOT NULL AND h.held_units <> 0)"""),
    ("round_unknown", """
        SELECT 'journal ' || j.id, 'round ' || j.hold_id || ' is not there or is another player''s'
          FROM journal j LEFT JOIN holds h ON h.id = j.hold_id
         WHERE j.hold_id IS NOT NULL AND (h.id IS NULL OR h.source <> j.source OR h.home_pocket IS DISTINCT FROM j.home_pocket)"""),
    ("round_totals_differ", """
        SELECT 'round ' || h.id, h.ref || ': staked ' || h.staked_units || ' restored ' || h.restored_units || ' won '
               || h.won_units || ', journal says ' || coalesce(t.staked, 0) || ', ' || coalesce(t.restored, 0) || ' and '
               || coalesce(t.won, 0)
          FROM holds h LEFT JOIN (
               SELECT j.hold_id, sum(j.amount_units) FILTER (WHERE j.kind = 'restore' AND c.is_house IS FALSE) AS restored,
                      sum(j.amount_units) FILTER (WHERE j.kind = 'stake' AND d.is_house IS FALSE) AS staked,
                      coalesce(sum(j.amount_units) FILTER (WHERE j.kind = 'settle' AND c.is_house IS FALSE), 0)
                      - coalesce(sum(j.amount_units) FILTER (WHERE j.kind = 'restore' AND d.is_house IS FALSE), 0) AS won
                 FROM journal j JOIN pockets d ON d.id = j.debit_pocket JOIN pockets c ON c.id = j.credit_pocket
                WHERE j.hold_id IS NOT NULL GROUP BY j.hold_id) t ON t.hold_id = h.id
         WHERE h.staked_units <> coalesce(t.staked, 0) OR h.won_units <> coalesce(t.won, 0)
            OR h.restored_units <> coalesce(t.restored, 0)"""),
)  # fmt: skip


def verify(work: Work, own_sources: Collection[int]) -> list[Fault]:
    """All faults of this tenant's ledger. `own_sources`: ids of the tenant's integrations (0, the platform, is implied);
    a row of any other source was written for someone else (`wrong_tenant`)."""
    work.session.execute(text("SELECT set_config('statement_timeout', '600s', true)"))
    faults: list[Fault] = []
    for code, query in CHECKS:
        faults += _told(code, work.session.execute(text(query)).all())
    foreign = text("""
        SELECT 'journal ' || j.id, j.ref || ' of source ' || j.source FROM journal j
         WHERE NOT j.source = ANY (:own) ORDER BY j.id""")
    faults += _told("wrong_tenant", work.session.execute(foreign, {"own": [0, *own_sources]}).all())
    return faults


def _told(code: str, rows: object) -> list[Fault]:
    found = [Fault(code, subject, detail) for subject, detail in rows]  # type: ignore[attr-defined]
    if len(found) > SHOWN:
        return [*found[:SHOWN], Fault(code, "and more", f"{len(found) - SHOWN} further faults of this kind")]
    return found


def figures(work: Work) -> list[dict[str, object]]:
    """Per currency: owners' cash, bonus and pending, escrow of open rounds, and the house's side; they add to zero."""
    query = text("""
        SELECT currency, coalesce(sum(units) FILTER (WHERE kind = 'cash'), 0) AS cash,
               coalesce(sum(units) FILTER (WHERE kind = 'bonus'), 0) AS bonus,
               coalesce(sum(units) FILTER (WHERE kind = 'pending'), 0) AS pending,
               coalesce(sum(units) FILTER (WHERE kind = 'escrow'), 0) AS escrow,
               coalesce(sum(units) FILTER (WHERE kind = 'gaming'), 0) AS gaming,
               coalesce(sum(units) FILTER (WHERE kind LIKE 'psp:%'), 0) AS psp,
               coalesce(sum(units), 0) AS total
          FROM (SELECT p.currency, p.kind, p.balance_units::numeric AS units FROM pockets p WHERE NOT p.is_house
                UNION ALL
                SELECT p.currency, p.kind, coalesce(sum(e.signed_units), 0) FROM pockets p
                  LEFT JOIN journal_entries e ON e.pocket_id = p.id WHERE p.is_house GROUP BY p.id) b
         GROUP BY currency ORDER BY currency""")
    told = []
    for row in work.session.execute(query).mappings():
        told.append({name: int(value) if name != "currency" else value for name, value in row.items()})
    return told

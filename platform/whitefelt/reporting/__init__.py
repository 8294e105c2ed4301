"""Reporting: what does it mean over time? Daily totals folded from the journal, and the figures of the dashboard.

Owns: daily_totals. Imports: kernel, facts, audit, wallet (its face; the journal by SQL, read-only).

Words (the formulas are in `rules`): *stakes* are settled stakes, counted when their round ends; *GGR* is settled stakes
minus wins, both less what was taken back; deposits never enter it, and open rounds come later.
"""

from whitefelt.reporting.backlog import Delivery, Flow, deliveries, flow, retry
from whitefelt.reporting.queries import Day, Total, currencies, daily, figures_through
from whitefelt.reporting.rules import KINDS
from whitefelt.reporting.totals import CONSUMER, fold_totals
from whitefelt.reporting.verify import Fault, verify

__all__ = [
    "CONSUMER", "KINDS", "Day", "Delivery", "Fault", "Flow", "Total", "currencies", "daily", "deliveries", "figures_through",
    "flow", "fold_totals", "retry", "verify",
]  # fmt: skip

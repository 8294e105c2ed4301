"""Figures of the dashboard, from the daily totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from whitefelt.kernel import outbox
from whitefelt.kernel.db import Work
from whitefelt.kernel.money import Money
from whitefelt.reporting.models import DailyTotalRow
from whitefelt.reporting.rules import ggr_units
from whitefelt.reporting.totals import CONSUMER


@dataclass(frozen=True, slots=True)
class Total:
    """How many postings, and how much together."""

    postings: int
    money: Money


@dataclass(frozen=True, slots=True)
class Day:
    """One day in the operator's time zone; kinds without movement are zero."""

    day: date
    currency: str
    totals: Mapping[str, Total]

    def total(self, kind: str) -> Total:
        """The day's total of that kind (`reporting.KINDS`)."""
        return self.totals.get(kind) or Total(0, Money(0, self.currency))

    @property
    def ggr(self) -> Money:
        """Stakes minus wins on settled play."""
        return Money(ggr_units({kind: total.money.units for kind, total in self.totals.items()}), self.currency)

    @property
    def stakes(self) -> Money:
        """Stakes of rounds that ended, less what was given back afterwards."""
        return self.total("stake_settled").money - self.total("stake_returned_settled").money

    @property
    def wins(self) -> Money:
        """Wins, less what was taken back."""
        return self.total("win").money - self.total("win_taken_back").money

    @property
    def deposits(self) -> Money:
        """Deposits credited to players."""
        return self.total("deposit").money

    @property
    def withdrawals(self) -> Money:
        """Withdrawals that payment providers have paid."""
        return self.total("withdrawal_paid").money


def currencies(work: Work) -> list[str]:
    """Currencies in which anything has moved."""
    return list(work.session.scalars(select(DailyTotalRow.currency).distinct().order_by(DailyTotalRow.currency)))


def daily(work: Work, currency: str, days: int = 14) -> list[Day]:
    """The last `days` days up to today, oldest first, empty ones included."""
    today = work.now().astimezone(ZoneInfo(work.here.timezone)).date()
    first = today - timedelta(days=days - 1)
    found: dict[date, dict[str, Total]] = {first + timedelta(days=offset): {} for offset in range(days)}
    rows = work.session.scalars(
        select(DailyTotalRow).where(
            DailyTotalRow.currency == currency, DailyTotalRow.day >= first, DailyTotalRow.day <= today
        )
    )
    for row in rows:
        found[row.day][row.kind] = Total(row.postings, Money(int(row.units), currency))
    return [Day(day, currency, totals) for day, totals in sorted(found.items())]


def figures_through(work: Work) -> int:
    """The journal id up to which the totals are complete."""
    return outbox.passed_through(work, "journal", CONSUMER)

"""Tables of reporting; they mirror migrations/tenant/t0008_reporting.sql."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, Date, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from whitefelt.kernel.db import TenantBase


class DailyTotalRow(TenantBase):
    """What moved on one day (operator's time zone) in one currency with one meaning; `units` at ledger scale."""

    __tablename__ = "daily_totals"
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    postings: Mapped[int] = mapped_column(BigInteger)
    units: Mapped[Decimal] = mapped_column(Numeric(38, 0))

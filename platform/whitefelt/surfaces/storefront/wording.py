"""Figures and times as people read them. Pure; the words themselves come from the theme's locale."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from babel import Locale

from whitefelt.kernel.money import CURRENCIES, Money, decimal
from whitefelt.theming import Look

#: Before the figure; every other currency's sign stands after it.
_LEADING = ("EUR", "GBP", "USD", "CAD", "BRL", "JPY", "BTC", "ETH")
_NARROW = "\N{NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_SPAN = re.compile(r"([0-9]+)(h|d|months)")


def money(amount: Money, *, signed: bool = False) -> str:
    """`€1,234.56` or `1,234.56 kr`: every digit that the ledger holds; `signed` puts + before a credit."""
    digits = decimal(Money(abs(amount.units), amount.currency))
    whole, _, fraction = digits.partition(".")
    figure = f"{int(whole):,}" + (f".{fraction}" if fraction else "")
    symbol = CURRENCIES[amount.currency].symbol
    text = f"{symbol}{figure}" if amount.currency in _LEADING else f"{figure}{_NARROW}{symbol}"
    sign = _MINUS if amount.units < 0 else "+" if signed else ""
    return sign + text


def short_money(amount: Money) -> str:
    """As `money`, without decimals that are zero: for suggested amounts."""
    return re.sub(r"\.0+(?=\D|$)", "", money(amount))


def moment(at: datetime, timezone: str) -> str:
    """`22 Nov 2026, 09:40` on the operator's clock."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{local.day} {local:%b %Y, %H:%M}"


def day(at: datetime, timezone: str) -> str:
    """`22 Nov 2026`."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"{local.day} {local:%b %Y}"


def country(code: str, language: str) -> str:
    """The country's name in that language; the code when it has none."""
    return str(Locale.parse(language).territories.get(code, code))


def span(look: Look, option: str) -> str:
    """A span of an exclusion (`24h`, `7d`, `6months`, `indefinite`) in words."""
    match = _SPAN.fullmatch(option)
    if match is None:
        return look.text("break.indefinite")
    count, unit = int(match.group(1)), {"h": "hour", "d": "day", "months": "month"}[match.group(2)]
    return look.text(f"break.{unit}" if count == 1 else f"break.{unit}s", count=count)


def duration(look: Look, minutes: int) -> str:
    """How long something usually takes."""
    if minutes == 0:
        return look.text("cashier.at_once")
    if minutes < 90:
        return look.text("cashier.minutes", count=minutes)
    if minutes < 36 * 60:
        return look.text("cashier.hours", count=round(minutes / 60))
    return look.text("cashier.days", count=round(minutes / 60 / 24))


def typed_amount(text: str) -> str:
    """What a person typed as the bare decimal that the ledger reads: `1 000,50` is 1000.50; the doubtful stays as it is."""
    plain = re.sub(r"[\s\u00a0\u202f]", "", text)
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]+", plain):
        return plain.replace(",", "")
    if re.fullmatch(r"[0-9]+,[0-9]{1,2}", plain):
        return plain.replace(",", ".")
    return plain

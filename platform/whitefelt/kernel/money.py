"""Money as integers at ledger scale; no floats, ever.

`_units` are ledger units: 10^-6 of a fiat currency, 10^-8 BTC, 10^-9 ETH, so that bigint holds every balance and no
protocol's amount needs rounding. `_minor` is the currency's own smallest paid unit (ISO 4217 exponent), used only at
payment providers and on screens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from whitefelt.kernel.errors import Code, Problem

AMOUNT_INVALID = Code("amount_invalid", 422, "That is not an amount of money.")
AMOUNT_TOO_FINE = Code("amount_too_fine", 422, "The amount has more decimals than the currency's ledger keeps.")
CURRENCY_UNKNOWN = Code("currency_unknown", 422, "This currency is not supported.")

#: Largest amount that is read from outside: a thousand of them fit into a bigint.
MAX_UNITS = 10**15 * 9

_DECIMAL = re.compile(r"(0|[1-9][0-9]{0,14})(?:\.([0-9]{1,30}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency: `exponent` decimals are paid and shown, `scale` decimals are kept in the ledger."""

    code: str
    exponent: int
    scale: int
    symbol: str


_FIAT = [
    ("EUR", 2, "€"), ("SEK", 2, "kr"), ("GBP", 2, "£"), ("USD", 2, "$"), ("NOK", 2, "kr"), ("DKK", 2, "kr"),
    ("CAD", 2, "$"), ("BRL", 2, "R$"), ("PLN", 2, "zł"), ("CHF", 2, "CHF"), ("JPY", 0, "¥"), ("KWD", 3, "KD"),
]  # fmt: skip
CURRENCIES: dict[str, Currency] = {
    **{code: Currency(code, exponent, 6, symbol) for code, exponent, symbol in _FIAT},
    "BTC": Currency("BTC", 8, 8, "₿"),
    "ETH": Currency("ETH", 9, 9, "Ξ"),
}


def currency(code: str) -> Currency:
    """The currency of that ISO (or ticker) code; `currency_unknown` otherwise."""
    found = CURRENCIES.get(code)
    if found is None:
        raise Problem(CURRENCY_UNKNOWN)
    return found


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in one currency; `units` at ledger scale. Sums across currencies are refused by assertion."""

    units: int
    currency: str

    def __post_init__(self) -> None:
        assert type(self.units) is int, "ledger units are integers"
        assert self.currency in CURRENCIES, f"unknown currency {self.currency!r}"

    def __add__(self, other: Money) -> Money:
        assert self.currency == other.currency, "currencies differ"
        return Money(self.units + other.units, self.currency)

    def __sub__(self, other: Money) -> Money:
        assert self.currency == other.currency, "currencies differ"
        return Money(self.units - other.units, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.units, self.currency)

    def __str__(self) -> str:
        return f"{decimal(self)} {self.currency}"


def parse(text: object, code: str) -> Money:
    """Read a plain decimal string ("1", "1.00"), never a number, sign or exponent.

    Errors: `amount_invalid`, `amount_too_fine` (non-zero digits finer than the ledger keeps), `currency_unknown`.
    """
    kept = currency(code)
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Problem(AMOUNT_INVALID)
    whole, fraction = match.group(1), (match.group(2) or "").rstrip("0")
    if len(fraction) > kept.scale:
        raise Problem(AMOUNT_TOO_FINE)
    units = int(whole) * 10**kept.scale + int((fraction or "0").ljust(kept.scale, "0"))
    if units > MAX_UNITS:
        raise Problem(AMOUNT_INVALID, "The amount is larger than this system keeps.")
    return Money(units, code)


def parse_payable(text: object, code: str) -> Money:
    """As `parse`, and refuses what could not be paid: more decimals than the currency's own exponent."""
    money = parse(text, code)
    if money.units % _units_per_minor(currency(code)):
        raise Problem(AMOUNT_TOO_FINE, f"{code} is paid with {currency(code).exponent} decimals.")
    return money


def decimal(money: Money) -> str:
    """Exact decimal string: at least the currency's own decimals, more only where the ledger holds more."""
    kept = CURRENCIES[money.currency]
    sign = "-" if money.units < 0 else ""
    whole, rest = divmod(abs(money.units), 10**kept.scale)
    digits = f"{rest:0{kept.scale}d}".rstrip("0").ljust(kept.exponent, "0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def from_minor(minor: int, code: str) -> Money:
    """Money from an integer count of the currency's smallest paid unit (EUR cents, JPY yen, satoshi)."""
    assert type(minor) is int, "minor units are integers"
    return Money(minor * _units_per_minor(currency(code)), code)


def to_minor(money: Money) -> int:
    """The smallest-unit count; `amount_too_fine` when a part of a minor unit would be lost."""
    minor, rest = divmod(money.units, _units_per_minor(CURRENCIES[money.currency]))
    if rest:
        raise Problem(AMOUNT_TOO_FINE, "The amount cannot be paid in the currency's smallest unit.")
    return minor


def payable_floor(money: Money) -> Money:
    """The largest payable amount not above `money`: what cannot be paid out stays on the balance."""
    step = _units_per_minor(CURRENCIES[money.currency])
    return Money(money.units - money.units % step, money.currency)


def _units_per_minor(kept: Currency) -> int:
    return int(10 ** (kept.scale - kept.exponent))

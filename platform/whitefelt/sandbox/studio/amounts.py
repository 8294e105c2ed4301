"""The studio's money: whole cents inside, decimal strings on the wire."""

import re

_CENTS = re.compile(r"(0|[1-9][0-9]{0,8})(?:\.([0-9]{1,2}))?")
_FIGURE = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,18})?")


def to_text(cents: int) -> str:
    """Cents as a decimal string with two places: 1200 is ``"12.00"``."""
    assert cents >= 0
    return f"{cents // 100}.{cents % 100:02d}"


def signed_text(cents: int) -> str:
    """Like ``to_text`` for figures that may be negative, such as a net result."""
    return ("-" if cents < 0 else "") + to_text(abs(cents))


def to_cents(text: object) -> int | None:
    """A decimal string of at most two places as cents; None when it is anything else."""
    match = _CENTS.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def shown(figure: object) -> str | None:
    """A wallet's balance for the player's eyes: two places, finer ones cut off; None when it is no figure."""
    if not isinstance(figure, str) or not _FIGURE.fullmatch(figure):
        return None
    whole, _, fine = figure.partition(".")
    return f"{int(whole)}.{(fine + '00')[:2]}"

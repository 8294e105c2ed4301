"""Values in words: amounts with grouped digits, instants in the operator's time zone, lengths of time."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from whitefelt.kernel import clock, errors
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money, decimal

_MINUS = "\u2212"


def amount(value: Money) -> str:
    """`1,234.50`: grouped digits, the currency's own decimals, a real minus sign."""
    text = decimal(value)
    sign, text = (_MINUS, text[1:]) if text.startswith("-") else ("", text)
    whole, point, fraction = text.partition(".")
    return f"{sign}{int(whole):,}{point}{fraction}"


def money(value: Money) -> str:
    """`1,234.50 EUR`, never broken across lines."""
    return f"{amount(value)}\u00a0{value.currency}"


def when(at: datetime, zone: str = "UTC", *, seconds: bool = False) -> str:
    """`22 Nov 09:41`, in that time zone; with the year when it is not this year."""
    local = at.astimezone(ZoneInfo(zone))
    year = "" if local.year == clock.now().astimezone(ZoneInfo(zone)).year else f" {local.year}"
    clock_text = f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"
    return f"{local.day} {local:%b}{year} {clock_text}".replace(" ", "\u00a0")


def span(length: timedelta | int) -> str:
    """A length of time in its two largest units: `3 d 4 h`, `2 h 10 min`, `12 min`, `40 s`."""
    seconds = max(0, int(length.total_seconds()) if isinstance(length, timedelta) else length)
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    if days:
        parts = [f"{days} d", f"{hours} h" if hours else ""]
    elif hours:
        parts = [f"{hours} h", f"{minutes} min" if minutes else ""]
    else:
        parts = [f"{minutes} min" if minutes else f"{rest} s"]
    return " ".join(part for part in parts if part).replace(" ", "\u00a0")


_ADVICE = {
    errors.FORBIDDEN: "Your role does not include this. Whoever manages staff can tell you who may do it.",
    errors.NOT_FOUND: "The address may be old, or what it named belongs to someone else.",
    errors.CSRF_FAILED: "Go back, load the page again and repeat what you did. Nothing has been changed.",
    errors.RATE_LIMITED: "Wait a moment, then try again.",
}


def advice(problem: Problem) -> str:
    """What to do about a page that failed."""
    if problem.code in _ADVICE:
        return _ADVICE[problem.code]
    if problem.code.status == 404:
        return _ADVICE[errors.NOT_FOUND]
    if problem.code.status >= 500:
        return "Nothing was decided or moved by this request. Try again; if it stays, pass on the trace below."
    return "Nothing has been changed."


def local_path(wanted: str) -> str:
    """The path on this very site that `wanted` names, `/` for anything else: an address given to us leads nowhere else."""
    plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    return wanted if plain and wanted.startswith("/") and not wanted.startswith("//") else "/"

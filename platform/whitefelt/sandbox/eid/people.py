"""Test persons and Swedish personal numbers with a correct check digit. Pure: the day is passed in.

The serials 980 to 999 are not given to real people, so nobody's number is shown here by accident.
"""

import hashlib
from dataclasses import asdict, dataclass
from datetime import date


@dataclass(frozen=True)
class Identity:
    """Who somebody is, as the protocol hands it over."""

    personal_number: str
    first_name: str
    last_name: str
    birth_date: str
    country: str


def check_digit(nine: str) -> int:
    """The tenth digit of a Swedish personal number (YYMMDDNNN): weights 2 1 2 1 .., digit sums, up to the next ten."""
    total = 0
    for place, digit in enumerate(nine):
        product = int(digit) * (2 if place % 2 == 0 else 1)
        total += product // 10 + product % 10
    return -total % 10


def swedish_number(born: date, serial: int) -> str:
    """Twelve digits: the birth date, the three-digit serial (odd: men, even: women), and the check digit."""
    nine = f"{born:%y%m%d}{serial:03d}"
    return f"{born:%Y%m%d}{serial:03d}{check_digit(nine)}"


def years_between(born: date, today: date) -> int:
    """Whole years of age."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


_ADULTS = (
    ("Astrid", "Lindqvist", date(1991, 3, 14), 982),
    ("Erik", "Norén", date(1973, 9, 2), 981),
    ("Karin", "Sjöberg", date(1952, 12, 24), 984),
    ("Jonas", "Älvdal", date(1986, 6, 30), 985),
)
_FIRST = ("Alva", "Björn", "Ebba", "Nils", "Saga", "Tage", "Vera", "Ivar", "Liv", "Olle", "Märta", "Sixten")
_LAST = ("Björkman", "Dalberg", "Ekdahl", "Forsgren", "Granath", "Hagström", "Kvist", "Lövgren", "Modin", "Rask")


def listed(today: date, order_id: str) -> list[Identity]:
    """The persons on the page: four adults, one just eighteen, one under age, and a new one for each order."""
    people = [_swede(first, last, born, serial) for first, last, born, serial in _ADULTS]
    people.append(_swede("Maja", "Tornberg", _years_ago(today, 18), 986))
    people.append(_swede("Oskar", "Nyman", _years_ago(today, 16), 987))
    people.append(newcomer(order_id))
    return people


def newcomer(order_id: str) -> Identity:
    """An adult made from the order's id: the same for one order, another for the next."""
    seed = int.from_bytes(hashlib.sha256(order_id.encode()).digest()[:8])
    born = date(1950 + seed % 50, 1 + (seed >> 8) % 12, 1 + (seed >> 16) % 28)
    first, last = _FIRST[(seed >> 24) % len(_FIRST)], _LAST[(seed >> 32) % len(_LAST)]
    return _swede(first, last, born, 980 + (seed >> 40) % 20)


def _swede(first: str, last: str, born: date, serial: int) -> Identity:
    return Identity(swedish_number(born, serial), first, last, born.isoformat(), "SE")


def _years_ago(today: date, years: int) -> date:
    """The first of this month so many years ago: the age is right on every day of the year."""
    return date(today.year - years, today.month, 1)


def told(identity: Identity) -> dict[str, str]:
    """An identity as JSON."""
    return asdict(identity)

"""European roulette's mathematics: thirty-seven pockets, one zero, and the return by complete enumeration. Pure."""

from collections.abc import Mapping
from fractions import Fraction

WHEEL: tuple[int, ...] = (
    *(0, 32, 15, 19, 4, 21, 2, 25, 17, 34, 6, 27, 13, 36, 11, 30, 8, 23, 10),
    *(5, 24, 16, 33, 1, 20, 14, 31, 9, 22, 18, 29, 7, 28, 12, 35, 3, 26),
)
"""The pockets clockwise from zero."""

REDS = frozenset({1, 3, 5, 7, 9, 12, 14, 16, 18, 19, 21, 23, 25, 27, 30, 32, 34, 36})
_STRAIGHT = 35


def _spots() -> dict[str, tuple[frozenset[int], int]]:
    numbers = range(1, 37)
    spots = {str(number): (frozenset({number}), _STRAIGHT) for number in range(37)}
    spots["red"] = (REDS, 1)
    spots["black"] = (frozenset(numbers) - REDS, 1)
    spots["odd"] = (frozenset(n for n in numbers if n % 2), 1)
    spots["even"] = (frozenset(n for n in numbers if n % 2 == 0), 1)
    spots["low"] = (frozenset(range(1, 19)), 1)
    spots["high"] = (frozenset(range(19, 37)), 1)
    for third in (1, 2, 3):
        spots[f"dozen-{third}"] = (frozenset(range(12 * third - 11, 12 * third + 1)), 2)
        spots[f"column-{third}"] = (frozenset(n for n in numbers if n % 3 == third % 3), 2)
    return spots


SPOTS: Mapping[str, tuple[frozenset[int], int]] = _spots()
"""Every place for a chip: the numbers it covers and what it pays to one."""


def colour_of(number: int) -> str:
    """``green``, ``red`` or ``black``."""
    return "green" if number == 0 else "red" if number in REDS else "black"


def evaluate(number: int, bets: Mapping[str, int], spots: Mapping[str, tuple[frozenset[int], int]] = SPOTS) -> int:
    """What the bets (cents by spot) give back when this number falls: winning stakes and their gains, in cents."""
    assert 0 <= number <= 36
    return sum(cents * (spots[spot][1] + 1) for spot, cents in bets.items() if number in spots[spot][0])


def spot_return(spot: str, spots: Mapping[str, tuple[frozenset[int], int]] = SPOTS) -> Fraction:
    """The exact expected return of one chip on this spot, over all thirty-seven numbers."""
    return Fraction(sum(evaluate(number, {spot: 1}, spots) for number in range(37)), 37)


def enumerated_return(spots: Mapping[str, tuple[frozenset[int], int]] = SPOTS) -> Fraction:
    """The lowest return among all spots; in European roulette they are all 36/37."""
    return min(spot_return(spot, spots) for spot in spots)

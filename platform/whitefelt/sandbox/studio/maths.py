"""What the studio's games are and what they give back; every stated return is enumerated, never typed in. Pure."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from . import orchard, roulette

SLOT, ROULETTE = "lf-midnight-orchard", "lf-roulette"


@dataclass(frozen=True)
class Game:
    """One title of the catalogue; stakes in cents."""

    code: str
    title: str
    kind: str
    volatility: str
    min_stake_cents: int
    max_stake_cents: int
    stake_step_cents: int
    features: tuple[str, ...]
    blurb: str


GAMES: dict[str, Game] = {
    game.code: game
    for game in (
        Game(
            SLOT,
            "Midnight Orchard",
            "slot",
            "medium",
            10,
            100_00,
            10,
            ("5 reels", "10 lines", "Wild moon", "Owl scatter"),
            "When the moon is up, the fruit glows. Ten lines, a wild moon, and owls that pay from every branch.",
        ),
        Game(
            ROULETTE,
            "Lantern Roulette",
            "table",
            "medium",
            50,
            500_00,
            10,
            ("European wheel", "Single zero", "Inside and outside bets"),
            "One zero, thirty-seven pockets, and a wheel lit by lanterns.",
        ),
    )
}


@cache
def stated_return(code: str) -> Fraction:
    """The theoretical return of a game per unit staked, exactly, by enumeration of all combinations."""
    return orchard.enumerated_return() if code == SLOT else roulette.enumerated_return()


def percent_of(share: Fraction) -> str:
    """A share as a percentage with two places, rounded half up: 36/37 is ``"97.30"``."""
    hundredths = (share * 10_000 + Fraction(1, 2)).__floor__()
    return f"{hundredths // 100}.{hundredths % 100:02d}"

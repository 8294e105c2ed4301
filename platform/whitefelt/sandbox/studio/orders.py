"""Reading what a player wants to stake, from a page or from a test; every fault is a sentence."""

from collections.abc import Mapping
from typing import Any

from .._input import Refused
from . import roulette
from .amounts import to_cents, to_text
from .maths import GAMES, SLOT, Game

_MOST_BETS = 60


def game_of(code: object) -> Game:
    """A game of the catalogue; 404 for any other code."""
    game = GAMES.get(code) if isinstance(code, str) else None
    if game is None:
        raise Refused(404, "game_unknown", "The studio has no game with this code.")
    return game


def read_stake(game: Game, body: Mapping[str, Any], *, lenient: bool = False) -> tuple[int, dict[str, int] | None]:
    """The stake in cents and, for roulette, the chips by spot.

    ``lenient`` (tests) lets a roulette stake stand for a chip on red and lifts the limits, not the ten lines.
    """
    if game.code == SLOT:
        if body.get("bets") is not None:
            raise Refused(400, "field_invalid", "A slot takes a stake, not bets.")
        stake, bets = _cents("stake", body.get("stake")), None
    else:
        given = body.get("bets")
        if given is None and lenient:
            given = {"red": body.get("stake")}
        bets = _bets(given)
        stake = sum(bets.values())
        named = body.get("stake")
        if named is not None and _cents("stake", named) != stake:
            raise Refused(400, "field_invalid", "stake is not the sum of the bets.")
    if game.code == SLOT and (stake % game.stake_step_cents or stake == 0):
        raise Refused(400, "stake_invalid", "The stake must be a multiple of 0.10: a tenth goes on each line.")
    if not lenient and not game.min_stake_cents <= stake <= game.max_stake_cents:
        least, most = to_text(game.min_stake_cents), to_text(game.max_stake_cents)
        raise Refused(400, "stake_invalid", f"This game takes stakes from {least} to {most}.")
    return stake, bets


def _bets(given: object) -> dict[str, int]:
    if not isinstance(given, dict) or not 0 < len(given) <= _MOST_BETS:
        raise Refused(400, "field_invalid", "bets must name at least one spot and its amount.")
    bets = {}
    for spot, amount in given.items():
        if spot not in roulette.SPOTS:
            raise Refused(400, "field_invalid", f"There is no spot {spot[:20]!r} on the table.")
        bets[spot] = _cents(f"bets.{spot}", amount)
        if bets[spot] == 0:
            raise Refused(400, "field_invalid", "A chip must be worth more than nothing.")
    return bets


def _cents(name: str, value: object) -> int:
    cents = to_cents(value)
    if cents is None:
        raise Refused(400, "field_invalid", f'{name} must be a decimal string such as "1.00".')
    return cents

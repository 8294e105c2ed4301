"""Drawing outcomes: from the system's randomness, or from what a test has queued for the player."""

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from .._books import Books
from . import orchard, roulette
from .amounts import to_cents
from .maths import GAMES, SLOT

_random = random.SystemRandom()
_SEARCH = 2000


def queue(books: Books, wallet: str | None, player: str, game: str | None, specs: Sequence[str]) -> int:
    """Queue checked outcomes (JSON texts) for a player's next rounds; how many wait now."""
    with books.transaction():
        for spec in specs:
            books.write("INSERT INTO outcomes (wallet,player,game,spec) VALUES (?,?,?,?)", (wallet, player, game, spec))
        waiting = books.row("SELECT count(*) AS n FROM outcomes WHERE player = ?", (player,))
    assert waiting is not None
    return int(waiting["n"])


def checked(spec: object) -> dict[str, Any] | None:
    """A scripted outcome in canonical form, or None when it is none.

    Exactly one of ``win`` (decimal string), ``number`` (0 to 36), ``reels`` (five stops, or five columns that exist).
    """
    if not isinstance(spec, dict) or len(spec) != 1:
        return None
    if "win" in spec:
        cents = to_cents(spec["win"])
        return None if cents is None else {"win_cents": cents}
    number = spec.get("number")
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 36:
        return {"number": number}
    reels = spec.get("reels")
    if isinstance(reels, list) and len(reels) == 5:
        stops = [_stop_of(strip, wanted) for strip, wanted in zip(orchard.STRIPS, reels, strict=True)]
        return None if None in stops else {"stops": stops}
    return None


def _stop_of(strip: Sequence[str], wanted: object) -> int | None:
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        return wanted if 0 <= wanted < len(strip) else None
    if isinstance(wanted, list):
        for stop in range(len(strip)):
            if [strip[(stop + row) % len(strip)] for row in range(3)] == wanted:
                return stop
    return None


def draw(
    books: Books, wallet: str, player: str, game: str, stake_cents: int, bets: Mapping[str, int] | None
) -> dict[str, Any]:
    """The next outcome for this player: scripted if one is queued (and used up), otherwise random.

    Call it inside the transaction that writes the round. The result always has ``win_cents`` and ``scripted``.
    """
    spec = _take(books, wallet, player, game)
    if game == SLOT:
        return _slot(spec, stake_cents)
    assert game in GAMES and bets
    return _roulette(spec, bets)


def _take(books: Books, wallet: str, player: str, game: str) -> dict[str, Any] | None:
    fits = {"win_cents", "stops"} if game == SLOT else {"win_cents", "number"}
    rows = books.rows(
        "SELECT seq, spec FROM outcomes WHERE player = ? AND (wallet IS NULL OR wallet = ?)"
        " AND (game IS NULL OR game = ?) ORDER BY seq",
        (player, wallet, game),
    )
    for row in rows:
        spec: dict[str, Any] = json.loads(row["spec"])
        if fits & spec.keys():
            books.write("DELETE FROM outcomes WHERE seq = ?", (row["seq"],))
            return spec
    return None


def _slot(spec: dict[str, Any] | None, stake_cents: int) -> dict[str, Any]:
    if spec and "win_cents" in spec:
        return _slot_forced(spec["win_cents"], stake_cents)
    stops = spec["stops"] if spec else [_random.randrange(len(strip)) for strip in orchard.STRIPS]
    return _slot_shown(stops, stake_cents, scripted=spec is not None)


def _slot_shown(stops: Sequence[int], stake_cents: int, *, scripted: bool) -> dict[str, Any]:
    columns = orchard.window(stops)
    result = orchard.evaluate(columns, stake_cents)
    return {
        "win_cents": result.win_cents,
        "scripted": scripted,
        "stops": list(stops),
        "reels": [list(column) for column in columns],
        "lines": [
            {"line": w.line, "symbol": w.symbol, "count": w.count, "win_cents": w.win_cents} for w in result.lines
        ],
        "owls": result.owls,
        "scatter_cents": result.scatter_cents,
    }


def _slot_forced(win_cents: int, stake_cents: int) -> dict[str, Any]:
    """A window that pays exactly this if one turns up in a short search, else the nearest with the amount forced."""
    best: tuple[int, list[int]] | None = None
    for _ in range(_SEARCH):
        stops = [_random.randrange(len(strip)) for strip in orchard.STRIPS]
        pays = orchard.evaluate(orchard.window(stops), stake_cents).win_cents
        if (pays > 0) != (win_cents > 0):
            continue
        gap = abs(pays - win_cents)
        if best is None or gap < best[0]:
            best = (gap, stops)
        if gap == 0:
            break
    assert best is not None
    shown = _slot_shown(best[1], stake_cents, scripted=True)
    return shown if best[0] == 0 else {**shown, "win_cents": win_cents, "forced": True}


def _roulette(spec: dict[str, Any] | None, bets: Mapping[str, int]) -> dict[str, Any]:
    if spec is None:
        number, forced = _random.randrange(37), None
    elif "number" in spec:
        number, forced = spec["number"], None
    else:
        forced = spec["win_cents"]
        gaps = {n: abs(roulette.evaluate(n, bets) - forced) for n in range(37)}
        number = _random.choice([n for n, gap in gaps.items() if gap == min(gaps.values())])
    pays = roulette.evaluate(number, bets)
    outcome = {
        "win_cents": pays,
        "scripted": spec is not None,
        "number": number,
        "colour": roulette.colour_of(number),
        "winning_spots": sorted(spot for spot in bets if number in roulette.SPOTS[spot][0]),
    }
    return outcome if forced is None or forced == pays else {**outcome, "win_cents": forced, "forced": True}

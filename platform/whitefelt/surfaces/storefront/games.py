"""The lobby, the list of games, and the page where one is played."""

from __future__ import annotations

from flask import Response, request

from whitefelt import compliance, games
from whitefelt.games import Title
from whitefelt.kernel import errors, web
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import page, views

#: Up to this many titles the lobby shows each one large; beyond it, rails by kind.
FEATURED_MOST = 4
#: A page of games is a capped list.
LIST_MOST, RAIL_MOST = 120, 24

_STEPS = (("fair", "check"), ("money", "list"), ("limits", "limit"), ("break", "pause"))


def tile(title: Title) -> views.Tile:
    """A title as the lobby shows it."""
    texts = page.look().texts
    kind = title.kind if f"kind.{title.kind}" in texts else "other"
    return views.Tile(
        code=title.code, title=title.title, studio=title.studio, kind=kind, kind_label=texts[f"kind_one.{kind}"],
        art_url=title.art_url, rtp=f"{title.rtp}\N{NO-BREAK SPACE}%" if title.rtp else "", blurb=title.description,
    )  # fmt: skip


def _allow_studios() -> None:
    for directive, origins in games.origins(page.tenant()).items():
        web.csp(**{directive: " ".join(sorted(origins))})


@access("anyone")
def lobby() -> Response:
    """The brand's front page."""
    _allow_studios()
    tiles = [tile(one) for one in games.library(page.tenant(), limit=LIST_MOST)]
    featured: tuple[views.Tile, ...] = tuple(tiles)
    rails: tuple[views.Rail, ...] = ()
    if len(tiles) > FEATURED_MOST:
        kinds = dict.fromkeys(one.kind for one in tiles)
        rows = {kind: tuple(one for one in tiles if one.kind == kind)[:RAIL_MOST] for kind in kinds}
        featured, rails = (), tuple(views.Rail(kind, row) for kind, row in rows.items())
    steps = tuple(views.Step(name, icon) for name, icon in _STEPS)
    return page.show("lobby", place="lobby", featured=featured, rails=rails, steps=steps)


@access("anyone")
def all_games() -> Response:
    """Every game, filtered by kind and by a word; the filters live in the address."""
    _allow_studios()
    query, kind = request.args.get("q", "").strip()[:60], request.args.get("kind", "all")
    tiles = [tile(one) for one in games.library(page.tenant(), limit=LIST_MOST)]
    present = ["all", *dict.fromkeys(one.kind for one in tiles)]
    kinds = tuple(
        views.Kind(name, "/games" if name == "all" else f"/games?kind={name}", name == kind) for name in present
    )
    words = query.casefold()
    shown = tuple(
        one
        for one in tiles
        if kind in ("all", one.kind) and (not words or words in f"{one.title} {one.studio} {one.kind_label}".casefold())
    )
    return page.show("games", place="games", query=query, kinds=kinds, tiles=shown)


@access("anyone")
def one_game(code: str) -> Response:
    """The game in its frame, or what it is and what opens the way to it."""
    _allow_studios()
    title = games.title(page.tenant(), code)
    who = page.player()
    play, gate = None, None
    try:
        if who is None:
            raise Problem(errors.NOT_SIGNED_IN)
        with unit_of_work(page.tenant()) as work:
            compliance.play_gate(work, who)
        launched = games.launch(page.tenant(), who, code, lobby_url=page.address("/"))
        play = views.Play(url=launched.url)
    except Problem as problem:
        if problem.code.status >= 500:
            raise
        gate = page.gate(problem)
    return page.show("game", place="games", title=tile(title), play=play, gate=gate)

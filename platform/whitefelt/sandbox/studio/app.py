"""What the studio serves: the catalogue, the artwork, the game page, and the page's own small API."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, current_app, jsonify, render_template, request
from markupsafe import Markup

from .._clock import now_ms
from .._input import Refused, install_errors, json_body, origin_of, text_of, words_of
from . import books as ledger
from . import orchard, roulette
from .amounts import shown, to_text
from .art import artwork, wheel
from .control import control
from .maths import GAMES, SLOT, Game, percent_of, stated_return
from .orders import game_of, read_stake
from .rounds import Order, Played, play
from .sending import Studio
from .sentences import sentence_for
from .wallet_client import deliver

STUDIO = "Lumen Forge"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'"
)


def create_app(studio: Studio) -> Flask:
    """The studio's web application."""
    app = Flask(__name__, static_folder="static", static_url_path="/static")
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 300
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["studio"] = studio
    app.extensions["spinning"] = set()
    install_errors(app)
    app.register_blueprint(control)
    app.add_url_rule("/", view_func=front)
    app.add_url_rule("/games", view_func=games)
    app.add_url_rule("/games/<code>", view_func=one_game)
    app.add_url_rule("/games/<code>/artwork.svg", view_func=game_artwork)
    app.add_url_rule("/play", view_func=play_page)
    app.add_url_rule("/api/launches/<launch_id>", view_func=launch_state)
    app.add_url_rule("/api/spin", view_func=spin, methods=["POST"])
    app.after_request(_harden)
    return app


def _studio() -> Studio:
    found: Studio = current_app.extensions["studio"]
    return found


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
    if request.path.startswith(("/api/", "/play", "/control")):
        response.headers["Cache-Control"] = "no-store"
    return response


def _described(game: Game) -> dict[str, Any]:
    share = stated_return(game.code)
    base = str(_studio().config.read().get("base_url") or request.host_url).rstrip("/")
    return {
        "code": game.code,
        "title": game.title,
        "studio": STUDIO,
        "kind": game.kind,
        "theoretical_return": {
            "exact": f"{share.numerator}/{share.denominator}",
            "percent": percent_of(share),
        },
        "volatility": game.volatility,
        "min_stake": to_text(game.min_stake_cents),
        "max_stake": to_text(game.max_stake_cents),
        "features": list(game.features),
        "description": game.blurb,
        "artwork_url": f"{base}/games/{game.code}/artwork.svg",
        "launch_url": f"{base}/play",
    }


def front() -> tuple[str, int, dict[str, str]]:
    """The studio's front door for people who open its address."""
    page = render_template("front.html", games=[_described(game) for game in GAMES.values()])
    return page, 200, {"Content-Security-Policy": _PAGE_POLICY}


def games() -> Response:
    """The catalogue."""
    return jsonify(studio=STUDIO, items=[_described(game) for game in GAMES.values()])


def one_game(code: str) -> Response:
    """One title of the catalogue."""
    return jsonify(_described(game_of(code)))


def game_artwork(code: str) -> Response:
    """The 3:4 tile of a game."""
    response = Response(artwork(game_of(code)), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def play_page() -> tuple[str, int, dict[str, str]]:
    """The game in a frame; opens a launch in the books, and the page knows only its id."""
    headers = {"Content-Security-Policy": _PAGE_POLICY}
    try:
        launch = _read_launch(request.args)
    except Refused as refusal:
        return render_template("sorry.html", sentence=refusal.message), refusal.status, headers
    game = game_of(launch["game"])
    page = {
        "launch_id": ledger.add_launch(_studio().books, launch),
        "game": game,
        "currency": launch["currency"],
        "lobby_url": launch["lobby_url"],
        "percent": percent_of(stated_return(game.code)),
        "exact": stated_return(game.code),
        "min_stake": to_text(game.min_stake_cents),
        "max_stake": to_text(game.max_stake_cents),
        "orchard": orchard,
        "roulette": roulette,
        "wheel": Markup(wheel()),  # noqa: S704 - drawn by us from constants
    }
    return render_template("orchard.html" if game.code == SLOT else "roulette.html", **page), 200, headers


def _read_launch(query: Mapping[str, str]) -> dict[str, str | None]:
    launch: dict[str, str | None] = {
        name: text_of(query, name) for name in ("wallet", "session", "player", "game", "currency")
    }
    if game_of(launch["game"]) and _studio().wallet(str(launch["wallet"])) is None:
        raise Refused(404, "wallet_unknown", "This casino is not connected to the studio.")
    launch["language"] = words_of(query, "language", limit=35, default="en")
    lobby = query.get("lobby_url")
    launch["lobby_url"] = lobby if lobby and len(lobby) <= 2000 and origin_of(lobby) else None
    return launch


def _launch(launch_id: object) -> sqlite3.Row:
    row = None
    if isinstance(launch_id, str):
        row = _studio().books.row("SELECT * FROM launches WHERE launch_id = ?", (launch_id,))
    if row is None or row["created_ms"] < now_ms() - ledger.LAUNCH_LIFE_MS:
        raise Refused(404, "launch_unknown", "This game window has expired. Please open the game again.")
    return row


def launch_state(launch_id: str) -> Response:
    """What the page needs to begin: the balance, and how many wins are still on their way."""
    launch = _launch(launch_id)
    wallet = _studio().wallet(launch["wallet"])
    if wallet is None:
        raise Refused(404, "wallet_unknown", "This casino is not connected to the studio.")
    body = {"type": "balance", **{name: launch[name] for name in ("player", "session", "currency", "game")}}
    raw = json.dumps(body, separators=(",", ":")).encode()
    answer = deliver(wallet, "balance", raw, timeout_seconds=3)
    ok = answer.verdict == "ok"
    code = None if ok else str(answer.data.get("code", "no_answer"))
    pending = _studio().books.row(
        "SELECT count(*) AS n FROM messages m JOIN rounds r ON r.round_id = m.round_id"
        " WHERE m.state = 'pending' AND m.kind = 'win' AND r.wallet = ? AND r.player = ? AND m.amount_cents > 0",
        (launch["wallet"], launch["player"]),
    )
    return jsonify(
        balance=shown(answer.data.get("balance")) if ok else None,
        code=code,
        message="" if ok else sentence_for("refused", code, ""),
        pending_wins=pending["n"] if pending else 0,
    )


def spin() -> Response:
    """Play one round for an open game window; one at a time."""
    body = json_body()
    launch = _launch(body.get("launch"))
    game = game_of(launch["game"])
    stake, bets = read_stake(game, body)
    spinning: set[str] = current_app.extensions["spinning"]
    launch_id = launch["launch_id"]
    if launch_id in spinning:
        raise Refused(409, "round_running", "The last round is still running.")
    spinning.add(launch_id)
    try:
        wallet, session, player, code, currency = (
            launch[name] for name in ("wallet", "session", "player", "game", "currency")
        )
        order = Order(wallet, session, player, code, currency, stake, bets)
        return jsonify(_told(order, play(_studio(), order)))
    finally:
        spinning.discard(launch_id)


def _told(order: Order, played: Played) -> dict[str, Any]:
    outcome = dict(played.outcome) if played.outcome else None
    win = to_text(outcome.pop("win_cents")) if outcome else None
    if outcome and "lines" in outcome:
        outcome["lines"] = [
            {**{key: line[key] for key in ("line", "symbol", "count")}, "win": to_text(line["win_cents"])}
            for line in outcome["lines"]
        ]
        outcome["scatter_win"] = to_text(outcome.pop("scatter_cents"))
    return {
        "round_id": played.round_id,
        "state": played.state,
        "code": played.code,
        "message": sentence_for(played.state, played.code, f"{win} {order.currency}"),
        "stake": to_text(order.stake_cents),
        "win": win,
        "outcome": outcome,
        "balance_after_bet": played.balance_after_bet,
        "balance": played.balance,
    }

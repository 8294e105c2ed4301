"""The control for tests and demos: scripts outcomes, breaks the wire on purpose, plays rounds, opens the books."""

import json
import threading
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from .._clock import now_seconds
from .._input import Refused, flag_of, json_body, loopback_only, paging, text_of, whole_of
from . import books as ledger
from . import outcomes
from .amounts import to_text
from .orders import game_of, read_stake
from .rounds import Order, play
from .sending import Studio, try_once
from .sentences import sentence_for
from .wallet_client import Delivery, Wallet, deliver_raw, signature

control = Blueprint("control", __name__, url_prefix="/control")
control.before_request(loopback_only)

_LIST = {
    "POST /control/outcomes": "{player, outcomes: [{win: '12.00'} | {reels: [..]} | {number: 17}], wallet?, game?}",
    "GET /control/outcomes": "what is queued; DELETE forgets it (?player=)",
    "POST /control/spin": "{wallet, session, player, game, currency, stake, bets?}: a round without a browser",
    "POST /control/faults": "{wallet?, player?, types?, duplicate, parallel, drop_answer, slow_ms, bad_signature,"
    " bad_key, clock_skew_seconds, refund_before_bet, refund_instead_of_win, win_twice, hold_win}",
    "GET /control/faults": "faults in force; DELETE clears them",
    "POST /control/messages": "{wallet, path, body | raw, key_id?, secret?, timestamp?, signature?, times?, parallel?}",
    "POST /control/resend": "{transaction_id, times?}: the same bytes again, whatever their state",
    "GET /control/books": "?wallet=&player=&state=&limit=&offset=: totals, rounds and messages",
    "GET /control/rounds/<round_id>": "one round with its messages",
}


def _studio() -> Studio:
    found: Studio = current_app.extensions["studio"]
    return found


def _wallet(body: dict[str, Any]) -> Wallet:
    wallet = _studio().wallet(text_of(body, "wallet"))
    if wallet is None:
        raise Refused(404, "wallet_unknown", "No wallet with this id is configured.")
    return wallet


@control.get("", strict_slashes=False)
def list_controls() -> Response:
    """All controls with their shapes."""
    return jsonify(controls=_LIST)


@control.post("/outcomes")
def queue_outcomes() -> tuple[Response, int]:
    """Queue outcomes for a player's next rounds."""
    body = json_body()
    wanted = body.get("outcomes")
    if not isinstance(wanted, list) or not 0 < len(wanted) <= 1000:
        raise Refused(400, "field_invalid", "outcomes must be a list of 1 to 1000 entries.")
    game = text_of(body, "game", default=None)
    if game is not None:
        game_of(game)
    specs = []
    for place, spec in enumerate(wanted):
        found = outcomes.checked(spec)
        if found is None:
            raise Refused(400, "outcome_invalid", f"outcomes[{place}] is no outcome of these games. See GET /control.")
        specs.append(json.dumps(found))
    player, wallet = text_of(body, "player"), text_of(body, "wallet", default=None)
    return jsonify(waiting=outcomes.queue(_studio().books, wallet, player, game, specs)), 201


@control.get("/outcomes")
def queued_outcomes() -> Response:
    """What is queued."""
    rows = _studio().books.rows("SELECT * FROM outcomes ORDER BY seq LIMIT 1000")
    return jsonify(
        items=[{**{k: r[k] for k in ("wallet", "player", "game")}, "outcome": json.loads(r["spec"])} for r in rows]
    )


@control.delete("/outcomes")
def forget_outcomes() -> Response:
    """Forget what is queued, for one player or for all."""
    player = request.args.get("player")
    gone = _studio().books.write("DELETE FROM outcomes WHERE ? IS NULL OR player = ?", (player, player))
    return jsonify(forgotten=gone)


@control.post("/spin")
def spin() -> Response:
    """Play a round without a browser; the whole story comes back."""
    body = json_body()
    wallet, game = _wallet(body), game_of(text_of(body, "game"))
    stake, bets = read_stake(game, body, lenient=True)
    order = Order(
        wallet.wallet_id,
        text_of(body, "session"),
        text_of(body, "player"),
        game.code,
        text_of(body, "currency", limit=12),
        stake,
        bets,
    )
    played = play(_studio(), order)
    story = ledger.story_of(_studio().books, played.round_id)
    sentence = sentence_for(played.state, played.code, f"{story['win']} {order.currency}")
    return jsonify(
        {
            **story,
            "result": played.state,
            "code": played.code,
            "message": sentence,
            "balance_after_bet": played.balance_after_bet,
            "balance": played.balance,
        }
    )


@control.post("/faults")
def set_faults() -> Response:
    """Break the wire on purpose from now on."""
    _studio().faults.put(json_body())
    _studio().pump.wake()
    return jsonify(items=_studio().faults.listed())


@control.route("/faults", methods=["GET", "DELETE"])
def show_faults() -> Response:
    """The faults in force; DELETE clears them first."""
    if request.method == "DELETE":
        _studio().faults.clear()
        _studio().pump.wake()
    return jsonify(items=_studio().faults.listed())


@control.post("/messages")
def send_message() -> Response:
    """Send any bytes to a wallet, signed unless told otherwise; not part of the studio's books."""
    body = json_body()
    wallet = _wallet(body)
    path = text_of(body, "path", limit=200)
    if "raw" in body:
        if not isinstance(body["raw"], str):
            raise Refused(400, "field_invalid", "raw must be a text.")
        raw = body["raw"].encode()
    else:
        raw = json.dumps(body.get("body"), separators=(",", ":")).encode()
    key_id, secret = text_of(body, "key_id", default=wallet.key_id), text_of(body, "secret", default=wallet.secret)
    timestamp = body.get("timestamp", now_seconds())
    stamp = text_of({"timestamp": str(timestamp)}, "timestamp")
    signed = body.get("signature", signature(secret, key_id, stamp, raw))
    headers = {"X-Whitefelt-Key": key_id, "X-Whitefelt-Timestamp": stamp}
    if signed is not None:
        headers["X-Whitefelt-Signature"] = text_of({"signature": signed}, "signature", limit=500)
    url = f"{wallet.callback_url}/{path.lstrip('/')}"
    count = whole_of(body, "times", 1, 200, 1)
    found = _send_all(url, headers, raw, count, flag_of(body, "parallel", False))
    answers = [{"status": d.status, "body": ledger.loosely(d.answer), "error": d.error} for d in found]
    return jsonify({**answers[0], "answers": answers, "sent": {"headers": headers, "body": raw.decode()}})


def _send_all(url: str, headers: dict[str, str], raw: bytes, count: int, parallel: bool) -> list[Delivery]:
    if not parallel:
        return [deliver_raw(url, headers, raw, 10) for _ in range(count)]
    found: list[Delivery] = []
    threads = [threading.Thread(target=lambda: found.append(deliver_raw(url, headers, raw, 10))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@control.post("/resend")
def resend() -> Response:
    """Send a message of the books again, byte for byte."""
    body = json_body()
    transaction_id = text_of(body, "transaction_id")
    if ledger.message_of(_studio().books, transaction_id) is None:
        raise Refused(404, "message_unknown", "The books hold no message with this transaction id.")
    found = [try_once(_studio(), transaction_id, 10_000) for _ in range(whole_of(body, "times", 1, 100, 1))]
    return jsonify(answers=[{"status": d.status, "body": ledger.loosely(d.answer), "error": d.error} for d in found])


@control.get("/books")
def show_books() -> Response:
    """Totals to reconcile with, and the rounds behind them, newest first."""
    wallet, player, state = (request.args.get(name) or None for name in ("wallet", "player", "state"))
    limit, offset = paging(100)
    rows = _studio().books.rows(
        "SELECT round_id FROM rounds WHERE (:w IS NULL OR wallet = :w) AND (:p IS NULL OR player = :p)"
        " AND (:s IS NULL OR state = :s) ORDER BY seq DESC LIMIT :n OFFSET :o",
        {"w": wallet, "p": player, "s": state, "n": limit, "o": offset},
    )
    unfinished = _studio().books.rows(
        "SELECT transaction_id, kind, amount_cents FROM messages WHERE state = 'pending' ORDER BY seq LIMIT 500"
    )
    return jsonify(
        totals=ledger.totals(_studio().books, wallet, player),
        rounds=[ledger.story_of(_studio().books, row["round_id"]) for row in rows],
        pending=[
            {"transaction_id": r["transaction_id"], "type": r["kind"], "amount": to_text(r["amount_cents"])}
            for r in unfinished
        ],
    )


@control.get("/rounds/<round_id>")
def show_round(round_id: str) -> Response:
    """One round with its messages."""
    if ledger.round_of(_studio().books, round_id) is None:
        raise Refused(404, "round_unknown", "The books hold no round with this id.")
    return jsonify(ledger.story_of(_studio().books, round_id))

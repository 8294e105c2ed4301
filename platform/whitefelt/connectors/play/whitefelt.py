"""Whitefelt's native play protocol, version 1: what a studio without a wallet protocol of its own speaks.

Source: docs/protocols/native-play.md (own specification). JSON over POST, HMAC-SHA256 over key id, timestamp and raw body,
amounts as decimal strings.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from whitefelt.kernel import http, money
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.registry import Setting
from whitefelt.wagering.ports import Answer, CatalogueTitle, Endpoint, Launch, Message, PlayCode, Refused, Reply

NAME = "whitefelt"
CONFIG = (
    Setting("origin", "Origin of the studio's servers, such as https://games.example"),
    Setting("provider", "The studio's name as players see it"),
    Setting("key_id", "Key id that the studio sends with every message", secret=True),
    Setting("secret", "Shared secret of the signature", secret=True),
)
CLOCK_SECONDS = 300
OPERATIONS = ("balance", "bet", "win", "refund")

#: HTTP status, title and whether repeating may help, for every code.
CODES: dict[PlayCode, tuple[int, str, bool]] = {
    PlayCode.OK: (200, "Booked.", False),
    PlayCode.INTEGRATION_UNKNOWN: (404, "There is no such integration.", False),
    PlayCode.BODY_TOO_LARGE: (413, "The body is larger than 64 KiB.", False),
    PlayCode.RATE_LIMITED: (429, "Too many messages. Wait a moment.", True),
    PlayCode.OPERATION_UNKNOWN: (404, "There is no such operation.", False),
    PlayCode.SIGNATURE_INVALID: (401, "The signature does not match.", False),
    PlayCode.TIMESTAMP_OUT_OF_RANGE: (401, "The timestamp is too far from the wallet's clock.", False),
    PlayCode.BODY_INVALID: (400, "The message could not be read.", False),
    PlayCode.AMOUNT_TOO_FINE: (400, "The amount has more decimals than the ledger keeps.", False),
    PlayCode.PLAYER_UNKNOWN: (404, "There is no such player.", False),
    PlayCode.CURRENCY_MISMATCH: (400, "That is not this player's currency.", False),
    PlayCode.SESSION_UNKNOWN: (403, "There is no such session of this player and game.", False),
    PlayCode.SESSION_EXPIRED: (403, "The session has expired.", False),
    PlayCode.GAME_UNKNOWN: (404, "There is no such game.", False),
    PlayCode.TRANSACTION_CONFLICT: (409, "This transaction id was used with other data.", False),
    PlayCode.TRANSACTION_ROLLED_BACK: (409, "This bet was given back before it arrived.", False),
    PlayCode.STAKES_NOT_ALLOWED: (403, "This player may not place bets.", False),
    PlayCode.ROUND_CLOSED: (409, "The round is over.", False),
    PlayCode.ROUND_UNKNOWN: (409, "No bet opened this round.", True),
    PlayCode.REFERENCE_INVALID: (409, "The reference names no bet of this player.", False),
    PlayCode.INSUFFICIENT_FUNDS: (402, "Not enough money.", False),
    PlayCode.LIMIT_REACHED: (403, "A limit is reached.", False),
    PlayCode.TEMPORARILY_UNAVAILABLE: (503, "Send the same message again.", True),
}


def ORIGINS(config: Mapping[str, Any]) -> dict[str, str]:
    """The game runs in a frame of the studio's origin, which also serves the artwork."""
    return {"frame-src": str(config["origin"]), "img-src": str(config["origin"])}


def sign(key_id: str, secret: str, timestamp: str, body: bytes) -> str:
    """Lower-case hex HMAC-SHA256 over `key id . timestamp . body`."""
    return hmac.new(secret.encode(), f"{key_id}.{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def decode(endpoint: Endpoint, path: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Message:
    """Verify, then translate. Refused: signature_invalid, timestamp_out_of_range, operation_unknown, body_invalid, .."""
    _verify(endpoint, headers, body, now)
    if path not in OPERATIONS:
        raise Refused(PlayCode.OPERATION_UNKNOWN, path)
    fields = _fields(body)
    if fields.get("type") != path:
        raise Refused(PlayCode.BODY_INVALID, "type differs from the path")
    currency = _text(fields, "currency")
    if currency not in money.CURRENCIES:
        raise Refused(PlayCode.CURRENCY_MISMATCH, "unknown currency")
    moves, pays = path != "balance", path in ("bet", "win")
    return Message(
        kind=path,
        player=_text(fields, "player"),
        currency=currency,
        session=_text(fields, "session") if path in ("balance", "bet") else None,
        game=_text(fields, "game", optional=not moves),
        round_ref=_text(fields, "round_id") if moves else None,
        ref=_text(fields, "transaction_id") if moves else None,
        target_ref=_text(fields, "reference_transaction_id") if path == "refund" else None,
        amount=_amount(fields, currency) if pays else None,
        closes=_flag(fields, "round_closed") if moves else False,
    )


def _verify(endpoint: Endpoint, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    key_id = headers.get("x-whitefelt-key", "")
    timestamp = headers.get("x-whitefelt-timestamp", "")
    signature = headers.get("x-whitefelt-signature", "")
    expected = sign(endpoint.secrets["key_id"], endpoint.secrets["secret"], timestamp, body)
    # Both are compared in constant time and only then judged, so that timing tells nothing about either.
    known = hmac.compare_digest(key_id.encode(), str(endpoint.secrets["key_id"]).encode())
    signed = hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), expected.encode())
    if not (known and signed):
        raise Refused(PlayCode.SIGNATURE_INVALID)
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        raise Refused(PlayCode.TIMESTAMP_OUT_OF_RANGE)
    if abs(int(timestamp) - int(now.timestamp())) > CLOCK_SECONDS:
        raise Refused(PlayCode.TIMESTAMP_OUT_OF_RANGE)


def _fields(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(PlayCode.BODY_INVALID, "not JSON") from error
    if not isinstance(found, dict):
        raise Refused(PlayCode.BODY_INVALID, "not an object")
    return found


def _text(fields: Mapping[str, Any], name: str, optional: bool = False) -> Any:
    value = fields.get(name)
    if value is None and optional:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= 128 or not value.isascii() or not value.isprintable():
        raise Refused(PlayCode.BODY_INVALID, f"{name} must be 1 to 128 printable ASCII characters")
    return value


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise Refused(PlayCode.BODY_INVALID, f"{name} must be true or false")
    return value


def _amount(fields: Mapping[str, Any], currency: str) -> money.Money:
    try:
        return money.parse(fields.get("amount"), currency)
    except Problem as problem:
        too_fine = problem.code is money.AMOUNT_TOO_FINE
        raise Refused(PlayCode.AMOUNT_TOO_FINE if too_fine else PlayCode.BODY_INVALID, "amount") from problem


def encode(answer: Answer) -> Reply:
    """The native answer: figures for success, a problem document for a refusal."""
    status, title, retryable = CODES[answer.code]
    told: dict[str, Any] = {}
    if answer.code is PlayCode.OK:
        told["status"] = "ok"
        if answer.message is not None and answer.message.ref is not None:
            told["transaction_id"] = answer.message.ref
            told["wallet_transaction_id"] = answer.wallet_ref
            told["replayed"] = answer.replayed
        told |= _balances(answer)
        return Reply(status, json.dumps(told).encode())
    told = {
        "type": f"urn:whitefelt:problem:{answer.code.value}", "code": answer.code.value, "title": title, "detail": title,
        "status": status, "retryable": retryable,
    }  # fmt: skip
    if answer.message is not None and answer.message.ref is not None:
        told["transaction_id"] = answer.message.ref
        told["replayed"] = answer.replayed
    if answer.code is PlayCode.INSUFFICIENT_FUNDS:
        told |= _balances(answer)
    headers = (("Retry-After", "1"),) if retryable else ()
    return Reply(status, json.dumps(told).encode(), "application/problem+json", headers)


def _balances(answer: Answer) -> dict[str, str]:
    if answer.cash is None or answer.bonus is None:
        return {}
    return {
        "currency": answer.cash.currency,
        "balance": money.decimal(answer.cash + answer.bonus),
        "cash": money.decimal(answer.cash),
        "bonus": money.decimal(answer.bonus),
    }


def launch_url(endpoint: Endpoint, launch: Launch) -> str:
    """The studio's page for one visit to one game."""
    query = {
        "wallet": endpoint.public_id, "session": launch.session, "player": launch.player, "game": launch.game,
        "currency": launch.currency, "language": launch.language, "lobby_url": launch.lobby_url,
    }  # fmt: skip
    return f"{endpoint.config['origin']}/play?{urlencode(query)}"


def catalogue(endpoint: Endpoint) -> list[CatalogueTitle]:
    """The studio's titles, from its `/games`; raises kernel.http.VendorError."""
    told = http.call("GET", f"{endpoint.config['origin']}/games", seconds=5).json()
    try:
        return [_title(endpoint, one) for one in told["items"]]
    except (KeyError, TypeError) as error:
        raise http.VendorUnknown("the catalogue has another shape") from error


def _title(endpoint: Endpoint, one: Mapping[str, Any]) -> CatalogueTitle:
    return CatalogueTitle(
        code=str(one["code"]), title=str(one["title"]), studio=str(endpoint.config["provider"]), kind=str(one["kind"]),
        rtp=str(one["theoretical_return"]["percent"]), volatility=str(one.get("volatility", "")),
        art_url=str(one["artwork_url"]), min_stake=str(one["min_stake"]), max_stake=str(one["max_stake"]),
        features=tuple(str(feature) for feature in one.get("features", ())), description=str(one.get("description", "")),
    )  # fmt: skip

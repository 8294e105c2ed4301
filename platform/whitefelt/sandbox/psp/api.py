"""What Sandpay serves to merchants: payments and payouts, each create remembered under its idempotency key."""

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request

from .._clock import now_ms
from .._input import Refused, json_body, paging, text_of, url_of, whole_of, words_of
from .books import PAYMENT_LIFE_MS, mode_of, new_id, payment_told, payout_told
from .money import EXPONENTS, MOST
from .sender import Provider

api = Blueprint("api", __name__, url_prefix="/v1")


def provider() -> Provider:
    """The provider that this application serves."""
    found: Provider = current_app.extensions["provider"]
    return found


@api.before_request
def _authenticate() -> None:
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    merchant = provider().merchant_by_key(key) if kind.lower() == "bearer" and key else None
    if merchant is None:
        raise Refused(401, "unauthorised", "The API key is missing or unknown.")
    g.merchant = merchant["name"]


def _once(create: Callable[[dict[str, Any]], dict[str, Any]]) -> tuple[Response, int]:
    """Create under the request's idempotency key, or repeat the first answer."""
    key = request.headers.get("Idempotency-Key")
    key = text_of({"Idempotency-Key": key}, "Idempotency-Key", limit=255)
    body = json_body()
    canonical = json.dumps([request.path, body], sort_keys=True).encode()
    digest = hashlib.sha256(canonical).hexdigest()
    books = provider().books
    with books.transaction():
        known = books.row("SELECT * FROM answers WHERE merchant = ? AND key = ?", (g.merchant, key))
        if known is not None and known["request_hash"] != digest:
            raise Refused(409, "idempotency_conflict", "This idempotency key was used with another request.")
        if known is not None:
            answer = json.loads(known["answer"])
        else:
            answer = create(body)
            books.write("INSERT INTO answers VALUES (?,?,?,?,?)", (g.merchant, key, digest, 201, json.dumps(answer)))
    response = jsonify(answer)
    if known is not None:
        response.headers["Idempotent-Replayed"] = "true"
    return response, 201


def _amount(body: dict[str, Any]) -> tuple[int, str]:
    currency = body.get("currency")
    if not isinstance(currency, str) or currency not in EXPONENTS:
        raise Refused(400, "currency_unsupported", "currency must be one that Sandpay knows, for example EUR.")
    return whole_of(body, "amount", 1, MOST), currency


@api.post("/payments")
def create_payment() -> tuple[Response, int]:
    """Open a payment; the payer goes on at its ``redirect_url``."""
    mode = mode_of(provider().books)
    if mode["start"] == "error":
        raise Refused(503, "unavailable", "Sandpay cannot start payments at the moment.")
    answer = _once(_create_payment)
    if mode["start"] == "slow":
        # The payment exists by now: a merchant who gives up waiting finds it by its idempotency key.
        time.sleep(mode["slow_ms"] / 1000)
    return answer


def _create_payment(body: dict[str, Any]) -> dict[str, Any]:
    amount, currency = _amount(body)
    customer = body.get("customer", {})
    if not isinstance(customer, dict):
        raise Refused(400, "field_invalid", "customer must be an object.")
    customer = {
        "id": text_of(customer, "id", default=None),
        "email": words_of(customer, "email", limit=254, default=None),
    }
    payment_id = new_id("pay")
    base = str(provider().config.read().get("base_url") or request.host_url).rstrip("/")
    values = (
        payment_id,
        g.merchant,
        text_of(body, "reference"),
        amount,
        currency,
        url_of(body, "return_url"),
        url_of(body, "webhook_url"),
        words_of(body, "description", default=None),
        json.dumps(customer),
        f"{base}/pay/{payment_id}",
        now_ms(),
        now_ms() + PAYMENT_LIFE_MS,
    )
    provider().books.write(
        "INSERT INTO payments (id,merchant,reference,amount,currency,return_url,webhook_url,description,customer,"
        "redirect_url,status,created_ms,expires_ms) VALUES (?,?,?,?,?,?,?,?,?,?,'created',?,?)",
        values,
    )
    row = provider().books.row("SELECT * FROM payments WHERE id = ?", (payment_id,))
    assert row is not None
    return payment_told(row)


@api.post("/payouts")
def create_payout() -> tuple[Response, int]:
    """Order a payout; it is decided a moment later."""
    answer = _once(_create_payout)
    provider().pump.wake()
    return answer


def _create_payout(body: dict[str, Any]) -> dict[str, Any]:
    amount, currency = _amount(body)
    destination = body.get("destination")
    if not isinstance(destination, dict):
        raise Refused(400, "field_invalid", "destination must be an object with a token.")
    payout_id = new_id("po")
    values = (
        payout_id,
        g.merchant,
        text_of(body, "reference"),
        amount,
        currency,
        url_of(body, "webhook_url"),
        text_of(destination, "token", limit=200),
        now_ms(),
    )
    provider().books.write(
        "INSERT INTO payouts (id,merchant,reference,amount,currency,webhook_url,token,status,created_ms)"
        " VALUES (?,?,?,?,?,?,?,'pending',?)",
        values,
    )
    row = provider().books.row("SELECT * FROM payouts WHERE id = ?", (payout_id,))
    assert row is not None
    return payout_told(row)


@api.get("/payments/<payment_id>")
def show_payment(payment_id: str) -> Response:
    """One payment of this merchant."""
    row = provider().books.row("SELECT * FROM payments WHERE id = ? AND merchant = ?", (payment_id, g.merchant))
    if row is None:
        raise Refused(404, "payment_unknown", "This merchant has no payment with this id.")
    return jsonify(payment_told(row))


@api.get("/payouts/<payout_id>")
def show_payout(payout_id: str) -> Response:
    """One payout of this merchant."""
    row = provider().books.row("SELECT * FROM payouts WHERE id = ? AND merchant = ?", (payout_id, g.merchant))
    if row is None:
        raise Refused(404, "payout_unknown", "This merchant has no payout with this id.")
    return jsonify(payout_told(row))


@api.get("/payments")
def list_payments() -> Response:
    """This merchant's payments with a reference, oldest first."""
    return jsonify(items=[payment_told(row) for row in _by_reference("payments")])


@api.get("/payouts")
def list_payouts() -> Response:
    """This merchant's payouts with a reference, oldest first."""
    return jsonify(items=[payout_told(row) for row in _by_reference("payouts")])


def _by_reference(table: str) -> list[Any]:
    reference = text_of(request.args, "reference")
    limit, offset = paging(100)
    return provider().books.rows(
        f"SELECT * FROM {table} WHERE merchant = ? AND reference = ? ORDER BY seq LIMIT ? OFFSET ?",  # noqa: S608
        (g.merchant, reference, limit, offset),
    )

"""The hosted payment page: the payer pays, declines or cancels, and goes back to the merchant."""

import json
import sqlite3
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from .._input import origin_of
from .api import provider
from .books import settle_payment
from .money import written

page = Blueprint("page", __name__)

REASONS = {
    "insufficient_funds": "Not enough money on the card",
    "issuer_declined": "The bank says no",
    "authentication_failed": "Identity check failed",
    "limit_exceeded": "Card limit exceeded",
    "suspected_fraud": "Suspected fraud",
}
_ENDED = {
    "paid": ("Paid", "This payment has been made."),
    "declined": ("Declined", "This payment was declined. Nothing was charged."),
    "cancelled": ("Cancelled", "This payment was cancelled. Nothing was charged."),
    "expired": ("Expired", "This payment page has expired. Nothing was charged."),
}
_ACTIONS = {"pay": "paid", "decline": "declined", "cancel": "cancelled"}


def return_address(url: str, payment_id: str) -> str:
    """The merchant's return address with the payment appended to its query."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode({"payment": payment_id})) if part)
    return urlunsplit(parts._replace(query=query))


def _payment(payment_id: str) -> sqlite3.Row | None:
    return provider().books.row("SELECT * FROM payments WHERE id = ?", (payment_id,))


@page.get("/")
def front() -> Response:
    """A front door for people who got lost."""
    return _render("front.html", None, 200)


@page.get("/pay/<payment_id>")
def show(payment_id: str) -> Response:
    """The payment page."""
    row = _payment(payment_id)
    if row is None:
        return _render("gone.html", None, 404)
    return _render("pay.html", row, 200)


@page.post("/pay/<payment_id>")
def decide(payment_id: str) -> AnyResponse:
    """The payer's decision; always back to the merchant, also when it had been taken before."""
    row = _payment(payment_id)
    if row is None:
        return _render("gone.html", None, 404)
    status = _ACTIONS.get(request.form.get("action", ""))
    reason = request.form.get("reason", "issuer_declined")
    if status is None or (status == "declined" and reason not in REASONS):
        return _render("pay.html", row, 400)
    settle_payment(provider().books, payment_id, status, reason if status == "declined" else None)
    provider().pump.wake()
    return redirect(return_address(row["return_url"], payment_id), 303)


def _render(template: str, row: sqlite3.Row | None, status: int) -> Response:
    details = {}
    # Browsers hold a form to its policy across redirects: the way back must be named here.
    targets = "'self'"
    if row is not None:
        targets += f" {origin_of(row['return_url'])}"
        title, sentence = _ENDED.get(row["status"], ("", ""))
        details = {
            "payment": row,
            "merchant": provider().config.title_of("merchants", row["merchant"]),
            "amount": written(row["amount"], row["currency"]),
            "customer": json.loads(row["customer"] or "{}"),
            "reasons": REASONS,
            "back": return_address(row["return_url"], row["id"]),
            "title": title,
            "sentence": sentence,
        }
    response = make_response(render_template(template, **details), status)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none';"
        f" form-action {targets}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response

"""The control for tests and demos: decides payments without a browser, holds and repeats webhooks, opens the books."""

import json
import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, request

from .._clock import iso, now_ms
from .._input import Refused, flag_of, json_body, loopback_only, paging, whole_of
from .api import provider
from .books import DEFAULT_MODE, mode_of, payment_told, payout_told, set_mode, settle_payment, settle_payout
from .page import REASONS
from .sender import send_event

control = Blueprint("control", __name__, url_prefix="/control")
control.before_request(loopback_only)

_LIST = {
    "POST /control/payments/<id>/pay|cancel|expire": "{}: as if the payer had done it",
    "POST /control/payments/<id>/decline": f"{{reason?: {' | '.join(REASONS)}}}",
    "POST /control/payouts/<id>/pay|fail": "{}: decide a pending payout now",
    "POST /control/events/<id>/resend": "{times?}: send an event again, freshly signed, whatever its state",
    "POST /control/mode": "{webhook_delay_ms?, duplicate?, hold?, drop_first_n?, payout?: paid | failed | hold,"
    " payout_delay_ms?, start?: ok | error | slow, slow_ms?}; GET shows it, DELETE restores it",
    "POST /control/release": "{}: hold ends and all waiting webhooks go out",
    "GET /control/events": "?reference=&state=&limit=&offset=",
    "GET /control/payments": "?reference=&status=&limit=&offset=",
    "GET /control/payouts": "?reference=&status=&limit=&offset=",
    "GET /control/books": "totals per merchant and currency of paid payments and payouts",
}


@control.get("", strict_slashes=False)
def list_controls() -> Response:
    """All controls with their shapes."""
    return jsonify(controls=_LIST)


@control.post("/payments/<payment_id>/<action>")
def decide_payment(payment_id: str, action: str) -> Response:
    """Pay, decline, cancel or expire an open payment."""
    status = {"pay": "paid", "decline": "declined", "cancel": "cancelled", "expire": "expired"}.get(action)
    if status is None:
        raise Refused(404, "action_unknown", "There is pay, decline, cancel and expire.")
    reason = json_body(optional=True).get("reason", "issuer_declined")
    if not isinstance(reason, str) or reason not in REASONS:
        raise Refused(400, "field_invalid", f"reason must be one of {', '.join(REASONS)}.")
    row = _one("payments", payment_id)
    if not settle_payment(provider().books, payment_id, status, reason if status == "declined" else None):
        raise Refused(409, "payment_final", f"This payment is already {row['status']}.")
    provider().pump.wake()
    return jsonify(payment_told(_one("payments", payment_id)))


@control.post("/payouts/<payout_id>/<action>")
def decide_payout(payout_id: str, action: str) -> Response:
    """Pay a pending payout or let it fail."""
    status = {"pay": "paid", "fail": "failed"}.get(action)
    if status is None:
        raise Refused(404, "action_unknown", "There is pay and fail.")
    row = _one("payouts", payout_id)
    if not settle_payout(provider().books, payout_id, status, "bank_refused" if status == "failed" else None):
        raise Refused(409, "payout_final", f"This payout is already {row['status']}.")
    provider().pump.wake()
    return jsonify(payout_told(_one("payouts", payout_id)))


def _one(table: str, row_id: str) -> sqlite3.Row:
    row = provider().books.row(f"SELECT * FROM {table} WHERE id = ?", (row_id,))  # noqa: S608
    if row is None:
        raise Refused(404, "unknown", f"There is nothing with this id among the {table}.")
    return row


@control.post("/events/<event_id>/resend")
def resend(event_id: str) -> Response:
    """Send an event again, now, and report the answers."""
    times = whole_of(json_body(optional=True), "times", 1, 100, 1)
    _one("events", event_id)
    sent = [send_event(provider(), event_id) for _ in range(times)]
    return jsonify(answers=[{"status": status, "error": error} for status, error in sent])


@control.route("/mode", methods=["GET", "POST", "DELETE"])
def mode() -> Response:
    """How Sandpay behaves; POST changes, DELETE restores."""
    if request.method == "DELETE":
        set_mode(provider().books, DEFAULT_MODE)
    if request.method == "POST":
        set_mode(provider().books, _checked_mode(json_body()))
    provider().pump.wake()
    return jsonify(mode_of(provider().books))


def _checked_mode(body: dict[str, Any]) -> dict[str, Any]:
    choices = {"payout": ("paid", "failed", "hold"), "start": ("ok", "error", "slow")}
    numbers = {
        "webhook_delay_ms": 600_000,
        "duplicate": 50,
        "drop_first_n": 50,
        "payout_delay_ms": 600_000,
        "slow_ms": 60_000,
    }
    changes: dict[str, Any] = {}
    for name, value in body.items():
        if name in choices:
            if value not in choices[name]:
                raise Refused(400, "field_invalid", f"{name} must be one of {', '.join(choices[name])}.")
            changes[name] = value
        elif name in numbers:
            changes[name] = whole_of(body, name, 0, numbers[name])
        elif name == "hold":
            changes[name] = flag_of(body, name)
        else:
            raise Refused(400, "field_unknown", f"There is no mode named {name[:40]!r}. See GET /control.")
    return changes


@control.post("/release")
def release() -> Response:
    """End the hold: everything that waits goes out now."""
    books = provider().books
    with books.transaction():
        set_mode(books, {"hold": False})
        waiting = books.write("UPDATE events SET next_ms = ? WHERE state = 'pending'", (now_ms(),))
    provider().pump.wake()
    return jsonify(released=waiting)


def _listed(table: str, column: str) -> list[sqlite3.Row]:
    limit, offset = paging(100)
    reference, wanted = request.args.get("reference") or None, request.args.get(column) or None
    return provider().books.rows(
        f"SELECT * FROM {table} WHERE (:r IS NULL OR reference = :r) AND (:w IS NULL OR {column} = :w)"  # noqa: S608
        " ORDER BY seq DESC LIMIT :n OFFSET :o",
        {"r": reference, "w": wanted, "n": limit, "o": offset},
    )


@control.get("/events")
def events() -> Response:
    """Events, newest first, with how their delivery stands."""
    items = [
        {
            **{name: row[name] for name in ("id", "merchant", "type", "reference", "url", "state", "tries")},
            **{name: row[name] for name in ("last_status", "last_error")},
            "subject_id": row["subject"],
            "created_at": iso(row["created_ms"]),
            "body": json.loads(bytes(row["body"])),
        }
        for row in _listed("events", "state")
    ]
    return jsonify(items=items)


@control.get("/payments")
def payments() -> Response:
    """Payments of all merchants, newest first."""
    return jsonify(items=[{**payment_told(row), "merchant": row["merchant"]} for row in _listed("payments", "status")])


@control.get("/payouts")
def payouts() -> Response:
    """Payouts of all merchants, newest first."""
    return jsonify(items=[{**payout_told(row), "merchant": row["merchant"]} for row in _listed("payouts", "status")])


@control.get("/books")
def books() -> Response:
    """Totals in minor units per merchant and currency, to reconcile with."""
    rows = provider().books.rows(
        "SELECT merchant, currency, sum(paid_in) AS paid_in, sum(n_in) AS n_in, sum(paid_out) AS paid_out,"
        " sum(n_out) AS n_out, sum(pending_out) AS pending_out FROM ("
        " SELECT merchant, currency, CASE WHEN status = 'paid' THEN amount ELSE 0 END AS paid_in,"
        " status = 'paid' AS n_in, 0 AS paid_out, 0 AS n_out, 0 AS pending_out FROM payments UNION ALL"
        " SELECT merchant, currency, 0, 0, CASE WHEN status = 'paid' THEN amount ELSE 0 END, status = 'paid',"
        " CASE WHEN status = 'pending' THEN amount ELSE 0 END FROM payouts) GROUP BY merchant, currency ORDER BY 1, 2"
    )
    return jsonify(
        totals=[
            {
                "merchant": row["merchant"],
                "currency": row["currency"],
                "payments": {"count": row["n_in"], "amount": row["paid_in"]},
                "payouts": {"count": row["n_out"], "amount": row["paid_out"]},
                "payouts_pending": row["pending_out"],
                "net": row["paid_in"] - row["paid_out"],
            }
            for row in rows
        ]
    )

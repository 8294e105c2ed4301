"""What Nordkey serves: orders for relying parties, the person's page, and the control for tests."""

import hmac
import sqlite3
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Blueprint, Flask, Response, current_app, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from .._books import Books
from .._clock import now_seconds
from .._input import Refused, install_errors, json_body, loopback_only, origin_of, paging, text_of, url_of
from .._server import Config
from . import orders
from .people import listed, years_between

rp = Blueprint("rp", __name__, url_prefix="/rp/v1")
page = Blueprint("page", __name__)
control = Blueprint("control", __name__, url_prefix="/control")
control.before_request(loopback_only)

_CONTROLS = {
    "POST /control/orders/<order_id>/approve": "{personal_number, first_name, last_name, birth_date, country}",
    "POST /control/orders/<order_id>/cancel": "{}",
    "POST /control/orders/<order_id>/expire": "{}",
    "GET /control/orders": "?reference=&limit=&offset=: newest first",
}


def create_app(books: Books, config: Config) -> Flask:
    """Nordkey's web application."""
    app = Flask(__name__, static_folder="static", static_url_path="/static")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 300
    app.extensions["books"], app.extensions["eid_config"] = books, config
    install_errors(app)
    for blueprint in (rp, page, control):
        app.register_blueprint(blueprint)
    app.after_request(_harden)
    return app


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    return response


def _books() -> Books:
    found: Books = current_app.extensions["books"]
    return found


def _today() -> date:
    return datetime.fromtimestamp(now_seconds(), UTC).date()


def _party() -> dict[str, Any]:
    config: Config = current_app.extensions["eid_config"]
    kind, _, key = request.headers.get("Authorization", "").partition(" ")
    for party in config.entries("relying_parties", "name", "key"):
        if kind.lower() == "bearer" and hmac.compare_digest(party["key"].encode(), key.encode()):
            return party
    raise Refused(401, "unauthorised", "The relying party key is missing or unknown.")


@rp.post("/orders")
def open_order() -> tuple[Response, int]:
    """Open an order; the person goes on at its ``redirect_url``."""
    party, body = _party(), json_body()
    country = orders.read_country(body)
    row = orders.open_order(_books(), party["name"], text_of(body, "reference"), url_of(body, "return_url"), country)
    config: Config = current_app.extensions["eid_config"]
    base = str(config.read().get("base_url") or request.host_url).rstrip("/")
    return jsonify(orders.opened(row, base)), 201


@rp.post("/orders/<order_id>/collect")
def collect(order_id: str) -> Response:
    """How an order of this relying party stands; others' orders do not exist."""
    party = _party()
    row = orders.order_of(_books(), order_id)
    if row is None or row["party"] != party["name"]:
        raise Refused(404, "order_unknown", "This relying party has no order with this id.")
    return jsonify(orders.collected(row, party["key"]))


def return_address(row: sqlite3.Row) -> str:
    """The relying party's return address with the order appended to its query."""
    parts = urlsplit(str(row["return_url"]))
    query = "&".join(part for part in (parts.query, urlencode({"order": row["order_id"]})) if part)
    return str(urlunsplit(parts._replace(query=query)))


@page.get("/")
def front() -> Response:
    """A front door for people who got lost."""
    return _render("front.html", None, 200)


@page.get("/identify/<order_id>")
def show(order_id: str) -> Response:
    """The person's page."""
    row = orders.order_of(_books(), order_id)
    return _render("identify.html", row, 200) if row is not None else _render("gone.html", None, 404)


@page.post("/identify/<order_id>")
def decide(order_id: str) -> AnyResponse:
    """The person approves as somebody, or cancels; always back to the relying party."""
    row = orders.order_of(_books(), order_id)
    if row is None:
        return _render("gone.html", None, 404)
    action = request.form.get("action", "")
    if action == "cancel":
        orders.cancel(_books(), order_id)
    elif action == "approve":
        try:
            identity = _chosen(row)
        except Refused as refusal:
            return _render("identify.html", row, 400, refusal.message)
        orders.approve(_books(), order_id, identity)
    else:
        return _render("identify.html", row, 400, "Choose to approve or to cancel.")
    return redirect(return_address(row), 303)


def _chosen(row: sqlite3.Row) -> Any:
    """The listed person that was picked, or the one that was typed."""
    picked = request.form.get("identity", "")
    people = listed(_today(), row["order_id"])
    if picked == "other":
        form = {name: value.strip() for name, value in request.form.items()}
        return orders.read_identity(form, _today())
    if not picked.isascii() or not picked.isdigit() or len(picked) > 2 or not 1 <= int(picked) <= len(people):
        raise Refused(400, "identity_missing", "Choose a person first.")
    return people[int(picked) - 1]


def _render(template: str, row: sqlite3.Row | None, status: int, problem: str = "") -> Response:
    details: dict[str, Any] = {}
    # Browsers hold a form to its policy across redirects: the way back must be named here.
    targets = "'self'"
    if row is not None:
        targets += f" {origin_of(row['return_url'])}"
        config: Config = current_app.extensions["eid_config"]
        people = listed(_today(), row["order_id"])
        ages = [years_between(date.fromisoformat(person.birth_date), _today()) for person in people]
        details = {
            "order": row,
            "party": config.title_of("relying_parties", row["party"]),
            "people": list(zip(people, ages, strict=True)),
            "back": return_address(row),
            "typed": request.form,
            "problem": problem,
        }
    response = make_response(render_template(template, **details), status)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none';"
        f" form-action {targets}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@control.get("", strict_slashes=False)
def list_controls() -> Response:
    """All controls with their shapes."""
    return jsonify(controls=_CONTROLS)


@control.get("/orders")
def list_orders() -> Response:
    """Orders of all relying parties, newest first."""
    limit, offset = paging(100)
    reference = request.args.get("reference") or None
    rows = _books().rows(
        "SELECT * FROM orders WHERE ? IS NULL OR reference = ? ORDER BY seq DESC LIMIT ? OFFSET ?",
        (reference, reference, limit, offset),
    )
    names = ("order_id", "party", "reference", "status", "country")
    return jsonify(items=[{name: row[name] for name in names} for row in rows])


@control.post("/orders/<order_id>/<action>")
def decide_order(order_id: str, action: str) -> Response:
    """Approve, cancel or expire a pending order without a browser."""
    row = orders.order_of(_books(), order_id)
    if row is None:
        raise Refused(404, "order_unknown", "There is no order with this id.")
    if action == "approve":
        moved = orders.approve(_books(), order_id, orders.read_identity(json_body(), _today()))
    elif action in ("cancel", "expire"):
        moved = {"cancel": orders.cancel, "expire": orders.expire}[action](_books(), order_id)
    else:
        raise Refused(404, "action_unknown", "There is approve, cancel and expire.")
    if not moved:
        raise Refused(409, "order_final", f"This order is already {row['status']}.")
    after = orders.order_of(_books(), order_id)
    assert after is not None
    return jsonify(order_id=order_id, reference=after["reference"], status=after["status"])

"""Postbox's web side: the inbox for people and the same as JSON for tests."""

import sqlite3

from flask import Blueprint, Flask, Response, current_app, jsonify, make_response, render_template, request

from .._books import Books
from .._input import Refused, install_errors, loopback_only, paging
from . import store

inbox = Blueprint("inbox", __name__)
api = Blueprint("api", __name__, url_prefix="/api")
api.before_request(loopback_only)

_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"
)
# A mail may style itself and carry its pictures along; it may not run, fetch, or send anything.
_MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"


def create_app(books: Books) -> Flask:
    """The inbox around the books."""
    app = Flask(__name__, static_folder="static", static_url_path="/static")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["books"] = books
    install_errors(app)
    app.register_blueprint(inbox)
    app.register_blueprint(api)
    app.after_request(_harden)
    return app


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Content-Security-Policy", _PAGE_POLICY)
    return response


def _books() -> Books:
    found: Books = current_app.extensions["books"]
    return found


def _message(message_id: int) -> sqlite3.Row:
    row = store.one(_books(), message_id) if message_id < 2**63 else None
    if row is None:
        raise Refused(404, "message_unknown", "There is no message with this number.")
    return row


def _address() -> str | None:
    return request.args.get("to") or None


@inbox.get("/")
def index() -> str:
    """The inbox: messages on the left, the first of them open."""
    return _inbox(None)


@inbox.get("/messages/<int:message_id>")
def show(message_id: int) -> str:
    """The inbox with one message open."""
    return _inbox(_message(message_id))


def _inbox(chosen: sqlite3.Row | None) -> str:
    limit, offset = paging(30, 100)
    rows, total = store.page_of(_books(), _address(), limit, offset)
    return render_template(
        "inbox.html",
        items=[store.told(_books(), row) for row in rows],
        opened=store.told(_books(), chosen) if chosen is not None else None,
        total=total,
        to=_address(),
        limit=limit,
        offset=offset,
    )


@inbox.get("/messages/<int:message_id>/html")
def html(message_id: int) -> Response:
    """The HTML part alone, for the sandboxed frame."""
    content = store.told(_books(), _message(message_id))["html"]
    response = make_response(content or "", 200 if content is not None else 404)
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    return response


@inbox.get("/messages/<int:message_id>/raw")
def raw(message_id: int) -> Response:
    """The message as it came."""
    return Response(bytes(_message(message_id)["raw"]), mimetype="text/plain")


@api.get("/messages")
def list_messages() -> Response:
    """``?to=&limit=&offset=``: newest first."""
    limit, offset = paging(50, 200)
    rows, total = store.page_of(_books(), _address(), limit, offset)
    following = offset + limit if offset + limit < total else None
    return jsonify(items=[store.told(_books(), row) for row in rows], total=total, next_offset=following)


@api.get("/messages/<int:message_id>")
def one_message(message_id: int) -> Response:
    """One message."""
    return jsonify(store.told(_books(), _message(message_id)))


@api.delete("/messages")
def delete_messages() -> Response:
    """Forget all messages, or those ``?to=`` an address."""
    return jsonify(deleted=store.clear(_books(), _address()))

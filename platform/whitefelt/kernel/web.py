"""Web plumbing shared by every site: one way to fail, one set of headers, trace ids, CSRF, cookies, pagination.

A site (brand, back office, supplier console) is one Flask application made by `make_app`. Who may call a view is decided
here too, from its declaration (`kernel.routes.access`) and the site's `authenticate` function, so that no view can forget.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import marshmallow as ma
from flask import Flask, Response, g, make_response, request
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from psycopg import OperationalError as DriverOperationalError
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as QueueTimeout
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from whitefelt.kernel import context, errors, ids, routes, settings
from whitefelt.kernel.context import Actor
from whitefelt.kernel.errors import Problem

log = logging.getLogger("whitefelt.web")

MAX_BODY_BYTES = 256 * 1024
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
#: What the drivers raise when the database cannot be reached in time.
DATABASE_GONE = (OperationalError, DriverOperationalError, PoolTimeout, QueueTimeout)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is signed in on this request: the actor, what the actor may do, and the stored session's id.

    `by_cookie` decides whether the request must prove with a CSRF token that one of our own pages sent it.
    """

    actor: Actor
    audience: str
    permissions: frozenset[str]
    session_id: int
    by_cookie: bool


def make_app(
    site_kind: str,
    *,
    authenticate: Callable[[], Identity | None],
    render_problem: Callable[[Problem], ResponseReturnValue],
    sign_in_path: str = "/sign-in",
) -> Flask:
    """A Flask application for one kind of site. `render_problem` draws the page that people see when a page fails."""
    app = Flask(f"whitefelt.{site_kind}", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, MAX_FORM_PARTS=200, PROPAGATE_EXCEPTIONS=False)
    app.config["SITE_KIND"], app.config["SIGN_IN_PATH"] = site_kind, sign_in_path
    app.json.sort_keys = False  # type: ignore[attr-defined]

    @app.before_request
    def enter() -> None:
        g.site = request.environ.get("whitefelt.site")
        g.trace = request.environ.get("whitefelt.trace") or ids.uuid7().hex
        context.trace.set(g.trace)
        g.identity = authenticate()
        _authorise(app)

    app.after_request(_finish)
    _install_errors(app, render_problem)
    return app


def make_api(app: Flask, title: str, description: str = "") -> Api:
    """The OpenAPI document (3.1) and blueprints of a site, at /api/v1/openapi.json."""
    app.config.update(
        API_TITLE=title, API_VERSION="v1", OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1", OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={"info": {"description": description, "license": {"name": "Apache-2.0"}}},
    )  # fmt: skip
    api = _PlainApi(app)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    api.spec.options["security"] = [{"bearer": []}]
    vars(app.view_functions["api-docs.openapi_json"])["__access__"] = routes.Access("anyone")
    return api


class _PlainApi(Api):
    """flask-smorest with our error shape: its own handler would answer HTTP errors in another one."""

    @property
    def ERROR_SCHEMA(self) -> type[ma.Schema]:
        return ProblemSchema

    def _register_error_handlers(self) -> None:
        return None


def _authorise(app: Flask) -> None:
    view = app.view_functions.get(request.endpoint or "")
    declared = routes.access_of(view, request.method) if view else None
    if declared is None:  # no such route (404/405 follow), or OPTIONS
        return
    identity: Identity | None = g.identity
    if declared.audience in ("player", "staff", "supplier"):
        if identity is None or identity.audience != declared.audience:
            raise Problem(errors.NOT_SIGNED_IN)
        if declared.permission and declared.permission not in identity.permissions:
            raise Problem(errors.FORBIDDEN)
    unsafe = request.method not in SAFE_METHODS
    if unsafe and (not is_api() or (identity is not None and identity.by_cookie)):
        check_csrf()


def is_api() -> bool:
    """True when this request wants the JSON API's way of failing."""
    return request.path.startswith("/api/")


def identity() -> Identity:
    """Who is signed in; `not_signed_in` if nobody is (views that need someone declare it with `access`)."""
    found: Identity | None = g.identity
    if found is None:
        raise Problem(errors.NOT_SIGNED_IN)
    return found


# --- failing ---------------------------------------------------------------------------------------------------------


def problem_response(problem: Problem) -> Response:
    """A Problem as application/problem+json."""
    response = make_response(problem.document(g.get("trace") or None), problem.code.status)
    response.content_type = "application/problem+json"
    if problem.code is errors.NOT_SIGNED_IN:
        response.headers["WWW-Authenticate"] = "Bearer"
    if problem.code.retryable:
        response.headers.setdefault("Retry-After", str(problem.extra.get("retry_after_seconds", 2)))
    return response


def _install_errors(app: Flask, render_page: Callable[[Problem], ResponseReturnValue]) -> None:
    def answer(problem: Problem) -> ResponseReturnValue:
        return problem_response(problem) if is_api() else render_page(problem)

    @app.errorhandler(Problem)
    def refused(problem: Problem) -> ResponseReturnValue:
        return answer(problem)

    @app.errorhandler(HTTPException)
    def http_failed(error: HTTPException) -> ResponseReturnValue:
        if error.response is not None:  # redirects made by the router
            return error.response
        return answer(from_http(error))

    @app.errorhandler(Exception)
    def crashed(error: Exception) -> ResponseReturnValue:
        if isinstance(error, DATABASE_GONE):
            log.warning("database out of reach: %s", type(error).__name__)
            return answer(Problem(errors.TEMPORARILY_UNAVAILABLE))
        log.exception("unhandled error, trace %s", g.get("trace"))
        return answer(Problem(errors.INTERNAL_ERROR))


_BY_STATUS = {
    400: errors.BODY_INVALID, 401: errors.NOT_SIGNED_IN, 403: errors.FORBIDDEN, 404: errors.NOT_FOUND,
    405: errors.METHOD_NOT_ALLOWED, 413: errors.BODY_TOO_LARGE, 415: errors.UNSUPPORTED_MEDIA_TYPE,
    422: errors.FIELDS_INVALID, 429: errors.RATE_LIMITED, 503: errors.TEMPORARILY_UNAVAILABLE,
}  # fmt: skip


def from_http(error: HTTPException) -> Problem:
    """The Problem for an HTTP error raised by the framework; field messages become `errors`."""
    if isinstance(error, RequestEntityTooLarge):
        return Problem(errors.BODY_TOO_LARGE)
    code = _BY_STATUS.get(error.code or 500)
    if code is None:
        code = errors.BODY_INVALID if 400 <= (error.code or 500) < 500 else errors.INTERNAL_ERROR
    data = getattr(error, "data", None) or {}
    messages = data.get("messages")
    if messages is None and getattr(error, "exc", None) is not None:
        messages = getattr(error.exc, "messages", None)  # type: ignore[attr-defined]
    return Problem(code, errors=messages) if messages else Problem(code)


# --- headers, cookies, CSRF ------------------------------------------------------------------------------------------


def csp(**sources: str) -> None:
    """Allow further origins on this response, by directive: `csp(frame_src="http://studio", form_action="http://psp")`."""
    allowed: dict[str, set[str]] = g.setdefault("csp", {})
    for directive, value in sources.items():
        allowed.setdefault(directive.replace("_", "-"), set()).update(value.split())


def _finish(response: Response) -> Response:
    policy = {
        "default-src": {"'none'"}, "script-src": {"'self'"}, "style-src": {"'self'"}, "img-src": {"'self'", "data:"},
        "font-src": {"'self'"}, "connect-src": {"'self'"}, "form-action": {"'self'"}, "base-uri": {"'none'"},
        "frame-ancestors": {"'none'"}, "manifest-src": {"'self'"},
    }  # fmt: skip
    for directive, values in g.get("csp", {}).items():
        policy[directive] = (policy.get(directive, set()) - {"'none'"}) | values
    text = "; ".join(f"{name} {' '.join(sorted(values))}" for name, values in policy.items())
    headers = response.headers
    headers.setdefault("Content-Security-Policy", text)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Trace-Id"] = g.get("trace", "")
    if settings.current().scheme == "https":
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    _set_csrf_cookie(response)
    return response


def cookie_name(base: str) -> str:
    """`__Host-` prefix wherever HTTPS is spoken; plain HTTP (development only) cannot carry it."""
    return f"__Host-{base}" if settings.current().scheme == "https" else base


def set_cookie(response: Response, base: str, value: str, *, seconds: int | None) -> None:
    """A host-only, HttpOnly, SameSite=Lax cookie; `seconds` None lasts for the browser's session."""
    secure = settings.current().scheme == "https"
    response.set_cookie(
        cookie_name(base), value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="Lax"
    )


def csrf_token() -> str:
    """The token that forms carry in `csrf_token` and scripts in `X-CSRF-Token`; bound to this browser's cookie."""
    seed = request.cookies.get(cookie_name("wf_csrf"), "") or g.get("csrf_seed")
    if not seed or len(seed) > 64:
        seed = g.csrf_seed = secrets.token_urlsafe(24)
    return hmac.new(settings.current().derive("csrf"), seed.encode(), sha256).hexdigest()


def _set_csrf_cookie(response: Response) -> None:
    if g.get("csrf_seed"):
        set_cookie(response, "wf_csrf", g.csrf_seed, seconds=None)


def check_csrf() -> None:
    """Refuse (`csrf_failed`) an unsafe request that cannot show the token of this browser's cookie."""
    seed = request.cookies.get(cookie_name("wf_csrf"), "")
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    expected = hmac.new(settings.current().derive("csrf"), seed.encode(), sha256).hexdigest() if seed else ""
    if not expected or not hmac.compare_digest(expected.encode(), sent.encode()):
        raise Problem(errors.CSRF_FAILED)


# --- pagination ------------------------------------------------------------------------------------------------------


class PageArgs(ma.Schema):
    """Query of every list: `limit` items older than `before` (the `next` of the previous page)."""

    limit = ma.fields.Integer(load_default=50, validate=ma.validate.Range(1, 200))
    before = ma.fields.Integer(load_default=None, allow_none=True, validate=ma.validate.Range(1, 2**62))


class ProblemSchema(ma.Schema):
    """RFC 9457 problem document; `code` is stable."""

    type = ma.fields.String()
    code = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    detail = ma.fields.String()
    status = ma.fields.Integer(required=True)
    retryable = ma.fields.Boolean(required=True)
    instance = ma.fields.String()
    errors = ma.fields.Dict(keys=ma.fields.String())


def page_of(items: list[Any], limit: int, next_key: Callable[[Any], int]) -> dict[str, Any]:
    """Cut a list that was read with `limit + 1` rows into one page and the key of the next."""
    more = len(items) > limit
    shown = items[:limit]
    return {"items": shown, "next": next_key(shown[-1]) if more else None}

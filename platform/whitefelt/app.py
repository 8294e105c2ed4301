"""The composition root: the only file that imports everything.

One WSGI application per process. It looks at the path first (providers' callbacks and probes, no framework), then at the
host, which says whose site this is: a brand, an operator's back office or the supplier's console, each a Flask application.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from whitefelt import cashier, tenancy, wagering, wallet
from whitefelt.facts.money import MoneyPosted
from whitefelt.kernel import context, errors, ids, openapi, outbox, probes, routes, web
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.errors import Problem
from whitefelt.surfaces import backoffice, storefront, supplier

log = logging.getLogger("whitefelt.app")

#: Modules in the order of the floors; each may have `handlers.py` (reactions to facts) and `api.py` (JSON API).
MODULES = ("audit", "accounts", "compliance", "wagering", "cashier", "games", "reporting", "crm")

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


def wire() -> None:
    """Connect facts to those who react: streams of the relay and every module's handlers. Once per process."""
    outbox.add_stream("journal", wallet.journal_facts, MoneyPosted)
    for module in MODULES:
        _part(module, "handlers")


def _part(module: str, part: str) -> Any:
    """`whitefelt.<module>.<part>`, imported; None when the module has no such part."""
    name = f"whitefelt.{module}.{part}"
    return importlib.import_module(name) if importlib.util.find_spec(name) is not None else None


def every_tenant() -> Iterable[TenantRef]:
    """All active tenants, read a page at a time: what the relay and the cron walk."""
    after = 0
    while page := tenancy.tenants(after_id=after):
        yield from page
        after = page[-1].id


class Application:
    """The WSGI application and its registry of all routes."""

    def __init__(self) -> None:
        wire()
        self.registry = routes.Registry()
        self.sites = {
            "brand": _site(storefront.create(), "Player API", "player_api"),
            "backoffice": _site(backoffice.create(), "Back office API", "staff_api"),
            "supplier": _site(supplier.create(), "Supplier API", "supplier_api"),
        }
        for kind, app in self.sites.items():
            self.registry.add_flask(kind, app)
            openapi.complete(app, self.registry, kind)
        vendor, machine = routes.Access("vendor"), routes.Access("machine")
        self.registry.add("vendor", ["POST"], "/callbacks/play/<integration>/<path>", "callbacks.play", vendor, True)
        self.registry.add("vendor", ["POST"], "/callbacks/pay/<integration>", "callbacks.pay", vendor, True)
        self.registry.add("machine", ["GET"], "/healthz", "probes.healthz", machine, True)
        self.registry.add("machine", ["GET"], "/readyz", "probes.readyz", machine, True)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        trace = environ["whitefelt.trace"] = ids.uuid7().hex
        context.trace.set(trace)
        path = environ.get("PATH_INFO", "/")
        if path.startswith("/callbacks/"):
            return _callback(environ, start_response, path)
        if path in ("/healthz", "/readyz"):
            status, told = probes.health() if path == "/healthz" else probes.readiness()
            return _plain(start_response, status, json.dumps(told).encode())
        try:
            environ["whitefelt.site"] = site = tenancy.site_of(host_of(environ))
        except Problem as problem:
            return _unbranded(start_response, problem, path)
        except web.DATABASE_GONE:
            return _unbranded(start_response, Problem(errors.TEMPORARILY_UNAVAILABLE), path)
        return self.sites[site.kind](environ, start_response)


def host_of(environ: Environ) -> str:
    """The host that the request names: lower case, without port or final dot. Forwarded headers are never believed."""
    host = str(environ.get("HTTP_HOST") or environ.get("SERVER_NAME") or "").lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")


def _site(app: Flask, title: str, attribute: str) -> Flask:
    """The site with its JSON API: every module's blueprint of that name."""
    api = web.make_api(app, f"Whitefelt {title}", openapi.DESCRIPTION)
    for module in MODULES:
        blueprint = getattr(_part(module, "api"), attribute, None)
        if blueprint is not None:
            api.register_blueprint(blueprint)
    app.extensions["whitefelt.api"] = api
    return app


def _callback(environ: Environ, start_response: StartResponse, path: str) -> Iterable[bytes]:
    """A vendor's server: the opaque integration id in the path says for whom. Whatever fails, it may try again."""
    try:
        return _called_back(environ, start_response, path)
    except Exception:
        log.exception("callback failed, trace %s", context.trace.get())
        return _problem(start_response, Problem(errors.TEMPORARILY_UNAVAILABLE))


def _called_back(environ: Environ, start_response: StartResponse, path: str) -> Iterable[bytes]:
    parts = path.split("/", 4)
    if environ["REQUEST_METHOD"] != "POST":
        return _problem(start_response, Problem(errors.METHOD_NOT_ALLOWED))
    if len(parts) < 4 or parts[2] not in ("play", "pay"):
        return _problem(start_response, Problem(errors.NOT_FOUND))
    body = _body(environ, wagering.MAX_BODY_BYTES)
    headers = {key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")}
    rest = parts[4] if len(parts) > 4 else ""
    if parts[2] == "play":
        reply = wagering.receive(parts[3], rest, headers, body)
        return _plain(start_response, reply.status, reply.body, reply.content_type, reply.headers)
    if rest:
        return _problem(start_response, Problem(errors.NOT_FOUND))
    if body is None:
        return _problem(start_response, Problem(errors.BODY_TOO_LARGE))
    status, answer, content_type = cashier.receive(parts[3], headers, body)
    return _plain(start_response, status, answer, content_type)


def _body(environ: Environ, most: int) -> bytes | None:
    """The request's bytes, None when there are more than `most`."""
    text = environ.get("CONTENT_LENGTH") or ""
    if text and (not text.isdecimal() or int(text) > most):
        return None
    body = environ["wsgi.input"].read(int(text) if text else most + 1)
    return None if len(body) > most else bytes(body)


_PHRASES = {200: "OK", 401: "Unauthorized", 404: "Not Found", 421: "Misdirected Request", 503: "Service Unavailable"}


def _plain(
    start_response: StartResponse, status: int, body: bytes, content_type: str = "application/json",
    headers: tuple[tuple[str, str], ...] = (),
) -> Iterable[bytes]:  # fmt: skip
    start_response(f"{status} {_PHRASES.get(status, 'Answer')}", [
        ("Content-Type", content_type), ("Content-Length", str(len(body))), ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"), ("X-Trace-Id", context.trace.get()), *headers,
    ])  # fmt: skip
    return [body]


def _problem(start_response: StartResponse, problem: Problem) -> Iterable[bytes]:
    body = json.dumps(problem.document(context.trace.get())).encode()
    return _plain(start_response, problem.code.status, body, "application/problem+json")


_UNBRANDED = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><h1>{title}</h1><p>{code} · {trace}</p></html>"""


def _unbranded(start_response: StartResponse, problem: Problem, path: str) -> Iterable[bytes]:
    """For hosts that are nobody's: problem+json on the API, else a page that shows no brand (the code in a header)."""
    if path.startswith("/api/"):
        return _problem(start_response, problem)
    trace = context.trace.get()
    page = _UNBRANDED.format(title=problem.code.title, code=problem.code.name, trace=trace).encode()
    headers = (("Content-Security-Policy", "default-src 'none'"), ("X-Problem-Code", problem.code.name))
    return _plain(start_response, problem.code.status, page, "text/html; charset=utf-8", headers)


def create_app() -> Application:
    """The application for a web server (`wsgi.py`) and for tests."""
    return Application()

"""The console as a Flask application: signing in, the list of operators, one operator."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from flask import Flask, Response, g, make_response, redirect, request
from flask.typing import ResponseReturnValue

from whitefelt import accounts
from whitefelt.kernel import errors, web
from whitefelt.kernel.db import platform_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.routes import access
from whitefelt.surfaces import console
from whitefelt.surfaces.console import Frame, Group, Link
from whitefelt.surfaces.supplier import operators

ENV = console.environment(Path(__file__).parent / "templates")
OWNER, CONSOLE = "Whitefelt", "Supplier console"


def create() -> Flask:
    """The application of the supplier's console."""
    app = web.make_app("supplier", authenticate=accounts.authenticate_supplier, render_problem=problem_page)
    app.add_url_rule(console.ASSET_RULE, "console.asset", console.asset_view, methods=["GET"])
    app.add_url_rule("/sign-in", "entrance.form", sign_in_page, methods=["GET"])
    app.add_url_rule("/sign-in", "entrance.sign_in", sign_in, methods=["POST"])
    app.add_url_rule("/sign-out", "entrance.sign_out", sign_out, methods=["POST"])
    app.add_url_rule("/", "operators.list", listing, methods=["GET"])
    app.add_url_rule("/tenants/<slug>", "operators.one", one, methods=["GET"])
    return app


def problem_page(problem: Problem) -> ResponseReturnValue:
    """What people see when a page fails; who is not signed in is asked to sign in."""
    if problem.code is errors.NOT_SIGNED_IN:
        back = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return redirect("/sign-in" + (f"?next={quote(back, safe='')}" if back != "/" else ""), 303)
    text = console.render_alone(
        ENV, "console/problem.html", owner=OWNER, problem=problem, advice=console.advice(problem)
    )
    return make_response(text, problem.code.status)


@access("anyone")
def sign_in_page() -> ResponseReturnValue:
    """The form; whoever is signed in already goes on."""
    onward = console.local_path(request.args.get("next", ""))
    return redirect(onward, 303) if g.identity is not None else _form(onward)


@access("anyone")
def sign_in() -> ResponseReturnValue:
    """Begin a session."""
    onward, email = console.local_path(request.form.get("next", "")[:500]), request.form.get("email", "")[:254]
    try:
        signed_in = accounts.sign_in_supplier(
            email, request.form.get("password", "")[:256], ip=request.remote_addr or "unknown"
        )
    except Problem as problem:
        return _form(onward, fault=problem.detail, email=email, status=problem.code.status)
    response = redirect(onward, 303)
    accounts.set_session_cookie(response, signed_in.token)  # type: ignore[arg-type]
    return response


@access("supplier")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    with platform_work(web.identity().actor) as work:
        accounts.sign_out_supplier(work, web.identity().session_id)
    response = redirect("/sign-in", 303)
    accounts.clear_session_cookie(response)  # type: ignore[arg-type]
    return response


def _form(onward: str, *, fault: str = "", email: str = "", status: int = 200) -> Response:
    text = console.render_alone(
        ENV, "console/sign_in.html", owner=OWNER, console=CONSOLE, next=onward, fault=fault, email=email
    )
    return make_response(text, status)


@access("supplier", "tenants.read")
def listing() -> str:
    """Every operator and whether it is well."""
    told = request.args.get("before", "")
    before = int(told) if told.isascii() and told.isdecimal() and len(told) < 19 else None
    rows, older = operators.listing(before)
    return console.render(
        ENV, "supplier/operators.html", _frame("/"), rows=rows, older=f"/?before={older}" if older else "",
        newest="/" if before else "", may_see_health="fleet.read" in web.identity().permissions,
    )  # fmt: skip


@access("supplier", "tenants.read")
def one(slug: str) -> str:
    """One operator: brands, sites, integrations, where its data lives."""
    return console.render(
        ENV, "supplier/operator.html", _frame(""), operator=operators.one(slug),
        may_see_health="fleet.read" in web.identity().permissions,
    )  # fmt: skip


def _frame(here: str) -> Frame:
    staff = accounts.current_staff()
    groups = (Group("Fleet", (Link("/", "Operators"),)),)
    return Frame(CONSOLE, OWNER, groups, here, staff.name, staff.role, "UTC")

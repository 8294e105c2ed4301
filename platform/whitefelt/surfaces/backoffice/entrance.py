"""Signing in and out of the back office."""

from __future__ import annotations

from flask import Response, g, make_response, redirect, request
from flask.typing import ResponseReturnValue

from whitefelt import accounts
from whitefelt.kernel import web
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.routes import access
from whitefelt.surfaces import console
from whitefelt.surfaces.backoffice.page import CONSOLE, ENV, reading, tenant, text_field


@access("anyone")
def sign_in_page() -> ResponseReturnValue:
    """The form; whoever is signed in already goes on."""
    if g.identity is not None:
        return redirect(console.local_path(request.args.get("next", "")), 303)
    return _form(console.local_path(request.args.get("next", "")))


@access("anyone")
def sign_in() -> ResponseReturnValue:
    """Begin a session; whatever is wrong is said in one sentence above the form."""
    onward, email = console.local_path(text_field("next", 500)), text_field("email", 254)
    try:
        signed_in = accounts.sign_in_staff(
            tenant(), email, text_field("password", 256), ip=request.remote_addr or "unknown"
        )
    except Problem as problem:
        return _form(onward, fault=problem.detail, email=email, status=problem.code.status)
    response = redirect(onward, 303)
    accounts.set_session_cookie(response, signed_in.token)  # type: ignore[arg-type]
    return response


@access("staff")
def sign_out() -> ResponseReturnValue:
    """End the session."""
    with reading() as work:
        accounts.sign_out_staff(work, web.identity().session_id)
    response = redirect("/sign-in", 303)
    accounts.clear_session_cookie(response)  # type: ignore[arg-type]
    return response


def _form(onward: str, *, fault: str = "", email: str = "", status: int = 200) -> Response:
    text = console.render_alone(
        ENV, "console/sign_in.html", owner=g.site.tenant_name, console=CONSOLE, next=onward, fault=fault, email=email
    )
    return make_response(text, status)

"""Proving one's identity with an electronic id: out to the vendor's page and back."""

from __future__ import annotations

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from whitefelt import accounts, compliance, tenancy
from whitefelt.compliance import IdentityState
from whitefelt.kernel import rate, registry, web
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import page, views, wording


def state_card(state: IdentityState) -> views.IdentityState:
    """Where the player's identity stands, and whether the button is offered."""
    text = page.look().text
    if state.verified_at is not None:
        at = wording.moment(state.verified_at, page.tenant().timezone)
        told = text("identity.verified_text", at=at)
        return views.IdentityState(
            "verified", "good", "check", text("identity.verified"), text("identity.verified_title"), told, False
        )
    label = text("identity.open")
    if state.refusal:
        key = f"identity.{state.refusal}"
        told = page.look().texts.get(key) or text("identity.failed_text")
        return views.IdentityState("refused", "bad", "warn", label, text("identity.failed_title"), told, True)
    if state.status in ("cancelled", "expired"):
        return views.IdentityState(
            state.status, "bad", "info", label, text("identity.failed_title"), text("identity.failed_text"), True
        )
    return views.IdentityState(
        "open", "wait", "id", label, text("identity.open_title"), text("identity.open_text"), True
    )


@access("player")
def page_of_identity() -> AnyResponse:
    """The state; with `?order=` the browser has just come back, and the result is collected."""
    order_id = request.args.get("order", "")[:100]
    if order_id:
        return _collect(order_id)
    _allow_vendors()
    with unit_of_work(page.tenant()) as work:
        state = compliance.identity_state(work, accounts.current_player())
    return page.show("identity", place="account", identity=state_card(state))


def _collect(order_id: str) -> Response:
    who = accounts.current_player()
    rate.check("identity-complete", f"{page.tenant().id}:{who.id}", 120, 60)
    try:
        status = compliance.complete_identity(page.tenant(), who, order_id)
    except Problem as problem:
        if problem.code.status >= 500:
            raise
        return page.go("/account/identity", "identity_failed")
    return page.go("/account/identity", "identity_done" if status == "verified" else "identity_failed")


def _allow_vendors() -> None:
    # The form's answer is a redirect to the vendor, and the browser asks this page's policy about that too.
    for integration in tenancy.integrations_of(page.tenant(), "kyc"):
        for directive, origin in registry.connector("kyc", integration.vendor).ORIGINS(integration.config).items():
            web.csp(**{directive: origin})


@access("player")
def begin() -> AnyResponse:
    """Open a check and send the browser to the vendor."""
    who = accounts.current_player()
    rate.check("identity", f"{page.tenant().id}:{who.id}", 20, 60)
    try:
        order = compliance.begin_identity(page.tenant(), who, page.address("/account/identity"))
    except Problem as problem:
        if problem.code.name == "identity_known":
            return page.go("/account/identity")
        raise
    _allow_vendors()
    return redirect(order.redirect_url, 303)

"""The back office as a Flask application: its routes, each with the view that declares who may call it."""

from __future__ import annotations

from flask import Flask

from whitefelt import accounts
from whitefelt.kernel import web
from whitefelt.surfaces import console
from whitefelt.surfaces.backoffice import audit_log, deliveries, entrance, overview, players, withdrawals
from whitefelt.surfaces.backoffice.page import problem_page


def create() -> Flask:
    """The application of every operator's back office; the host decides whose."""
    app = web.make_app("backoffice", authenticate=accounts.authenticate_staff, render_problem=problem_page)
    for rule, view, methods in (
        (console.ASSET_RULE, console.asset_view, "GET"),
        ("/sign-in", entrance.sign_in_page, "GET"),
        ("/sign-in", entrance.sign_in, "POST"),
        ("/sign-out", entrance.sign_out, "POST"),
        ("/", overview.overview, "GET"),
        ("/withdrawals", withdrawals.queue, "GET"),
        ("/withdrawals/<public_id>", withdrawals.detail, "GET"),
        ("/withdrawals/<public_id>/approve", withdrawals.approve, "POST"),
        ("/withdrawals/<public_id>/reject", withdrawals.reject, "POST"),
        ("/players", players.search, "GET"),
        ("/players/<public_id>", players.detail, "GET"),
        ("/players/<public_id>/reveal", players.reveal, "POST"),
        ("/deliveries", deliveries.open_deliveries, "GET"),
        ("/deliveries/<int:delivery_id>/retry", deliveries.retry, "POST"),
        ("/audit", audit_log.log, "GET"),
        ("/audit/verify", audit_log.verify, "POST"),
    ):
        endpoint = f"{view.__module__.rpartition('.')[2]}.{view.__name__}"
        app.add_url_rule(rule, endpoint, view, methods=[methods])
    return app

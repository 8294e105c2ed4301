"""The storefront as a Flask application: its routes, each with the view that declares who may call it."""

from __future__ import annotations

from flask import Flask

from whitefelt import accounts
from whitefelt.kernel import web
from whitefelt.surfaces.storefront import (
    account,
    breaks,
    deposits,
    entrance,
    games,
    identity,
    legal,
    limits,
    live,
    problems,
    statement,
    static,
    withdrawals,
)


def create() -> Flask:
    """The application of every brand's site; the host decides whose."""
    app = web.make_app("brand", authenticate=accounts.authenticate_player, render_problem=problems.problem_page)
    for rule, view, methods in (
        ("/", games.lobby, "GET"),
        ("/games", games.all_games, "GET"),
        ("/games/<code>", games.one_game, "GET"),
        ("/register", entrance.register_page, "GET"),
        ("/register", entrance.register, "POST"),
        ("/sign-in", entrance.sign_in_page, "GET"),
        ("/sign-in", entrance.sign_in, "POST"),
        ("/sign-out", entrance.sign_out, "POST"),
        ("/cashier", deposits.overview, "GET"),
        ("/cashier/deposit", deposits.form_page, "GET"),
        ("/cashier/deposit", deposits.start, "POST"),
        ("/cashier/deposit/<public_id>", deposits.one, "GET"),
        ("/cashier/withdraw", withdrawals.form_page, "GET"),
        ("/cashier/withdraw", withdrawals.request_one, "POST"),
        ("/cashier/withdraw/<public_id>", withdrawals.one, "GET"),
        ("/account", account.overview, "GET"),
        ("/account/statement", statement.statement, "GET"),
        ("/account/limits", limits.page_of_limits, "GET"),
        ("/account/limits", limits.save, "POST"),
        ("/account/identity", identity.page_of_identity, "GET"),
        ("/account/identity", identity.begin, "POST"),
        ("/account/break", breaks.page_of_breaks, "GET"),
        ("/account/break", breaks.begin, "POST"),
        ("/legal/<name>", legal.document, "GET"),
        ("/-/balance", live.balance, "GET"),
        ("/-/deposit/<public_id>", live.deposit_state, "GET"),
        ("/-/withdrawal/<public_id>", live.withdrawal_state, "GET"),
        ("/-/theme/<brand>/<content_hash>.css", static.tokens, "GET"),
        ("/-/legal/<content_hash>.css", static.protected, "GET"),
        ("/-/asset/<theme>/<content_hash>/<path:path>", static.asset, "GET"),
    ):
        endpoint = f"pages.{view.__module__.rpartition('.')[2]}.{view.__name__}"
        app.add_url_rule(rule, endpoint.replace(".", "_"), view, methods=[methods])
    return app

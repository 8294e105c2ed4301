"""Small answers for the page that is open: the balance, and how a payment stands. No connection is held."""

from __future__ import annotations

from flask import Response, jsonify, make_response, request

from whitefelt import accounts, cashier
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import page, states


@access("player")
def balance() -> Response:
    """The pockets as text and as decimals; 304 while nothing has moved."""
    with unit_of_work(page.tenant()) as work:
        shown = page.balance_of(work, accounts.current_player())
    if request.if_none_match.contains(shown.version):
        response = make_response("", 304)
    else:
        response = jsonify({
            "available": {"text": shown.available, "amount": shown.available_amount},
            "cash": {"text": shown.cash, "amount": shown.cash_amount},
            "bonus": {"text": shown.bonus, "amount": shown.bonus_amount},
            "pending": {"text": shown.pending, "amount": shown.pending_amount},
        })  # fmt: skip
    response.set_etag(shown.version)
    # `no-cache`, not `no-store`: the browser may keep it to compare, never to show.
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@access("player")
def deposit_state(public_id: str) -> Response:
    """The state of one of the player's deposits."""
    with unit_of_work(page.tenant()) as work:
        found = cashier.deposits.get(work, public_id, accounts.current_player().id)
    return jsonify({"state": states.deposit_state(found.status)})


@access("player")
def withdrawal_state(public_id: str) -> Response:
    """The state of one of the player's withdrawals."""
    with unit_of_work(page.tenant()) as work:
        found = cashier.withdrawals.get(work, public_id, accounts.current_player().id)
    return jsonify({"state": found.status})

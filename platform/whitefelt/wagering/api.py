"""JSON API of a player's money and rounds: balance, statement, rounds."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import g
from flask_smorest import Blueprint

from whitefelt import accounts, wagering, wallet
from whitefelt.kernel.context import Actor
from whitefelt.kernel.db import Work, unit_of_work
from whitefelt.kernel.errors import NOT_FOUND, Problem
from whitefelt.kernel.money import decimal
from whitefelt.kernel.routes import access
from whitefelt.kernel.web import PageArgs, ProblemSchema, identity, page_of

player_api = Blueprint("wallet", __name__, url_prefix="/api/v1", description="Money and rounds")
staff_api = Blueprint("wallet_staff", __name__, url_prefix="/api/v1", description="A player's money")


class BalanceSchema(ma.Schema):
    """Decimal strings. `available` can be withdrawn; `balance` can be staked (cash and bonus)."""

    currency = ma.fields.String(required=True)
    balance = ma.fields.String(required=True)
    cash = ma.fields.String(required=True)
    bonus = ma.fields.String(required=True)
    pending = ma.fields.String(required=True)
    available = ma.fields.String(required=True)


class LineSchema(ma.Schema):
    """One debit (negative amount) or credit in one pocket, and that pocket's balance after it."""

    id = ma.fields.String(required=True)
    at = ma.fields.AwareDateTime(required=True)
    kind = ma.fields.String(required=True)
    pocket = ma.fields.String(required=True)
    side = ma.fields.String(required=True)
    amount = ma.fields.String(required=True)
    balance_after = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)
    reference = ma.fields.String(required=True)
    game = ma.fields.String(allow_none=True)
    round_id = ma.fields.String(allow_none=True)


class StatementPage(ma.Schema):
    """Newest first; `next` goes into `before`."""

    items = ma.fields.List(ma.fields.Nested(LineSchema), required=True)
    next = ma.fields.Integer(required=True, allow_none=True)


class RoundSchema(ma.Schema):
    """One game cycle. `net` is wins less stakes that were not given back; `held` is at stake now."""

    id = ma.fields.Integer(required=True)
    round_id = ma.fields.String(required=True)
    game = ma.fields.String(required=True)
    status = ma.fields.String(required=True)
    staked = ma.fields.String(required=True)
    won = ma.fields.String(required=True)
    restored = ma.fields.String(required=True)
    held = ma.fields.String(required=True)
    net = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)
    opened_at = ma.fields.AwareDateTime(required=True)
    closed_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class RoundPage(ma.Schema):
    """Newest first; `next` goes into `before`."""

    items = ma.fields.List(ma.fields.Nested(RoundSchema), required=True)
    next = ma.fields.Integer(required=True, allow_none=True)


def _own(work: Work, player: accounts.Player) -> wallet.Pockets:
    found = wallet.find_pockets(work, player.owner, player.currency)
    if found is None:
        raise Problem(NOT_FOUND)
    return found


def _reading(player: accounts.Player) -> Any:
    return unit_of_work(g.site.tenant, Actor("player", player.public_id))


@player_api.route("/balance")
@access("player")
@player_api.response(200, BalanceSchema)
def balance() -> dict[str, str]:
    """What the signed-in player has."""
    player = accounts.current_player()
    with _reading(player) as work:
        have = wallet.balances(work, _own(work, player))
    return {
        "currency": player.currency, "balance": decimal(have.stakeable), "cash": decimal(have.cash),
        "bonus": decimal(have.bonus), "pending": decimal(have.pending), "available": decimal(have.cash),
    }  # fmt: skip


@player_api.route("/statement")
@access("player")
@player_api.arguments(PageArgs, location="query")
@player_api.response(200, StatementPage)
def statement(args: dict[str, Any]) -> dict[str, Any]:
    """Every debit and credit of the signed-in player; `limit` counts postings (one may have two lines)."""
    player = accounts.current_player()
    with _reading(player) as work:
        return _statement_page(work, player, args)


@staff_api.route("/players/<public_id>/statement")
@access("staff", "ledger.read")
@staff_api.arguments(PageArgs, location="query")
@staff_api.response(200, StatementPage)
@staff_api.alt_response(403, schema=ProblemSchema)
@staff_api.alt_response(404, schema=ProblemSchema)
def player_statement(args: dict[str, Any], public_id: str) -> dict[str, Any]:
    """Every debit and credit of that player; `limit` counts postings (one may have two lines)."""
    with unit_of_work(g.site.tenant, identity().actor) as work:
        return _statement_page(work, accounts.player_by_public_id(work, public_id), args)


def _statement_page(work: Work, player: accounts.Player, args: dict[str, Any]) -> dict[str, Any]:
    lines = wallet.statement(work, _own(work, player), before=args["before"], limit=args["limit"] + 1)
    ids = sorted({line.journal_id for line in lines}, reverse=True)
    page = page_of(ids, args["limit"], lambda one: one)
    shown = set(page["items"])
    return {"items": [line_document(line) for line in lines if line.journal_id in shown], "next": page["next"]}


def line_document(line: wallet.StatementLine) -> dict[str, Any]:
    """A statement line as the API tells it."""
    return {
        "id": f"{line.journal_id}-{line.side}", "at": line.created_at, "kind": line.kind, "pocket": line.pocket,
        "side": line.side, "amount": decimal(line.amount), "balance_after": decimal(line.after),
        "currency": line.amount.currency, "reference": line.ref, "game": line.label.get("game") or None,
        "round_id": line.round_ref,
    }  # fmt: skip


@player_api.route("/rounds")
@access("player")
@player_api.arguments(PageArgs, location="query")
@player_api.response(200, RoundPage)
def rounds(args: dict[str, Any]) -> dict[str, Any]:
    """The signed-in player's rounds."""
    player = accounts.current_player()
    with _reading(player) as work:
        found = wagering.rounds(work, _own(work, player), before=args["before"], limit=args["limit"] + 1)
    page = page_of(found, args["limit"], lambda one: one.id)
    return {"items": [_round_document(one) for one in page["items"]], "next": page["next"]}


def _round_document(one: wagering.Round) -> dict[str, Any]:
    return {
        "id": one.id, "round_id": one.ref, "game": one.game, "status": one.status, "staked": decimal(one.staked),
        "won": decimal(one.won), "restored": decimal(one.restored), "held": decimal(one.held), "net": decimal(one.net),
        "currency": one.staked.currency, "opened_at": one.opened_at, "closed_at": one.closed_at,
    }  # fmt: skip

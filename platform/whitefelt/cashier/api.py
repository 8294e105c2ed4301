# mypy: disable-error-code="untyped-decorator"
"""HTTP of the cashier: the player's on brand sites, the staff's queue in the back office."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import g, request
from flask.views import MethodView
from flask_smorest import Blueprint

from whitefelt import accounts
from whitefelt.cashier import deposits, methods, queries, schemas, withdrawals
from whitefelt.cashier.errors import RETURN_URL_INVALID
from whitefelt.kernel import settings
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import parse_payable
from whitefelt.kernel.routes import access
from whitefelt.kernel.web import PageArgs, ProblemSchema, identity, page_of

player_api = Blueprint("cashier", __name__, url_prefix="/api/v1", description="Deposits and withdrawals")
staff_api = Blueprint("cashier_staff", __name__, url_prefix="/api/v1", description="The queue of withdrawals")


def _tenant() -> TenantRef:
    tenant = g.site.tenant
    assert isinstance(tenant, TenantRef), "these routes are served on an operator's sites only"
    return tenant


def return_address(wanted: str | None) -> str:
    """The absolute address a browser comes back to, on this very site; `return_url_invalid` for any other."""
    base = f"{settings.current().scheme}://{request.host}"
    if wanted is None:
        return f"{base}/cashier/deposit/{{id}}"
    plain = wanted.isascii() and wanted.isprintable() and not any(c in wanted for c in ' \\"<>')
    if plain and wanted.startswith("/") and not wanted.startswith("//"):
        return base + wanted
    parts = urlsplit(wanted) if plain else None
    if parts is None or f"{parts.scheme}://{parts.netloc}" != base:
        raise Problem(RETURN_URL_INVALID)
    return wanted


@player_api.route("/payment-methods")
class PaymentMethods(MethodView):
    """The ways to pay on this site."""

    @access("player")
    @player_api.response(200, schemas.MethodListSchema)
    def get(self) -> dict[str, Any]:
        """List the ways to pay, with what each takes at least and at most."""
        player = accounts.current_player()
        with unit_of_work(_tenant()) as work:
            usable = queries.used_methods(work, player.id, player.currency)
        offered = methods.offered_methods(_tenant(), player.currency)
        return {"items": [schemas.method_document(one, usable) for one in offered]}


@player_api.route("/deposits")
class Deposits(MethodView):
    """The player's deposits."""

    @access("player")
    @player_api.arguments(PageArgs, location="query")
    @player_api.response(200, schemas.DepositPage)
    def get(self, page: dict[str, Any]) -> dict[str, Any]:
        """List deposits, newest first."""
        player, limit = accounts.current_player(), page["limit"]
        with unit_of_work(_tenant()) as work:
            found = queries.deposits_of(work, player.id, before=page["before"], limit=limit + 1)
        told = page_of(found, limit, lambda one: int(one.id))
        return {**told, "items": [schemas.deposit_document(one) for one in told["items"]]}

    @access("player")
    @player_api.arguments(schemas.KeyHeader, location="headers")
    @player_api.arguments(schemas.DepositArgs)
    @player_api.response(201, schemas.DepositSchema)
    @player_api.alt_response(409, schema=ProblemSchema)
    @player_api.alt_response(422, schema=ProblemSchema)
    def post(self, headers: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        """Begin a deposit; the player pays at `redirect_url`."""
        player = accounts.current_player()
        money = parse_payable(body["amount"], player.currency)
        found = deposits.start(
            _tenant(), player, body["method"], money, return_address(body["return_url"]),
            idempotency_key=headers["idempotency_key"],
        )  # fmt: skip
        return schemas.deposit_document(found)


@player_api.route("/deposits/<public_id>")
class OneDeposit(MethodView):
    """One deposit of the player."""

    @access("player")
    @player_api.response(200, schemas.DepositSchema)
    @player_api.alt_response(404, schema=ProblemSchema)
    def get(self, public_id: str) -> dict[str, Any]:
        """Read a deposit."""
        with unit_of_work(_tenant()) as work:
            return schemas.deposit_document(queries.deposit(work, public_id, accounts.current_player().id))


@player_api.route("/withdrawals")
class Withdrawals(MethodView):
    """The player's withdrawals."""

    @access("player")
    @player_api.arguments(PageArgs, location="query")
    @player_api.response(200, schemas.WithdrawalPage)
    def get(self, page: dict[str, Any]) -> dict[str, Any]:
        """List withdrawals, newest first."""
        player, limit = accounts.current_player(), page["limit"]
        with unit_of_work(_tenant()) as work:
            found = queries.withdrawals_of(work, player.id, before=page["before"], limit=limit + 1)
        told = page_of(found, limit, lambda one: int(one.id))
        return {**told, "items": [schemas.withdrawal_document(one) for one in told["items"]]}

    @access("player")
    @player_api.arguments(schemas.KeyHeader, location="headers")
    @player_api.arguments(schemas.WithdrawalArgs)
    @player_api.response(201, schemas.WithdrawalSchema)
    @player_api.alt_response(409, schema=ProblemSchema)
    @player_api.alt_response(422, schema=ProblemSchema)
    def post(self, headers: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        """Ask for a withdrawal; the money is set aside at once."""
        player = accounts.current_player()
        money = parse_payable(body["amount"], player.currency)
        found = withdrawals.request(
            _tenant(), player, money, body["method"], idempotency_key=headers["idempotency_key"]
        )
        return schemas.withdrawal_document(found)


@player_api.route("/withdrawals/<public_id>")
class OneWithdrawal(MethodView):
    """One withdrawal of the player."""

    @access("player")
    @player_api.response(200, schemas.WithdrawalSchema)
    @player_api.alt_response(404, schema=ProblemSchema)
    def get(self, public_id: str) -> dict[str, Any]:
        """Read a withdrawal."""
        with unit_of_work(_tenant()) as work:
            return schemas.withdrawal_document(queries.withdrawal(work, public_id, accounts.current_player().id))


# --- staff -----------------------------------------------------------------------------------------------------------


@staff_api.route("/withdrawals")
class Queue(MethodView):
    """The queue of withdrawals."""

    @access("staff", "withdrawals.read")
    @staff_api.arguments(schemas.QueueArgs, location="query")
    @staff_api.response(200, schemas.StaffWithdrawalPage)
    def get(self, page: dict[str, Any]) -> dict[str, Any]:
        """List withdrawals, newest first, with why each waits (or waited)."""
        limit = page["limit"]
        with unit_of_work(_tenant()) as work:
            found = queries.queue(work, page["status"], before=page["before"], limit=limit + 1)
            counts = queries.counts(work)
        told = page_of(found, limit, lambda one: int(one.withdrawal.id))
        return {**told, "items": [schemas.queue_document(one) for one in told["items"]], "counts": counts}


@staff_api.route("/withdrawals/<public_id>")
class OneQueued(MethodView):
    """One withdrawal."""

    @access("staff", "withdrawals.read")
    @staff_api.response(200, schemas.StaffWithdrawalSchema)
    @staff_api.alt_response(404, schema=ProblemSchema)
    def get(self, public_id: str) -> dict[str, Any]:
        """Read a withdrawal."""
        with unit_of_work(_tenant()) as work:
            return schemas.queue_document(queries.queued(work, public_id))


@staff_api.route("/withdrawals/<public_id>/approve")
class Approve(MethodView):
    """Approval of one withdrawal."""

    @access("staff", "withdrawals.decide")
    @staff_api.arguments(schemas.ApproveArgs, required=False)
    @staff_api.response(200, schemas.StaffWithdrawalSchema)
    @staff_api.alt_response(404, schema=ProblemSchema)
    @staff_api.alt_response(409, schema=ProblemSchema)
    def post(self, body: dict[str, Any], public_id: str) -> dict[str, Any]:
        """Let the provider pay it."""
        with money_work(_tenant(), identity().actor) as work:
            withdrawals.approve(work, public_id, body.get("note", ""))
            return schemas.queue_document(queries.queued(work, public_id))


@staff_api.route("/withdrawals/<public_id>/reject")
class Reject(MethodView):
    """Refusal of one withdrawal."""

    @access("staff", "withdrawals.decide")
    @staff_api.arguments(schemas.RejectArgs)
    @staff_api.response(200, schemas.StaffWithdrawalSchema)
    @staff_api.alt_response(404, schema=ProblemSchema)
    @staff_api.alt_response(409, schema=ProblemSchema)
    def post(self, body: dict[str, Any], public_id: str) -> dict[str, Any]:
        """Refuse it; the money is the player's cash again."""
        with money_work(_tenant(), identity().actor) as work:
            withdrawals.reject(work, public_id, body["reason"])
            return schemas.queue_document(queries.queued(work, public_id))

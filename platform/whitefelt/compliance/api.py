# mypy: disable-error-code="untyped-decorator"
"""HTTP of compliance: registration, a site's public rules, limits, exclusions, identity."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import g, request
from flask.views import MethodView
from flask_smorest import Blueprint

from whitefelt import accounts
from whitefelt.compliance import exclusions, identity, schemas
from whitefelt.compliance.limits import cancel_pending, limits, set_deposit_limit
from whitefelt.compliance.registration import Application, admit
from whitefelt.compliance.rulebook import ruleset
from whitefelt.kernel import clock, rate, settings
from whitefelt.kernel.context import Actor, TenantRef
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.errors import FIELDS_INVALID, Problem
from whitefelt.kernel.money import parse_payable
from whitefelt.kernel.routes import access
from whitefelt.kernel.web import ProblemSchema
from whitefelt.kernel.web import identity as signed_in_identity

player_api = Blueprint(
    "compliance", __name__, url_prefix="/api/v1", description="Registration, limits, exclusions, identity"
)

#: Registrations per minute from one address to one site.
REGISTRATIONS_PER_MINUTE = 120


def _tenant() -> TenantRef:
    tenant = g.site.tenant
    assert isinstance(tenant, TenantRef), "these routes are served on an operator's sites only"
    return tenant


def return_address(wanted: str | None) -> str:
    """The absolute address the browser returns to after an identity check: on this very site, whatever was asked."""
    base = f"{settings.current().scheme}://{request.host}"
    if wanted is None:
        return f"{base}/account/identity"
    plain = wanted.isascii() and wanted.isprintable() and not any(c in wanted for c in ' \\"<>')
    if plain and wanted.startswith("/") and not wanted.startswith("//"):
        return base + wanted
    parts = urlsplit(wanted) if plain else None
    if parts is None or f"{parts.scheme}://{parts.netloc}" != base:
        raise Problem(FIELDS_INVALID, errors={"return_url": ["The return address must be on this site."]})
    return wanted


@player_api.route("/site")
class ThisSite(MethodView):
    """What anyone may know."""

    @access("anyone")
    @player_api.response(200, schemas.SiteSchema)
    def get(self) -> dict[str, Any]:
        """Brand, jurisdiction, currency, and what registration asks for."""
        return schemas.site_document(g.site, ruleset(g.site.jurisdiction, clock.now()))


@player_api.route("/players")
class Players(MethodView):
    """Registration."""

    @access("anyone")
    @player_api.arguments(schemas.ApplicationSchema)
    @player_api.response(201, accounts.SignedInSchema)
    @player_api.alt_response(409, schema=ProblemSchema)
    @player_api.alt_response(422, schema=ProblemSchema)
    @player_api.alt_response(429, schema=ProblemSchema)
    def post(self, form: Application) -> dict[str, Any]:
        """Open an account and sign in to it."""
        rate.check("register", f"{_tenant().id}:{accounts.caller_ip()}", REGISTRATIONS_PER_MINUTE, 60)
        with money_work(_tenant(), Actor("player", "newcomer")) as work:
            player = admit(work, g.site, form)
            return accounts.signed_in_document(accounts.open_player_session(work, player))


@player_api.route("/limits")
class AllLimits(MethodView):
    """The player's limits."""

    @access("player")
    @player_api.response(200, schemas.LimitsSchema)
    def get(self) -> Any:
        """Every limit as it applies now, with the changes that wait."""
        player = accounts.current_player()
        with unit_of_work(_tenant(), signed_in_identity().actor) as work:
            return schemas.limits_document(limits(work, player), player.currency)


@player_api.route("/limits/deposit/<any(day, week, month):period>")
class OneLimit(MethodView):
    """The deposit limit of one period."""

    @access("player")
    @player_api.arguments(schemas.AmountSchema)
    @player_api.response(200, schemas.DepositLimitSchema)
    @player_api.alt_response(403, schema=ProblemSchema)
    @player_api.alt_response(422, schema=ProblemSchema)
    def put(self, args: dict[str, Any], period: str) -> dict[str, Any]:
        """Set the limit: tighter at once, looser after the jurisdiction's delay."""
        player = accounts.current_player()
        money = parse_payable(args["amount"], player.currency) if args["amount"] is not None else None
        with money_work(_tenant(), signed_in_identity().actor) as work:
            changed = set_deposit_limit(work, player, period, money)
        return schemas.limit_document(changed, player.currency)


@player_api.route("/limits/deposit/<any(day, week, month):period>/pending")
class PendingLimit(MethodView):
    """A looser limit that waits."""

    @access("player")
    @player_api.response(200, schemas.DepositLimitSchema)
    @player_api.alt_response(404, schema=ProblemSchema)
    def delete(self, period: str) -> dict[str, Any]:
        """Take the change back: the limit stays as it is."""
        player = accounts.current_player()
        with money_work(_tenant(), signed_in_identity().actor) as work:
            return schemas.limit_document(cancel_pending(work, player, period), player.currency)


@player_api.route("/exclusions")
class Exclusions(MethodView):
    """Breaks and exclusions."""

    @access("player")
    @player_api.response(200, schemas.ExclusionStateSchema)
    def get(self) -> dict[str, Any]:
        """The exclusion that runs now, if any."""
        with unit_of_work(_tenant(), signed_in_identity().actor) as work:
            found = exclusions.exclusion(work, accounts.current_player())
        return {"exclusion": schemas.exclusion_document(found) if found else None}

    @access("player")
    @player_api.arguments(schemas.ExclusionArgs)
    @player_api.response(201, schemas.ExclusionSchema)
    @player_api.alt_response(422, schema=ProblemSchema)
    def post(self, args: dict[str, str]) -> dict[str, Any]:
        """Stop at once. Every session ends, this one too; it cannot be taken back."""
        with money_work(_tenant(), signed_in_identity().actor) as work:
            found = exclusions.exclude_for(work, accounts.current_player(), args["kind"], args["duration"])
        return schemas.exclusion_document(found)


@player_api.route("/identity")
class Identities(MethodView):
    """Proof of identity."""

    @access("player")
    @player_api.response(200, schemas.IdentityStateSchema)
    def get(self) -> dict[str, Any]:
        """Whether the identity is proven, or must be."""
        with unit_of_work(_tenant(), signed_in_identity().actor) as work:
            return schemas.identity_document(identity.identity_state(work, accounts.current_player()))

    @access("player")
    @player_api.arguments(schemas.IdentityArgs)
    @player_api.response(201, schemas.IdentityOrderSchema)
    @player_api.alt_response(409, schema=ProblemSchema)
    @player_api.alt_response(422, schema=ProblemSchema)
    @player_api.alt_response(503, schema=ProblemSchema)
    def post(self, args: dict[str, str | None]) -> dict[str, Any]:
        """Open a check at the identity vendor; the player goes to `redirect_url`."""
        player = accounts.current_player()
        rate.check("identity", f"{_tenant().id}:{player.id}", 20, 60)
        order = identity.begin_identity(_tenant(), player, return_address(args["return_url"]))
        return {"order_id": order.order_id, "redirect_url": order.redirect_url, "expires_at": order.expires_at}


@player_api.route("/identity/<order_id>/complete")
class IdentityCompletion(MethodView):
    """The end of a check."""

    @access("player")
    @player_api.response(200, schemas.IdentityResultSchema)
    @player_api.alt_response(404, schema=ProblemSchema)
    @player_api.alt_response(409, schema=ProblemSchema)
    @player_api.alt_response(422, schema=ProblemSchema)
    @player_api.alt_response(503, schema=ProblemSchema)
    def post(self, order_id: str) -> dict[str, Any]:
        """Collect the check's result; may be repeated."""
        player = accounts.current_player()
        rate.check("identity-complete", f"{_tenant().id}:{player.id}", 120, 60)
        return {"status": identity.complete_identity(_tenant(), player, order_id)}

# mypy: disable-error-code="untyped-decorator"
"""HTTP of accounts: sessions and the signed-in person on both kinds of site, players for staff."""

from __future__ import annotations

from typing import Any

from flask import g
from flask.views import MethodView
from flask_smorest import Blueprint

from whitefelt import audit
from whitefelt.accounts import schemas, sessions
from whitefelt.accounts.authentication import caller_ip, current_player, current_staff
from whitefelt.accounts.players import consents_of, find_players, player_by_public_id
from whitefelt.accounts.sign_in import sign_in, sign_in_staff
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.routes import access
from whitefelt.kernel.web import ProblemSchema, identity, page_of

player_api = Blueprint("accounts", __name__, url_prefix="/api/v1", description="Sessions and the signed-in player")
staff_api = Blueprint("accounts_staff", __name__, url_prefix="/api/v1", description="Staff sessions, and players")


def _tenant() -> TenantRef:
    tenant = g.site.tenant
    assert isinstance(tenant, TenantRef), "these routes are served on an operator's sites only"
    return tenant


@player_api.route("/sessions")
class Sessions(MethodView):
    """Signing in."""

    @access("anyone")
    @player_api.arguments(schemas.CredentialsArgs)
    @player_api.response(201, schemas.SignedInSchema)
    @player_api.alt_response(401, schema=ProblemSchema)
    @player_api.alt_response(422, schema=ProblemSchema)
    @player_api.alt_response(429, schema=ProblemSchema)
    def post(self, args: dict[str, str]) -> dict[str, Any]:
        """Sign in: the same answer whichever credential is wrong."""
        signed_in = sign_in(_tenant(), g.site.brand.id, args["email"], args["password"], ip=caller_ip())
        return schemas.signed_in_document(signed_in)


@player_api.route("/sessions/current")
class CurrentSession(MethodView):
    """The session of this request."""

    @access("player")
    @player_api.response(204)
    def delete(self) -> None:
        """Sign out: the token is worthless from now on."""
        with unit_of_work(_tenant(), identity().actor) as work:
            sessions.sign_out(work, identity().session_id)


@player_api.route("/me")
class Me(MethodView):
    """The signed-in player."""

    @access("player")
    @player_api.response(200, schemas.PlayerSchema)
    @player_api.alt_response(401, schema=ProblemSchema)
    def get(self) -> dict[str, Any]:
        """Everything we keep about the signed-in person's account."""
        return schemas.player_document(current_player())


@staff_api.route("/sessions")
class StaffSessions(MethodView):
    """Signing in to the back office."""

    @access("anyone")
    @staff_api.arguments(schemas.CredentialsArgs)
    @staff_api.response(201, schemas.StaffSignedInSchema)
    @staff_api.alt_response(401, schema=ProblemSchema)
    @staff_api.alt_response(422, schema=ProblemSchema)
    @staff_api.alt_response(429, schema=ProblemSchema)
    def post(self, args: dict[str, str]) -> dict[str, Any]:
        """Sign in as staff: the same answer whichever credential is wrong."""
        signed_in = sign_in_staff(_tenant(), args["email"], args["password"], ip=caller_ip())
        return schemas.staff_signed_in_document(signed_in)


@staff_api.route("/sessions/current")
class CurrentStaffSession(MethodView):
    """The session of this request."""

    @access("staff")
    @staff_api.response(204)
    def delete(self) -> None:
        """Sign out."""
        with unit_of_work(_tenant(), identity().actor) as work:
            sessions.sign_out_staff(work, identity().session_id)


@staff_api.route("/me")
class StaffMe(MethodView):
    """The signed-in staff member."""

    @access("staff")
    @staff_api.response(200, schemas.StaffSchema)
    @staff_api.alt_response(401, schema=ProblemSchema)
    def get(self) -> dict[str, Any]:
        """Who you are here, and what your role allows."""
        return schemas.staff_document(current_staff())


@staff_api.route("/players")
class Players(MethodView):
    """The operator's players."""

    @access("staff", "players.read")
    @staff_api.arguments(schemas.PlayerQuery, location="query")
    @staff_api.response(200, schemas.PlayerPageSchema)
    @staff_api.alt_response(403, schema=ProblemSchema)
    def get(self, args: dict[str, Any]) -> dict[str, Any]:
        """Find players, newest first; personal data is masked."""
        with unit_of_work(_tenant(), identity().actor) as work:
            found = find_players(work, args["query"], args["before"], args["limit"] + 1)
        return page_of([schemas.player_line(one) for one in found], args["limit"], lambda one: int(one["_key"]))


@staff_api.route("/players/<public_id>")
class OnePlayer(MethodView):
    """One player."""

    @access("staff", "players.read")
    @staff_api.response(200, schemas.PlayerDetailSchema)
    @staff_api.alt_response(403, schema=ProblemSchema)
    @staff_api.alt_response(404, schema=ProblemSchema)
    def get(self, public_id: str) -> dict[str, Any]:
        """See one player. Roles that may see personal data in full see it, and the look is written down."""
        masked = "players.pii" not in identity().permissions
        with unit_of_work(_tenant(), identity().actor) as work:
            player = player_by_public_id(work, public_id)
            consents = consents_of(work, player.id)
            if not masked:
                audit.record(work, "player.revealed", f"player:{player.public_id}")
        return schemas.player_detail(player, consents, masked=masked)

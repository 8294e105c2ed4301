"""JSON API of the game library."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import g, request
from flask.views import MethodView
from flask_smorest import Blueprint

from whitefelt import accounts, games
from whitefelt.kernel.routes import access
from whitefelt.kernel.web import PageArgs, ProblemSchema, page_of

player_api = Blueprint("games", __name__, url_prefix="/api/v1/games", description="What can be played here")


class TitleSchema(ma.Schema):
    """A game; `rtp` is the stated return to players in percent."""

    code = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    studio = ma.fields.String(required=True)
    kind = ma.fields.String(required=True)
    rtp = ma.fields.String(required=True)
    volatility = ma.fields.String()
    min_stake = ma.fields.String()
    max_stake = ma.fields.String()
    features = ma.fields.List(ma.fields.String())
    description = ma.fields.String()
    art_url = ma.fields.String()


class TitlePage(ma.Schema):
    """A page of the library; `next` goes into `before`."""

    items = ma.fields.List(ma.fields.Nested(TitleSchema), required=True)
    next = ma.fields.Integer(required=True, allow_none=True)


class LibraryArgs(PageArgs):
    """Filters of the library."""

    kind = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf(["slot", "table", "live"]))


class LaunchedSchema(ma.Schema):
    """A game ready to be opened; `launch_url` works once, for this player."""

    launch_url = ma.fields.String(required=True)
    session_id = ma.fields.UUID(required=True)
    expires_at = ma.fields.AwareDateTime(required=True)


@player_api.route("")
class Library(MethodView):
    """The library."""

    @access("anyone")
    @player_api.arguments(LibraryArgs, location="query")
    @player_api.response(200, TitlePage)
    def get(self, args: dict[str, Any]) -> dict[str, Any]:
        """List the games, newest first."""
        found = games.library(g.site.tenant, before=args["before"], limit=args["limit"] + 1, kind=args["kind"])
        return page_of(found, args["limit"], lambda one: one.id)


@player_api.route("/<string:code>")
class OneTitle(MethodView):
    """One game."""

    @access("anyone")
    @player_api.response(200, TitleSchema)
    @player_api.alt_response(404, schema=ProblemSchema)
    def get(self, code: str) -> games.Title:
        """Describe a game."""
        return games.title(g.site.tenant, code)


@player_api.route("/<string:code>/launch")
class LaunchTitle(MethodView):
    """Starting a game."""

    @access("player")
    @player_api.response(200, LaunchedSchema)
    @player_api.alt_response(403, schema=ProblemSchema)
    @player_api.alt_response(404, schema=ProblemSchema)
    def post(self, code: str) -> dict[str, Any]:
        """Open a game session and tell where the game is shown."""
        player = accounts.current_player()
        launched = games.launch(g.site.tenant, player, code, lobby_url=request.host_url)
        return {"launch_url": launched.url, "session_id": launched.session_id, "expires_at": launched.expires_at}

"""Who is asking? The `authenticate` functions of the three kinds of site (kernel.web.make_app).

A token comes in the Authorization header (`Bearer`) or, for pages, in the cookie: never in a query. It is looked up
only in the tenant of the host that was asked, and a player's only counts for the brand of that host.
"""

from __future__ import annotations

from flask import Response, g, request

from whitefelt.accounts import sessions
from whitefelt.accounts.players import Player
from whitefelt.accounts.staff import Staff
from whitefelt.kernel import errors, web
from whitefelt.kernel.context import Actor
from whitefelt.kernel.db import platform_work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.web import Identity
from whitefelt.tenancy import Site

#: The cookie of every kind of site; cookies are host-only, so each host has its own.
SESSION_COOKIE = "wf_session"
_MAX_TOKEN = 100


def authenticate_player() -> Identity | None:
    """The player signed in on this brand's site, None for nobody; `current_player` then knows the account."""
    token, by_cookie = _token()
    site: Site | None = g.get("site")
    if not token or site is None or site.kind != "brand" or site.tenant is None or site.brand is None:
        return None
    with unit_of_work(site.tenant) as work:
        # What a page's script asks by itself (`/-/..`) is no sign of a person: it must not keep a session alive.
        found = sessions.player_of_token(work, token, site.brand.id, seen=not request.path.startswith("/-/"))
    if found is None:
        return None
    player, session_id = found
    g.player = player
    actor = Actor("player", player.public_id, player.first_name)
    return Identity(actor, "player", frozenset(), session_id, by_cookie)


def authenticate_staff() -> Identity | None:
    """The staff member signed in on this operator's back office, None for nobody."""
    token, by_cookie = _token()
    site: Site | None = g.get("site")
    if not token or site is None or site.kind != "backoffice" or site.tenant is None:
        return None
    with unit_of_work(site.tenant) as work:
        found = sessions.staff_of_token(work, token)
    return _staff_identity(found, "staff", by_cookie)


def authenticate_supplier() -> Identity | None:
    """The supplier's staff member signed in on the console, None for nobody."""
    token, by_cookie = _token()
    site: Site | None = g.get("site")
    if not token or site is None or site.kind != "supplier":
        return None
    with platform_work() as work:
        found = sessions.supplier_of_token(work, token)
    return _staff_identity(found, "supplier", by_cookie)


def _staff_identity(found: tuple[Staff, int] | None, audience: str, by_cookie: bool) -> Identity | None:
    if found is None:
        return None
    staff, session_id = found
    g.staff = staff
    return Identity(Actor(audience, staff.public_id, staff.name), audience, staff.permissions, session_id, by_cookie)


def _token() -> tuple[str, bool]:
    """The token of this request and whether a cookie brought it. A header, even a useless one, silences the cookie."""
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        return token[:_MAX_TOKEN], False
    return request.cookies.get(web.cookie_name(SESSION_COOKIE), "")[:_MAX_TOKEN], True


def current_player() -> Player:
    """The player of this request as read when it came in; `not_signed_in` if there is none."""
    player: Player | None = g.get("player")
    if player is None:
        raise Problem(errors.NOT_SIGNED_IN)
    return player


def current_staff() -> Staff:
    """The staff member of this request (the operator's or the supplier's); `not_signed_in` if there is none."""
    staff: Staff | None = g.get("staff")
    if staff is None:
        raise Problem(errors.NOT_SIGNED_IN)
    return staff


def caller_ip() -> str:
    """The address that asks, as the server in front of us vouches for it."""
    return request.remote_addr or ""


def set_session_cookie(response: Response, token: str) -> None:
    """Give a page's browser its session: gone with the browser, ended by us at the latest when the session ends."""
    web.set_cookie(response, SESSION_COOKIE, token, seconds=None)


def clear_session_cookie(response: Response) -> None:
    """Take the session cookie back (the session itself is ended by `sign_out`)."""
    web.set_cookie(response, SESSION_COOKIE, "", seconds=0)

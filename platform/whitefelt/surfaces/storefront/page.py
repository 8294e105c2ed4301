"""One page: who looks, what surrounds it, and the theme that draws it."""

from __future__ import annotations

import logging
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from flask import Response, g, make_response, redirect, request

from whitefelt import accounts, compliance, theming, wallet
from whitefelt.accounts import Player
from whitefelt.kernel import clock, settings, web
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import decimal
from whitefelt.surfaces.storefront import views, wording
from whitefelt.tenancy import Brand, Site
from whitefelt.theming import Look

log = logging.getLogger("whitefelt.storefront")

#: Sentences that a redirect may leave in `?done=`; anything else is ignored.
NOTICES = {
    "registered": "good", "signed_in": "good", "signed_out": "info", "limit_saved": "good", "limit_later": "info",
    "identity_done": "good", "identity_failed": "info", "break_started": "info",
}  # fmt: skip

_SIGNED_IN = (
    ("lobby", "/", "home"), ("games", "/games", "grid"), ("cashier", "/cashier", "wallet"),
    ("statement", "/account/statement", "list"), ("account", "/account", "user"),
)  # fmt: skip
_STRANGER = (
    ("lobby", "/", "home"), ("games", "/games", "grid"), ("sign_in", "/sign-in", "user"),
    ("register", "/register", "plus"), ("help", "/legal/terms", "doc"),
)  # fmt: skip


def site() -> Site:
    """The brand's site that was asked."""
    found: Site = g.site
    return found


def tenant() -> TenantRef:
    """The operator of this site."""
    found = site().tenant
    assert found is not None, "a brand's site has an operator"
    return found


def brand() -> Brand:
    """The brand of this site."""
    found = site().brand
    assert found is not None, "a brand's site has a brand"
    return found


def player() -> Player | None:
    """Who is signed in, None for a stranger."""
    return accounts.current_player() if g.get("identity") is not None else None


def look() -> Look:
    """The brand's look; the base theme when the brand's own cannot be used, so that players are never shut out."""
    if "look" not in g:
        try:
            g.look = theming.look_of(brand())
        except theming.ThemeError as fault:
            log.error("brand %s has no usable look: %s", brand().slug, fault)
            g.look = theming.plain_look("base", "aurora", brand=brand().slug)
    found: Look = g.look
    return found


def address(path: str) -> str:
    """The absolute address of a path on this very site."""
    return f"{settings.current().scheme}://{request.host}{path}"


def balance_of(work: Work, owner: Player) -> views.Balance:
    """The player's pockets, as the page shows them; nothing is shown as zero when they were never opened."""
    pockets = wallet.find_pockets(work, owner.owner, owner.currency)
    assert pockets is not None, "a player has pockets from registration on"
    found = wallet.balances(work, pockets)
    parts = {"available": found.stakeable, "cash": found.cash, "bonus": found.bonus, "pending": found.pending}
    told = {name: wording.money(amount) for name, amount in parts.items()}
    plain = {f"{name}_amount": decimal(amount) for name, amount in parts.items()}
    version = sha256("|".join(plain.values()).encode()).hexdigest()[:16]
    return views.Balance(**told, **plain, version=version)


def show(name: str, *, place: str = "", status: int = 200, **variables: Any) -> Response:
    """The page `name` of the brand's theme with these view models, in its frame and with its legal slots."""
    who, at = player(), clock.now()
    shown, since = None, None
    if who is not None:
        with unit_of_work(tenant()) as work:
            shown = balance_of(work, who)
            since = accounts.session_started_at(work, web.identity().session_id)
    slots = compliance.slots(site(), who, at, since)
    return draw(name, frame(name, place, shown, at), slots, status, **variables)


def frame(name: str, place: str, shown: views.Balance | None, at: datetime) -> views.Frame:
    """What surrounds the page."""
    who = player() if shown is not None else None
    places = _SIGNED_IN if who else _STRANGER
    return views.Frame(
        page=name, brand_name=brand().name, language="en",
        min_age=compliance.ruleset(site().jurisdiction, at).min_age,
        places=tuple(views.Place(one, url, icon, one == place) for one, url, icon in places),
        player=views.Person(who.name, f"{who.first_name[:1]}{who.last_name[:1]}".upper()) if who else None,
        balance=shown, notices=_notices(),
    )  # fmt: skip


def draw(name: str, around: views.Frame, slots: dict[str, Any], status: int, **variables: Any) -> Response:
    """The response for a page whose frame and slots are known."""
    html = theming.render(look(), name, {"frame": around, **variables}, slots=slots, csrf=web.csrf_token)
    return make_response(html, status)


def _notices() -> tuple[views.Notice, ...]:
    done = request.args.get("done", "")
    return (views.Notice(done, NOTICES[done]),) if done in NOTICES and request.method == "GET" else ()


def go(path: str, done: str = "") -> Response:
    """See another page next (303), with a sentence that says what was done."""
    assert not done or done in NOTICES, done
    joined = "&" if "?" in path else "?"
    return make_response(redirect(f"{path}{joined}done={quote(done)}" if done else path, 303))


def local_path(text: str, otherwise: str = "/") -> str:
    """A path of this site from outside; anything that could lead elsewhere becomes `otherwise`."""
    plain = text.isascii() and text.isprintable() and not any(c in text for c in ' \\"<>') and len(text) <= 300
    return text if plain and text.startswith("/") and not text.startswith(("//", "/-/", "/api/")) else otherwise


def gate(problem: Problem) -> views.Gate:
    """A refusal of compliance as the card that says what opens the way."""
    code = problem.code.name
    icon, url = {
        "not_signed_in": ("user", f"/sign-in?next={quote(request.path)}"), "identity_required": ("id", "/account/identity"),
        "limit_required": ("limit", "/account/limits"), "excluded": ("pause", "/account/break"),
        "account_blocked": ("warn", ""), "account_closed": ("warn", "/cashier/withdraw"),
        "no_method": ("wallet", "/cashier/deposit"), "nothing": ("wallet", "/cashier"),
    }.get(code, ("info", ""))  # fmt: skip
    texts = look().texts
    if f"gate.{code}_title" not in texts:
        return views.Gate(code, icon, look().text("gate.unavailable_title"), problem.detail)
    action = texts.get(f"gate.{code}_action", "")
    return views.Gate(
        code, icon, texts[f"gate.{code}_title"], texts[f"gate.{code}_text"], action, url if action else ""
    )

"""For every route of the application: how it is called rightly. A route that is not here fails the test.

`who` is an attribute of the operator's World (`guest`: nobody need be signed in). `{..}` in a path is an attribute too;
`names` says which of them is one operator's object, so that the call is also tried from outside with that object's id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import people
from isolation.world import PASSWORD, Caller, World
from whitefelt import compliance, tenancy
from whitefelt.kernel import clock
from whitefelt.kernel.db import money_work
from whitefelt.kernel.money import parse


@dataclass(frozen=True)
class Recipe:
    """One right call. `fresh`: the thing or person is used up by the call and made anew for it."""

    who: str
    path: str = ""
    body: Callable[[World], dict[str, Any]] | None = None
    status: int = 200
    names: str = ""
    fresh: Callable[[World], Any] | None = None
    shows: Callable[[World], Any] | None = None
    #: Only of use with a session of its own (sign-out): the session is used up, not the person.
    own_session: bool = False
    #: Things that must be true of the person who calls, made so before the call.
    before: Callable[[World, Caller], None] | None = None


def application(world: World) -> dict[str, Any]:
    """A registration over the API."""
    form = people.application(tenancy.site_of(world.host))
    names = ("email", "password", "first_name", "last_name", "birth_date", "country", "documents")
    return {name: getattr(form, name) for name in names}


def application_form(world: World) -> dict[str, Any]:
    """The same on the page."""
    told = application(world)
    documents = told.pop("documents")
    return {**told, **{f"accept_{name}": version for name, version in documents.items()}}


def credentials(world: World) -> dict[str, Any]:
    return {"email": world.player.account.email, "password": PASSWORD}


def staff_credentials(world: World) -> dict[str, Any]:
    return {"email": world.payments.account.email, "password": PASSWORD}


def supplier_credentials(world: World) -> dict[str, Any]:
    return {"email": world.supplier.account.email, "password": PASSWORD}


def waiting_limit(world: World, caller: Caller) -> None:
    """A limit, and a looser one that waits."""
    with money_work(world.tenant) as work:
        for euros in (100, 200):
            compliance.set_deposit_limit(
                work, caller.account, "week", parse(world.amount(euros), caller.account.currency)
            )


def break_form(world: World) -> dict[str, Any]:
    rules = compliance.ruleset(tenancy.site_of(world.host).jurisdiction, clock.now())
    return {"length": f"time_out:{rules.time_out_options[0]}"}


def break_body(world: World) -> dict[str, Any]:
    kind, _, duration = break_form(world)["length"].partition(":")
    return {"kind": kind, "duration": duration}


def amount(world: World) -> dict[str, Any]:
    """A sum to move, by card."""
    return {"amount": world.amount(20), "method": "card"}


def player_name(world: World) -> str:
    return str(world.player.account.last_name)


def token_css(world: World) -> str:
    return world.token_css


PAGES: dict[str, Recipe] = {
    "brand GET /": Recipe("guest"),
    "brand GET /games": Recipe("guest"),
    "brand GET /games/<code>": Recipe("guest", "/games/{game}", shows=lambda w: w.game),
    "brand GET /register": Recipe("guest"),
    "brand POST /register": Recipe("guest", body=application_form, status=303),
    "brand GET /sign-in": Recipe("guest"),
    "brand POST /sign-in": Recipe("guest", body=credentials, status=303),
    "brand POST /sign-out": Recipe("player", body=lambda _: {}, status=303, own_session=True),
    "brand GET /cashier": Recipe("player", shows=lambda w: w.deposit),
    "brand GET /cashier/deposit": Recipe("player"),
    "brand POST /cashier/deposit": Recipe("player", body=amount, status=303),
    "brand GET /cashier/deposit/<public_id>": Recipe("player", "/cashier/deposit/{deposit}", names="deposit"),
    "brand GET /cashier/withdraw": Recipe("player"),
    "brand POST /cashier/withdraw": Recipe("player", body=amount, status=303),
    "brand GET /cashier/withdraw/<public_id>": Recipe("player", "/cashier/withdraw/{withdrawal}", names="withdrawal"),
    "brand GET /account": Recipe("player", shows=player_name),
    "brand GET /account/statement": Recipe("player"),
    "brand GET /account/limits": Recipe("player"),
    "brand POST /account/limits": Recipe(
        "player", body=lambda w: {"period": "day", "amount": w.amount(4000)}, status=303
    ),
    "brand GET /account/identity": Recipe("player"),
    "brand POST /account/identity": Recipe("neighbour", body=lambda _: {}, status=303),
    "brand GET /account/break": Recipe("player"),
    "brand POST /account/break": Recipe("player", body=break_form, status=303, fresh=World.new_player),
    "brand GET /legal/<name>": Recipe("guest", "/legal/terms"),
    "brand GET /-/balance": Recipe("player"),
    "brand GET /-/deposit/<public_id>": Recipe("player", "/-/deposit/{deposit}", names="deposit"),
    "brand GET /-/withdrawal/<public_id>": Recipe("player", "/-/withdrawal/{withdrawal}", names="withdrawal"),
    "brand GET /-/theme/<brand>/<content_hash>.css": Recipe("guest", "{token_css}", names="token_css"),
    "brand GET /-/legal/<content_hash>.css": Recipe("guest", "{legal_css}"),
    "brand GET /-/asset/<theme>/<content_hash>/<path:path>": Recipe("guest", "{asset}"),
}

PLAYER_API: dict[str, Recipe] = {
    "brand GET /api/v1/openapi.json": Recipe("guest"),
    "brand POST /api/v1/sessions": Recipe("guest", body=credentials, status=201),
    "brand DELETE /api/v1/sessions/current": Recipe("player", status=204, own_session=True),
    "brand GET /api/v1/me": Recipe("player", shows=lambda w: w.player.account.email),
    "brand GET /api/v1/site": Recipe("guest"),
    "brand POST /api/v1/players": Recipe("guest", body=application, status=201),
    "brand GET /api/v1/limits": Recipe("player"),
    "brand PUT /api/v1/limits/deposit/<any(day, week, month):period>": Recipe(
        "player", "/api/v1/limits/deposit/day", body=lambda w: {"amount": w.amount(4500)}
    ),
    "brand DELETE /api/v1/limits/deposit/<any(day, week, month):period>/pending": Recipe(
        "player", "/api/v1/limits/deposit/week/pending", fresh=World.new_player, before=waiting_limit
    ),
    "brand GET /api/v1/exclusions": Recipe("player"),
    "brand POST /api/v1/exclusions": Recipe("player", body=break_body, status=201, fresh=World.new_player),
    "brand GET /api/v1/identity": Recipe("player"),
    "brand POST /api/v1/identity": Recipe("neighbour", body=lambda _: {}, status=201),
    "brand POST /api/v1/identity/<order_id>/complete": Recipe(
        "neighbour", "/api/v1/identity/{order}/complete", body=lambda _: {}, names="order"
    ),
    "brand GET /api/v1/balance": Recipe("player"),
    "brand GET /api/v1/statement": Recipe("player"),
    "brand GET /api/v1/rounds": Recipe("player"),
    "brand GET /api/v1/payment-methods": Recipe("player"),
    "brand GET /api/v1/deposits": Recipe("player", shows=lambda w: w.deposit),
    "brand POST /api/v1/deposits": Recipe("player", body=amount, status=201),
    "brand GET /api/v1/deposits/<public_id>": Recipe("player", "/api/v1/deposits/{deposit}", names="deposit"),
    "brand GET /api/v1/withdrawals": Recipe("player", shows=lambda w: w.withdrawal),
    "brand POST /api/v1/withdrawals": Recipe("player", body=amount, status=201),
    "brand GET /api/v1/withdrawals/<public_id>": Recipe(
        "player", "/api/v1/withdrawals/{withdrawal}", names="withdrawal"
    ),
    "brand GET /api/v1/games": Recipe("guest", shows=lambda w: w.game),
    "brand GET /api/v1/games/<string:code>": Recipe("guest", "/api/v1/games/{game}"),
    "brand POST /api/v1/games/<string:code>/launch": Recipe("player", "/api/v1/games/{game}/launch", body=lambda _: {}),
}

OFFICE: dict[str, Recipe] = {
    "backoffice GET /-/console/<digest>/<name>": Recipe("guest", "/-/console/0/console.css"),
    "backoffice GET /sign-in": Recipe("guest"),
    "backoffice POST /sign-in": Recipe("guest", body=staff_credentials, status=303),
    "backoffice POST /sign-out": Recipe("payments", body=lambda _: {}, status=303, own_session=True),
    "backoffice GET /": Recipe("payments"),
    "backoffice GET /withdrawals": Recipe("payments", shows=lambda w: w.withdrawal),
    "backoffice GET /withdrawals/<public_id>": Recipe("payments", "/withdrawals/{withdrawal}", names="withdrawal"),
    "backoffice POST /withdrawals/<public_id>/approve": Recipe(
        "payments", "/withdrawals/{withdrawal}/approve", body=lambda _: {"note": "right"}, status=303, names="withdrawal",
        fresh=World.new_withdrawal,
    ),
    "backoffice POST /withdrawals/<public_id>/reject": Recipe(
        "payments", "/withdrawals/{withdrawal}/reject", body=lambda _: {"reason": "not now"}, status=303, names="withdrawal",
        fresh=World.new_withdrawal,
    ),
    "backoffice GET /players": Recipe("payments", "/players?query={email}", shows=lambda w: w.player.account.public_id),
    "backoffice GET /players/<public_id>": Recipe("payments", "/players/{player_id}", names="player_id"),
    "backoffice POST /players/<public_id>/reveal": Recipe(
        "payments", "/players/{player_id}/reveal", body=lambda _: {}, names="player_id", shows=lambda w: w.player.account.email
    ),
    "backoffice GET /deliveries": Recipe("payments", shows=lambda w: w.delivery),
    "backoffice POST /deliveries/<int:delivery_id>/retry": Recipe(
        "payments", "/deliveries/{delivery}/retry", body=lambda _: {"reason": "again"}, status=303, names="delivery",
        fresh=World.new_delivery,
    ),
    "backoffice GET /audit": Recipe("auditor"),
    "backoffice POST /audit/verify": Recipe("auditor", body=lambda _: {}),
    "backoffice GET /api/v1/openapi.json": Recipe("guest"),
    "backoffice GET /api/v1/audit": Recipe("auditor"),
    "backoffice POST /api/v1/audit/verify": Recipe("auditor", body=lambda _: {}),
    "backoffice POST /api/v1/sessions": Recipe("guest", body=staff_credentials, status=201),
    "backoffice DELETE /api/v1/sessions/current": Recipe("payments", status=204, own_session=True),
    "backoffice GET /api/v1/me": Recipe("payments", shows=lambda w: w.payments.account.email),
    "backoffice GET /api/v1/players": Recipe("payments", "/api/v1/players?query={email}", shows=lambda w: w.player.account.public_id),
    "backoffice GET /api/v1/players/<public_id>": Recipe("payments", "/api/v1/players/{player_id}", names="player_id"),
    "backoffice GET /api/v1/players/<public_id>/statement": Recipe(
        "payments", "/api/v1/players/{player_id}/statement", names="player_id"
    ),
    "backoffice GET /api/v1/withdrawals": Recipe("payments", "/api/v1/withdrawals?status=waiting", shows=lambda w: w.withdrawal),
    "backoffice GET /api/v1/withdrawals/<public_id>": Recipe("payments", "/api/v1/withdrawals/{withdrawal}", names="withdrawal"),
    "backoffice POST /api/v1/withdrawals/<public_id>/approve": Recipe(
        "payments", "/api/v1/withdrawals/{withdrawal}/approve", body=lambda _: {}, names="withdrawal", fresh=World.new_withdrawal
    ),
    "backoffice POST /api/v1/withdrawals/<public_id>/reject": Recipe(
        "payments", "/api/v1/withdrawals/{withdrawal}/reject", body=lambda _: {"reason": "not now"}, names="withdrawal",
        fresh=World.new_withdrawal,
    ),
    "backoffice GET /api/v1/overview": Recipe("payments"),
    "backoffice GET /api/v1/deliveries": Recipe("payments", "/api/v1/deliveries?state=blocked", shows=lambda w: w.delivery),
    "backoffice POST /api/v1/deliveries/<int:delivery_id>/retry": Recipe(
        "payments", "/api/v1/deliveries/{delivery}/retry", body=lambda _: {"reason": "again"}, names="delivery",
        fresh=World.new_delivery,
    ),
}  # fmt: skip

SUPPLIER: dict[str, Recipe] = {
    "supplier GET /-/console/<digest>/<name>": Recipe("guest", "/-/console/0/console.css"),
    "supplier GET /sign-in": Recipe("guest"),
    "supplier POST /sign-in": Recipe("guest", body=supplier_credentials, status=303),
    "supplier POST /sign-out": Recipe("supplier", body=lambda _: {}, status=303, own_session=True),
    "supplier GET /": Recipe("supplier", shows=lambda w: w.slug),
    "supplier GET /tenants/<slug>": Recipe("supplier", "/tenants/{slug}", shows=lambda w: w.host),
    "supplier GET /api/v1/openapi.json": Recipe("guest"),
}

RECIPES: dict[str, Recipe] = {**PAGES, **PLAYER_API, **OFFICE, **SUPPLIER}
#: Routes that no browser calls; each has a test of its own in test_machines.py.
MACHINES = {
    "vendor POST /callbacks/play/<integration>/<path>", "vendor POST /callbacks/pay/<integration>",
    "machine GET /healthz", "machine GET /readyz",
}  # fmt: skip

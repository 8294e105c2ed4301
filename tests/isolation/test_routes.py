"""Every route, asked with the other operator's host, ids, cookies and tokens; and rightly, so that `all 404` cannot pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from isolation.recipes import MACHINES, RECIPES
from isolation.world import FORGED, MISSING, STRANGER, SUPPLIER_HOST, Caller, Site, World
from isolation.written import Written
from whitefelt.accounts import ROLES

HOSTS = {"brand": "host", "backoffice": "office"}
REFUSALS = (401, 403, 404, 421)


def test_every_route_has_a_recipe(site: Site) -> None:
    routes = {f"{route.site} {route.method} {route.rule}" for route in site.app.registry.routes}
    assert routes - set(RECIPES) - MACHINES == set(), "write a recipe for each in tests/isolation/recipes.py"
    assert (set(RECIPES) | MACHINES) - routes == set(), "recipes of routes that are gone"


class Call:
    """One route of one operator, ready to be asked by anyone."""

    def __init__(self, site: Site, key: str, own: World, other: World) -> None:
        self.site, self.own, self.other = site, own, other
        self.key, self.recipe = key, RECIPES[key]
        self.kind, self.method, self.rule = key.split(" ", 2)
        self.is_api = self.rule.startswith("/api/")
        route = next(
            r for r in site.app.registry.routes if (r.site, r.method, r.rule) == (self.kind, self.method, self.rule)
        )
        self.access = route.access
        self.id = getattr(own, self.recipe.names) if self.recipe.names else None

    def host_of(self, world: World) -> str:
        return SUPPLIER_HOST if self.kind == "supplier" else getattr(world, HOSTS[self.kind])

    def path(self, id_: Any = None) -> str:
        names = {name: getattr(self.own, name) for name in re.findall(r"{(\w+)}", self.recipe.path)}
        if self.recipe.names and id_ is not None:
            names[self.recipe.names] = id_
        return self.recipe.path.format(**names) if self.recipe.path else self.rule

    def ask(self, host: str, caller: Caller, by: str, id_: Any = None) -> TestResponse:
        told = self.recipe.body(self.own) if self.recipe.body else None
        content = {"body": told} if self.is_api else {"form": told}
        return self.site.ask(host, self.method, self.path(id_), caller, by=by, **content)

    def is_public_at_brand(self) -> bool:
        """A console's address that is a public page of the brand's site, such as its front page."""
        routes = self.site.app.registry.routes
        return any(
            (r.site, r.method, r.rule, r.access.audience) == ("brand", self.method, self.rule, "anyone") for r in routes
        )

    def rightful(self) -> Caller:
        return STRANGER if self.recipe.who == "guest" else getattr(self.own, self.recipe.who)


def is_refusal(answer: TestResponse) -> bool:
    """Refused: by status, or sent to sign in."""
    if answer.status_code in (302, 303):
        return answer.headers["Location"].startswith("/sign-in")
    return answer.status_code in REFUSALS


def plain(answer: TestResponse, *ids: Any) -> tuple[int, str]:
    """Status and text without what differs from request to request: ids, traces, tokens, clocks."""
    text = answer.text
    for one in ids:
        text = text.replace(str(one), "ID")
    text = re.sub(r"[0-9a-f]{64}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "HEX", text)
    return answer.status_code, re.sub(r"\d{1,2}:\d{2}(?::\d{2})?", "TIME", text)


def wrongful_callers(call: Call) -> Iterator[tuple[str, Caller]]:
    """Everybody who is signed in somewhere, but not as whom this route wants here."""
    own, other = call.own, call.other
    if call.access.audience != "player":
        yield "own player", own.player
    if call.access.audience != "staff":
        yield "own staff", own.payments
    if call.access.audience != "supplier":
        yield "supplier", own.supplier
    if call.kind != "supplier":
        yield "other's player", other.player
        yield "other's staff", other.payments
    if call.kind == "brand":
        yield "a session of the second brand", own.second_brand_player
    yield "a stranger", STRANGER
    yield "a forged token", FORGED


def lacking(permission: str, own: World) -> Caller:
    """A colleague whose role does not have that permission."""
    roles = [role for role in ("support", "product", "payments") if permission not in ROLES[role]]
    return getattr(own, roles[0])


@pytest.mark.parametrize("slug", ["alpha", "bravo"])
@pytest.mark.parametrize("key", RECIPES)
def test_a_route_serves_only_whom_it_should(site: Site, worlds: dict[str, World], slug: str, key: str) -> None:
    own, other = worlds[slug], worlds["bravo" if slug == "alpha" else "alpha"]
    call = Call(site, key, own, other)
    written = Written(own.tenant, other.tenant)
    before = written.now()
    refuse_wrong_callers(call)
    refuse_wrong_hosts(call)
    refuse_foreign_objects(call)
    assert written.since(before) == {}, "a refused call has written"
    serve_the_rightful(call)


def refuse_wrong_callers(call: Call) -> None:
    if call.access.audience == "anyone":
        return
    for name, caller in wrongful_callers(call):
        for by in ("bearer", "cookie"):
            answer = call.ask(call.host_of(call.own), caller, by)
            assert is_refusal(answer), (name, by, answer.status, answer.text[:400])
            assert not shown(answer, call.own, caller), (name, by, shown(answer, call.own, caller))
    if call.access.permission and call.kind == "backoffice":
        answer = call.ask(call.host_of(call.own), lacking(call.access.permission, call.own), "bearer")
        assert answer.status_code == 403, answer.text[:400]


def refuse_wrong_hosts(call: Call) -> None:
    """The rightful token at the other operator's host, at the other kind of host, at a host that is nobody's."""
    nowhere = call.ask("nobody.localhost", call.rightful(), "bearer")
    assert nowhere.status_code == 421 and not shown(nowhere, call.own), nowhere.text[:400]
    if call.access.audience == "anyone" or call.kind == "supplier":
        return
    elsewhere = [call.host_of(call.other)] + ([call.own.second_host] if call.kind == "brand" else [call.own.host])
    for host in elsewhere:
        for by in ("bearer", "cookie"):
            answer = call.ask(host, call.rightful(), by)
            assert is_refusal(answer) or answer.status_code == 405 or call.is_public_at_brand(), (
                host,
                by,
                answer.status,
            )
            assert not shown(answer, call.own), (host, by)


def refuse_foreign_objects(call: Call) -> None:
    """Somebody who is rightly signed in elsewhere, or here as another, asks with this operator's id: as if there were none."""
    if not call.recipe.names:
        return
    callers = [("the other operator's", call.host_of(call.other), getattr(call.other, call.recipe.who, STRANGER))]
    if call.access.audience == "player":
        stranger_here = call.own.neighbour if call.recipe.who == "player" else call.own.player
        callers.append(("another player", call.host_of(call.own), stranger_here))
    for name, host, caller in callers:
        missing = MISSING[call.recipe.names]()
        absent, foreign = call.ask(host, caller, "bearer", missing), call.ask(host, caller, "bearer", call.id)
        assert foreign.status_code == 404, (name, foreign.status, foreign.text[:400])
        assert plain(foreign, call.id) == plain(absent, missing), name
        assert not shown(foreign, call.own, caller), name


def shown(answer: TestResponse, world: World, caller: Caller = STRANGER) -> list[str]:
    """Secrets of that operator's people in an answer, but for those that its own address or the caller's account names."""
    told = f"{answer.request.url} {caller.account}"
    return [word for word in world.secrets_of_people if word in answer.text and word not in told]


def serve_the_rightful(call: Call) -> None:
    recipe, own, caller = call.recipe, call.own, call.rightful()
    id_ = call.id
    if recipe.fresh and recipe.names:
        id_ = recipe.fresh(own)
    elif recipe.fresh:
        caller = recipe.fresh(own)
    if recipe.own_session:
        caller = new_session(call)
    if recipe.before:
        recipe.before(own, caller)
    answer = call.ask(call.host_of(own), caller, "bearer" if call.is_api else "cookie", id_)
    assert answer.status_code == recipe.status, (answer.status, answer.headers.get("Location"), answer.text[:2000])
    if answer.status_code == 303:
        assert not answer.headers["Location"].startswith("/sign-in") or "sign-out" in call.rule, answer.headers[
            "Location"
        ]
    if recipe.shows:
        assert str(recipe.shows(own)) in answer.text, answer.text[:2000]
    if call.kind != "supplier":
        assert not [word for word in call.other.secrets_of_people if word in answer.text]


def new_session(call: Call) -> Caller:
    from whitefelt import accounts
    from whitefelt.kernel.db import platform_work, unit_of_work

    caller = call.rightful()
    if call.access.audience == "player":
        return call.own.session_of(caller.account)
    if call.access.audience == "supplier":
        with platform_work() as work:
            return replace(caller, token=accounts.open_supplier_session(work, caller.account).token)
    with unit_of_work(call.own.tenant) as work:
        return replace(caller, token=accounts.open_staff_session(work, caller.account).token)

"""What every page of the back office needs: a unit of work of the signed-in staff, the frame, rendering, failing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, g, make_response, redirect, request
from flask.typing import ResponseReturnValue

from whitefelt import accounts, cashier, reporting
from whitefelt.kernel import db, errors, web
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import Problem
from whitefelt.surfaces import console
from whitefelt.surfaces.console import Frame, Group, Link

ENV = console.environment(Path(__file__).parent / "templates")
CONSOLE = "Back office"
PAGE_SIZE = 50
#: Largest row id that an address may name.
MAX_ID = 2**62


@dataclass(frozen=True, slots=True)
class Badge:
    """A state in words; `kind` (quiet, good, wait, bad, busy) decides colour and shape."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and a value of a list of facts."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Tab:
    """One of several views of a page, by address."""

    href: str
    label: str
    current: bool
    count: int = 0
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """What just happened, in a sentence."""

    kind: str
    text: str


def tenant() -> TenantRef:
    """The operator whose back office this host is."""
    found = g.site.tenant
    assert isinstance(found, TenantRef), "the back office is served on an operator's host only"
    return found


def may(permission: str) -> bool:
    """Whether the signed-in staff member has that permission: decides what is shown, never what is allowed."""
    return permission in web.identity().permissions


@contextmanager
def reading() -> Iterator[Work]:
    """A unit of work of the signed-in staff member in the operator's schema."""
    with db.unit_of_work(tenant(), web.identity().actor) as work:
        yield work


@contextmanager
def moving_money() -> Iterator[Work]:
    """As `reading`, able to move money."""
    with db.money_work(tenant(), web.identity().actor) as work:
        yield work


def frame(work: Work, here: str, *, query: str = "") -> Frame:
    """The frame for the signed-in role: only sections that it may open, with what waits in each."""
    waiting = cashier.counts(work)["waiting"] if may("withdrawals.read") else 0
    blocked = reporting.flow(work).blocked if may("deliveries.read") else 0
    sections = (
        ("Today", (("", Link("/", "Overview")),)),
        ("Payments", (("withdrawals.read", Link("/withdrawals", "Withdrawals", waiting)),)),
        ("Players", (("players.read", Link("/players", "Players")),)),
        ("Operations", (("deliveries.read", Link("/deliveries", "Deliveries", blocked, bad=True)),)),
        ("Control", (("audit.read", Link("/audit", "Audit log")),)),
    )
    groups = tuple(
        Group(title, shown)
        for title, links in sections
        if (shown := tuple(link for permission, link in links if not permission or may(permission)))
    )
    staff = accounts.current_staff()
    return Frame(
        console=CONSOLE, owner=g.site.tenant_name, groups=groups, here=here, person=staff.name, role=staff.role,
        zone=tenant().timezone, search="/players" if may("players.read") else "", search_label="Find a player",
        query=query,
    )  # fmt: skip


def page(template: str, surrounding: Frame, http_status: int = 200, /, **model: Any) -> Response:
    """The page as a response."""
    return make_response(console.render(ENV, f"backoffice/{template}", surrounding, **model), http_status)


def problem_page(problem: Problem) -> ResponseReturnValue:
    """What people see when a page fails; who is not signed in is asked to sign in and comes back here."""
    if problem.code is errors.NOT_SIGNED_IN:
        back = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return redirect("/sign-in" + (f"?next={quote(back, safe='')}" if back != "/" else ""), 303)
    text = console.render_alone(
        ENV, "console/problem.html", owner=_owner(), problem=problem, advice=console.advice(problem)
    )
    return make_response(text, problem.code.status)


def _owner() -> str:
    site = g.get("site")
    return site.tenant_name if site is not None else "Whitefelt"


def before() -> int | None:
    """The `before` of the address: an id, None if there is none or it is none."""
    told = request.args.get("before", "")
    return int(told) if told.isdecimal() and told.isascii() and 0 < len(told) < 19 and int(told) <= MAX_ID else None


def address(path: str, **query: Any) -> str:
    """An address on this site with the given query; empty values are left out."""
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


def text_field(name: str, longest: int) -> str:
    """A field of the submitted form, cut to `longest` characters."""
    return request.form.get(name, "")[:longest]

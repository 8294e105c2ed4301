"""Players and sites for tests: plain functions, every person new."""

from __future__ import annotations

import itertools
import os
from datetime import date
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from whitefelt import accounts, compliance, tenancy
from whitefelt.kernel import clock, web
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import money_work
from whitefelt.kernel.routes import Registry

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def unique_name() -> str:
    """A name that nobody else has in this database."""
    number, text = next(_numbers) * 100_000 + os.getpid() % 100_000, ""
    while number:
        number, rest = divmod(number, 26)
        text += _LETTERS[rest]
    return text.capitalize()


def application(site: tenancy.Site, **changed: Any) -> compliance.Application:
    """An application that is admitted on that site, but for what is changed."""
    name = unique_name()
    rules = compliance.ruleset(site.jurisdiction, clock.now())
    told: dict[str, Any] = {
        "email": f"{name.lower()}@example.com", "password": PASSWORD, "first_name": "Ada", "last_name": name,
        "birth_date": "1990-05-17", "country": site.jurisdiction, "language": "en", "documents": dict(rules.documents),
    }  # fmt: skip
    return compliance.Application(**{**told, **changed})


def register(tenant: TenantRef, **changed: Any) -> accounts.Player:
    """A new player of the tenant's first brand."""
    site = brand_site(tenant)
    with money_work(tenant) as work:
        return compliance.admit(work, site, application(site, **changed))


def brand_site(tenant: TenantRef) -> tenancy.Site:
    """The tenant's first brand's site."""
    return next(site for site in tenancy.sites_of(tenant) if site.kind == "brand")


def fresh(tenant: TenantRef, player: accounts.Player) -> accounts.Player:
    """The player as the database has it now."""
    with money_work(tenant) as work:
        return accounts.player(work, player.id)


def birthday(years: int, today: date) -> date:
    """The birth date of someone who completes that many years today."""
    return today.replace(year=today.year - years)


class SiteClient(FlaskClient):
    """A client that names its site's host."""

    host = ""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("base_url", f"http://{self.host}")
        return super().open(*args, **kwargs)


_AUTHENTICATE = {
    "brand": accounts.authenticate_player,
    "backoffice": accounts.authenticate_staff,
    "supplier": accounts.authenticate_supplier,
}


def client_of(site: tenancy.Site) -> FlaskClient:
    """A client of our JSON API as that site serves it, with the host's own `authenticate`."""
    from whitefelt.accounts import api as accounts_api
    from whitefelt.compliance import api as compliance_api

    app: Flask = web.make_app(
        site.kind, authenticate=_AUTHENTICATE[site.kind], render_problem=lambda problem: web.problem_response(problem)
    )
    api = web.make_api(app, "test")
    if site.kind == "brand":
        api.register_blueprint(accounts_api.player_api)
        api.register_blueprint(compliance_api.player_api)
    elif site.kind == "backoffice":
        api.register_blueprint(accounts_api.staff_api)
    Registry().add_flask(site.kind, app)
    app.test_client_class = SiteClient
    client = app.test_client()
    assert isinstance(client, SiteClient)
    client.host = site.host
    client.environ_base["whitefelt.site"] = site
    return client


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}

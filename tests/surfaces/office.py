"""Browsers without a browser: a client of the whole application that keeps cookies and fills forms, and what it looks at."""

from __future__ import annotations

import re
import uuid
from functools import cache
from html import unescape
from typing import Any

from werkzeug.test import Client, TestResponse

from people import register
from whitefelt import accounts, cashier, tenancy, wallet
from whitefelt.accounts import Player
from whitefelt.app import Application
from whitefelt.cashier.models import DepositRow
from whitefelt.kernel import db, ids, settings
from whitefelt.kernel.context import Actor, TenantRef
from whitefelt.kernel.money import Money, parse

PASSWORD = "quiet felt, dense rows"


@cache
def application() -> Application:
    """One application per process, as in life."""
    return Application()


class Browser:
    """Someone at one host; forms carry the CSRF token that the page before gave."""

    def __init__(self, host: str) -> None:
        self.host, self.client = host, Client(application())
        self.token = ""

    def get(self, path: str, **headers: str) -> TestResponse:
        return self._keep(self.client.get(path, base_url=f"http://{self.host}", headers=headers))

    def post(self, path: str, **fields: str) -> TestResponse:
        form = {"csrf_token": self.token, **fields}
        return self._keep(self.client.post(path, base_url=f"http://{self.host}", data=form))

    def api(self, method: str, path: str, body: Any = None) -> TestResponse:
        return self.client.open(
            path, method=method, base_url=f"http://{self.host}", json=body, headers={"X-CSRF-Token": self.token}
        )

    def _keep(self, response: TestResponse) -> TestResponse:
        found = re.search(r'name="csrf_token" value="([0-9a-f]{64})"', response.text)
        self.token = found.group(1) if found else self.token
        return response

    def sign_in(self, email: str, onward: str = "/", password: str = PASSWORD) -> TestResponse:
        self.get("/sign-in")
        response = self.post("/sign-in", email=email, password=password, next=onward)
        self.get("/")
        return response


def words(response: TestResponse) -> str:
    """What a person reads: no tags, one blank between words."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", response.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).replace("\u00a0", " ").split())


def staff(tenant: TenantRef, role: str) -> accounts.Staff:
    """A new member of staff with that role."""
    with db.unit_of_work(tenant) as work:
        return accounts.create_staff(work, f"{uuid.uuid4().hex[:12]}@example.com", "Nora Lind", role, PASSWORD)


@cache
def _session(_database: str, tenant: TenantRef, role: str) -> str:
    """One living session per role and database: hashing a password takes its time, and only the door's own tests are about that."""
    return accounts.sign_in_staff(tenant, staff(tenant, role).email, PASSWORD, ip="test").token


def browser_of(tenant: TenantRef, role: str) -> Browser:
    """A browser in which a member of staff with that role, Nora Lind, is signed in."""
    browser = Browser(office_host(tenant))
    token = _session(settings.current().databases["default"], tenant, role)
    browser.client.set_cookie(accounts.SESSION_COOKIE, token, domain=browser.host)
    browser.get("/")
    return browser


def office_host(tenant: TenantRef) -> str:
    """The host of the tenant's back office."""
    return next(site.host for site in tenancy.sites_of(tenant) if site.kind == "backoffice")


def money(amount: str, currency: str) -> Money:
    return parse(amount, currency)


def funded(tenant: TenantRef, amount: str = "100") -> Player:
    """A new player with a settled deposit by card."""
    player = register(tenant)
    integration = tenancy.integrations_of(tenant, "pay")[0]
    deposit_id, value = ids.uuid7(), money(amount, player.currency)
    with db.money_work(tenant, Actor("system", "test")) as work:
        now = work.now()
        work.session.add(
            DepositRow(
                public_id=deposit_id, player_id=player.id, integration_id=integration.id, method="card",
                amount_units=value.units, currency=value.currency, status="settled", instrument="tok_1",
                body_hash=b"x" * 32, created_at=now, updated_at=now, settled_at=now,
            )
        )  # fmt: skip
        pockets = wallet.find_pockets(work, player.owner, player.currency)
        assert pockets is not None
        house = wallet.house_pocket(work, f"psp:{integration.id}", player.currency)
        assert wallet.deposit(
            work, source=0, ref=f"deposit:{deposit_id}", pockets=pockets, money=value, house=house
        ).posted  # fmt: skip
    return player


def waiting(tenant: TenantRef, amount: str = "60") -> tuple[Player, str]:
    """A player with 100 of whom `amount` waits to be paid out; the withdrawal's id."""
    player = funded(tenant)
    found = cashier.withdrawals.request(tenant, player, money(amount, player.currency), "card")
    assert found.status == "waiting"
    return player, found.public_id


def balances(tenant: TenantRef, player: Player) -> wallet.Balances:
    with db.unit_of_work(tenant) as work:
        pockets = wallet.find_pockets(work, player.owner, player.currency)
        assert pockets is not None
        return wallet.balances(work, pockets)

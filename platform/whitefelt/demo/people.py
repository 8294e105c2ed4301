"""The demo's people: players who can play at once, staff of every kind, the supplier's own; made once, by the real ways in.

A player registers through compliance, proves an identity at the sandbox's electronic id where the market asks for it, sets
limits, and deposits through the sandbox's payment provider: starting the demo is already a journey through the house.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from whitefelt import accounts, cashier, compliance, games, tenancy, wallet
from whitefelt.demo import vendors
from whitefelt.kernel import clock, http
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import money_work, platform_work, unit_of_work
from whitefelt.kernel.embedded.folder import write_private
from whitefelt.kernel.money import Money, parse
from whitefelt.supervisor import StartFailed

Say = Callable[[str], None]

#: Every demo player begins with this much cash, in the currency's main unit.
OPENING = "1000.00"
STAFF_ROLES = ("operations", "payments", "compliance", "support", "finance", "security", "auditor")
_NAMES = {"MT": [("Maria", "Borg"), ("Luca", "Vella")], "SE": [("Elin", "Strand"), ("Nils", "Holmgren")]}
_BORN = (date(1990, 5, 17), date(1984, 11, 2))
_WAIT_SECONDS = 30


def sync_games(say: Say) -> None:
    """Fill the library from every active studio's catalogue."""
    from whitefelt.app import every_tenant

    for tenant in every_tenant():
        for integration in tenancy.integrations_of(tenant, "play"):
            say(f"{tenant.slug}: {games.sync(integration)} games of {integration.config['provider']}")


def settle(data: Path, ports: Mapping[str, int], say: Say) -> dict[str, Any]:
    """Make whoever is missing; returns brands, back offices, supplier and integrations as `--json` tells them."""
    from whitefelt.app import every_tenant

    words = _Passwords(data / "demo.json")
    told: dict[str, Any] = {"brands": [], "backoffice": [], "supplier": {}, "integrations": []}
    for tenant in every_tenant():
        for site in tenancy.sites_of(tenant):
            url = f"http://{site.host}:{ports['web']}"
            if site.kind == "brand" and site.brand is not None:
                players = [_player(site, number, words, ports, say) for number in range(2)]
                told["brands"].append({
                    "tenant": tenant.slug, "brand": site.brand.slug, "jurisdiction": site.jurisdiction,
                    "currency": site.currency, "url": url, "openapi": f"{url}/api/v1/openapi.json", "players": players,
                })  # fmt: skip
            elif site.kind == "backoffice":
                staff = [_staff(tenant, role, words) for role in STAFF_ROLES]
                told["backoffice"].append({"tenant": tenant.slug, "url": url, "staff": staff})
        told["integrations"] += [_integration(tenant, one) for one in tenancy.integrations_of(tenant)]
    for site in tenancy.sites_of(None):
        told["supplier"] = {"url": f"http://{site.host}:{ports['web']}", "staff": [_supplier_staff(words)]}
    return told


class _Passwords:
    """Passwords of the demo's people: random, made once per data folder, kept in a file that only its owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, str] = json.loads(path.read_text()) if path.is_file() else {}

    def of(self, email: str) -> str:
        if email not in self._known:
            self._known[email] = f"demo-{secrets.token_urlsafe(9)}"
            write_private(self._path, json.dumps(self._known, indent=1))
        return self._known[email]


def _integration(tenant: TenantRef, one: tenancy.Integration) -> dict[str, Any]:
    return {
        "tenant": tenant.slug, "vendor": one.vendor, "kind": one.kind, "callback_url": vendors.callback_url(one),
        "credentials": dict(one.secrets),
    }  # fmt: skip


def _player(site: tenancy.Site, number: int, words: _Passwords, ports: Mapping[str, int], say: Say) -> dict[str, str]:
    assert site.tenant is not None and site.brand is not None
    first, last = _NAMES.get(site.jurisdiction, _NAMES["MT"])[number]
    email = f"{first}.{last}@{site.brand.slug}.example".lower()
    password = words.of(email)
    with unit_of_work(site.tenant) as work:
        known = [one for one in accounts.find_players(work, email) if one.brand_id == site.brand.id]
    player = known[0] if known else _register(site, email, password, first, last, _BORN[number])
    if (
        player.verified_at is None
        and compliance.ruleset(site.jurisdiction, clock.now()).identity_before == "first_deposit"
    ):
        _prove_identity(site.tenant, player, ports["eid"], number)
    _set_limits(site.tenant, player)
    _fund(site.tenant, player, ports["psp"])
    say(f"{email} is ready to play")
    return {"email": email, "password": password}


def _register(site: tenancy.Site, email: str, password: str, first: str, last: str, born: date) -> accounts.Player:
    assert site.tenant is not None
    rules = compliance.ruleset(site.jurisdiction, clock.now())
    form = compliance.Application(
        email=email, password=password, first_name=first, last_name=last, birth_date=born.isoformat(),
        country=site.jurisdiction, documents=dict(rules.documents),
    )  # fmt: skip
    with money_work(site.tenant) as work:
        return compliance.admit(work, site, form)


def _prove_identity(tenant: TenantRef, player: accounts.Player, port: int, number: int) -> None:
    order = compliance.begin_identity(tenant, player, "http://127.0.0.1/")
    _control(port, f"/control/orders/{order.order_id}/approve", {
        "personal_number": personal_number(player.birth_date, 988 + number), "first_name": player.first_name,
        "last_name": player.last_name, "birth_date": player.birth_date.isoformat(), "country": player.country,
    })  # fmt: skip
    status = compliance.complete_identity(tenant, player, order.order_id)
    if status != "verified":
        raise StartFailed(f"The demo's player {player.email} could not prove an identity: {status}.")


def personal_number(born: date, serial: int) -> str:
    """A Swedish personal number with its check digit; serials from 980 on are not given to real people."""
    nine = f"{born:%y%m%d}{serial:03d}"
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(nine))
    return f"{born:%Y%m%d}{serial:03d}{-total % 10}"


def _set_limits(tenant: TenantRef, player: accounts.Player) -> None:
    """Limits far above the opening deposit, for players who have none."""
    with money_work(tenant) as work:
        current = compliance.limits(work, player)
        if any(one.money is not None for one in current.deposit):
            return
        for period, amount in (("day", "20000"), ("week", "50000"), ("month", "100000")):
            compliance.set_deposit_limit(work, player, period, parse(amount, player.currency))


def _fund(tenant: TenantRef, player: accounts.Player, port: int) -> None:
    """Deposit until the player has the opening balance, as the player would."""
    wanted = parse(OPENING, player.currency)
    with unit_of_work(tenant) as work:
        pockets = wallet.find_pockets(work, player.owner, player.currency)
        assert pockets is not None
        had = bool(wallet.statement(work, pockets, limit=1))
    if had:
        return
    method = cashier.offered_methods(tenant, player.currency)[0].method.code
    deposit = cashier.deposits.start(
        tenant, player, method, wanted, "http://127.0.0.1/", idempotency_key="demo-opening"
    )
    if deposit.vendor_id is not None:
        _control(port, f"/control/payments/{deposit.vendor_id}/pay", {})
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        with unit_of_work(tenant) as work:
            have: Money = wallet.balances(work, pockets).cash
        if have.units >= wanted.units:
            return
        time.sleep(0.1)
    raise StartFailed(f"The opening deposit of {player.email} did not arrive within {_WAIT_SECONDS} s.")


def _control(port: int, path: str, body: Mapping[str, Any]) -> None:
    http.call(
        "POST", f"http://127.0.0.1:{port}{path}", headers={"Content-Type": "application/json"},
        body=json.dumps(body).encode(),
    )  # fmt: skip


def _staff(tenant: TenantRef, role: str, words: _Passwords) -> dict[str, str]:
    email = f"{role}@{tenant.slug}.example"
    with unit_of_work(tenant) as work:
        if accounts.staff_by_email(work, email) is None:
            accounts.create_staff(work, email, f"{role.title()} of {tenant.slug.title()}", role, words.of(email))
    return {"email": email, "password": words.of(email), "role": role}


def _supplier_staff(words: _Passwords) -> dict[str, str]:
    email, role = "fleet@whitefelt.example", next(iter(accounts.SUPPLIER_ROLES))
    with platform_work() as work:
        if accounts.supplier_staff_by_email(work, email) is None:
            accounts.create_supplier_staff(work, email, "Fleet of Whitefelt", role, words.of(email))
    return {"email": email, "password": words.of(email), "role": role}

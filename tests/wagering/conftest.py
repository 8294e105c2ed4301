"""A registered, funded player with an open session, and a studio's hand that signs by itself.

The signing here is the test's own (plain hmac over the documented base), so that connector and test cannot share a fault.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from whitefelt import accounts, compliance, tenancy, wagering, wallet
from whitefelt.kernel import clock
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import money_work
from whitefelt.kernel.money import parse


@dataclass
class Studio:
    """A provider's server as seen by one player's session."""

    integration: tenancy.Integration
    player: accounts.Player
    session: str
    game: str = "lf-test"

    def send(self, path: str, body: dict[str, Any] | bytes, *, secret: str | None = None, key: str | None = None,
             at: int | None = None) -> tuple[int, dict[str, Any]]:  # fmt: skip
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        key = key or self.integration.secrets["key_id"]
        stamp = str(at or int(time.time()))
        mac = hmac.new((secret or self.integration.secrets["secret"]).encode(), digestmod=hashlib.sha256)
        mac.update(f"{key}.{stamp}.".encode() + raw)
        headers = {
            "x-whitefelt-key": key, "x-whitefelt-timestamp": stamp, "x-whitefelt-signature": mac.hexdigest(),
        }  # fmt: skip
        reply = wagering.receive(self.integration.public_id, path, headers, raw)
        return reply.status, json.loads(reply.body)

    def body(self, kind: str, **more: Any) -> dict[str, Any]:
        told = {
            "type": kind, "player": self.player.public_id, "session": self.session, "game": self.game,
            "currency": self.player.currency, "round_id": "r-1", "transaction_id": f"t-{uuid.uuid4()}",
        }  # fmt: skip
        return {key: value for key, value in (told | more).items() if value is not None}

    def bet(self, amount: str, **more: Any) -> tuple[int, dict[str, Any]]:
        return self.send("bet", self.body("bet", amount=amount, **more))

    def win(self, amount: str, **more: Any) -> tuple[int, dict[str, Any]]:
        return self.send("win", self.body("win", amount=amount, **{"round_closed": True} | more))

    def refund(self, target: str, **more: Any) -> tuple[int, dict[str, Any]]:
        return self.send("refund", self.body("refund", reference_transaction_id=target, **more))

    def balance(self) -> str:
        status, told = self.send("balance", self.body("balance", round_id=None, transaction_id=None, game=None))
        assert status == 200, told
        return told["balance"]


def register(tenant: TenantRef, brand_host: str) -> accounts.Player:
    site = tenancy.site_of(brand_host)
    rules = compliance.ruleset(site.jurisdiction, clock.now())
    form = compliance.Application(
        email=f"{uuid.uuid4().hex}@example.com", password="correct horse battery", first_name="Test",
        last_name="P" + "".join("abcdefghij"[int(d)] for d in str(uuid.uuid4().int)[:12]), birth_date="1990-01-01",
        country=site.jurisdiction, documents=dict(rules.documents),
    )  # fmt: skip
    with money_work(tenant) as work:
        return compliance.admit(work, site, form)


def fund(tenant: TenantRef, player: accounts.Player, amount: str) -> None:
    with money_work(tenant) as work:
        pockets = wallet.find_pockets(work, player.owner, player.currency)
        house = wallet.house_pocket(work, "adjustment", player.currency)
        out = wallet.adjust(
            work, source=0, ref=f"test:{uuid.uuid4()}", pockets=pockets, pocket=pockets.cash,
            money=parse(amount, player.currency), house=house, to_player=True,
        )  # fmt: skip
        assert out.posted


def open_studio(tenant: TenantRef, host: str, amount: str = "100") -> Studio:
    player = register(tenant, host)
    fund(tenant, player, amount)
    integration = tenancy.integrations_of(tenant, "play")[0]
    with money_work(tenant) as work:
        opened = wagering.open_session(work, player, integration, "lf-test")
    return Studio(integration, player, opened.token)


@pytest.fixture
def studio(alpha: TenantRef) -> Studio:
    return open_studio(alpha, "alpha.localhost")

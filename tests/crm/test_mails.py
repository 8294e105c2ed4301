"""Mails: from a fact to the inbox of another process, in order, and again when the server was away."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import whitefelt.crm.handlers
from sandbox.vendors import Vendor, free_port
from whitefelt import accounts, tenancy
from whitefelt.accounts import Player
from whitefelt.crm import letters
from whitefelt.facts.money import WithdrawalPaid, WithdrawalRejected
from whitefelt.facts.people import PlayerRegistered
from whitefelt.kernel import db, deliveries, drain, ids, outbox
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.money import Money
from whitefelt.kernel.relay_pass import relay_tenant

CONSUMER = whitefelt.crm.handlers.CONSUMER


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    vendor = Vendor("mail", tmp_path_factory.mktemp("mail"), None, "--smtp-port", str(free_port()))
    yield vendor
    vendor.end()


@pytest.fixture
def tenant(platform: object, inbox: Vendor, tmp_path: Path) -> TenantRef:
    """An operator of its own, with the brand Lumière whose mails go to the inbox."""
    slug = f"mail-{ids.base32(6)}"
    folder = tmp_path / slug
    (folder / "brands").mkdir(parents=True)
    (folder / "tenant.toml").write_text(
        f'name = "Mails Ltd"\ntimezone = "UTC"\nbackoffice_host = "{slug}-office.localhost"\n'
    )
    (folder / "brands" / "lumiere.toml").write_text(
        'name = "Lumière & Co"\ntheme = "base"\npreset = "aurora"\nlocales = ["en"]\n'
        f'[[site]]\nhost = "{slug}.localhost"\njurisdiction = "MT"\ncurrency = "EUR"\n'
    )
    port = inbox.more[1]
    (folder / "integrations.toml").write_text(
        '[[integration]]\nkind = "message"\nvendor = "smtp"\nname = "mail"\n'
        f'config = {{ host = "127.0.0.1", port = "{port}", sender = "noreply@example.com" }}\nsecrets = {{}}\n'
    )
    ref = tenancy.apply_folder(folder)
    relay_tenant(ref)  # the subscription is on file before anything happens
    with db.unit_of_work(ref) as work:
        from whitefelt.facts.people import PlayerStatusChanged

        outbox.record(work, PlayerStatusChanged(0, "", "active"))
    relay_tenant(ref)
    return ref


@pytest.fixture
def player(tenant: TenantRef) -> Player:
    brand = tenancy.brands_of(tenant)[0]
    with db.unit_of_work(tenant) as work:
        return accounts.create_player(
            work, brand_id=brand.id, jurisdiction="MT", currency="EUR", email=f"{uuid.uuid4().hex[:12]}@example.com",
            password="a quiet felt table", first_name="Zoë", last_name="Borg", birth_date=date(1990, 5, 4), country="MT",
            language="en", consents={"terms": "1"},
        )  # fmt: skip


def tell(tenant: TenantRef, fact: outbox.Fact) -> None:
    """Record the fact, relay it, and hand it to the mails."""
    with db.unit_of_work(tenant) as work:
        outbox.record(work, fact)
    relay_tenant(tenant)
    drain.drain(tenant, CONSUMER, fact.key)


def mails_to(inbox: Vendor, player: Player) -> list[dict[str, Any]]:
    status, found = inbox.get(f"/api/messages?to={player.email}")
    assert status == 200
    return list(found["items"])


def test_who_registers_is_welcomed_in_the_brands_name(tenant: TenantRef, player: Player, inbox: Vendor) -> None:
    tell(tenant, PlayerRegistered(player.id, player.public_id, player.brand_id, "MT", "EUR"))
    [mail] = mails_to(inbox, player)
    assert mail["subject"] == "Welcome to Lumière & Co"
    assert "Hello Zoë," in mail["text"] and "Hello Zoë," in mail["html"]
    assert "Lumière &amp; Co" in mail["html"] and "Lumière & Co" in mail["text"]
    site = next(site for site in tenancy.sites_of(tenant) if site.kind == "brand")
    assert f"http://{site.host}" in mail["text"]
    with db.unit_of_work(tenant) as work:
        assert deliveries.backlog(work) == []


def test_decisions_on_withdrawals_are_told_with_amount_and_reason(
    tenant: TenantRef, player: Player, inbox: Vendor
) -> None:
    amount = 60 * 10**6
    tell(tenant, WithdrawalPaid(1, str(uuid.uuid4()), player.id, amount, "EUR"))
    tell(tenant, WithdrawalRejected(2, str(uuid.uuid4()), player.id, amount, "EUR", reason="The <card> is not yours."))
    rejected, paid = mails_to(inbox, player)
    assert paid["subject"] == "Your withdrawal of 60.00 EUR is paid"
    assert "The reason: The <card> is not yours." in rejected["text"]
    assert "60.00 EUR is back in your balance" in rejected["text"]
    assert "The &lt;card&gt; is not yours." in rejected["html"] and "<card>" not in rejected["html"]


def test_a_mail_waits_for_its_server_and_is_sent_when_it_is_back(
    tenant: TenantRef, player: Player, inbox: Vendor
) -> None:
    fact = WithdrawalPaid(3, str(uuid.uuid4()), player.id, 10**6, "EUR")
    inbox.kill()
    try:
        tell(tenant, fact)
        with db.unit_of_work(tenant) as work:
            [waiting] = deliveries.deliveries(work, state="pending", consumer=CONSUMER)
            assert waiting.last_error is not None and waiting.last_error.startswith("VendorUnavailable")
            assert player.email not in waiting.last_error
    finally:
        inbox.start()
    assert mails_to(inbox, player) == []
    with db.unit_of_work(tenant) as work:
        deliveries.retry(work, waiting.id)
    drain.drain(tenant, CONSUMER, fact.key)
    assert [mail["subject"] for mail in mails_to(inbox, player)] == ["Your withdrawal of 1.00 EUR is paid"]


def test_letters_are_escaped_in_html_and_plain_in_text() -> None:
    letter = letters.withdrawal_rejected(Money(10**6, "EUR"), "<script>")
    about = {"brand": "A & B", "name": "<b>", "site_url": "http://x.localhost"}
    assert "<script>" not in letters.as_html(letter, **about)
    assert "&lt;script&gt;" in letters.as_html(letter, **about)
    assert "<script>" in letters.as_text(letter, **about)

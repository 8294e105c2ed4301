"""Mails: from a fact to the inbox of another process, in order, and again when the server was away."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

import whitefelt.crm.handlers
from sandbox.vendors import Vendor, free_port
from whitefelt import accounts, tenancy
from whitefelt.accounts import Player
from whitefelt.connectors.message import smtp
from whitefelt.crm import letters
from whitefelt.crm.ports import Account, Mail, RecipientRefused
from whitefelt.facts.money import WithdrawalPaid, WithdrawalRejected
from whitefelt.facts.people import PlayerRegistered
from whitefelt.kernel import db, deliveries, drain, ids, outbox
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.http import VendorRefused, VendorUnavailable
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


# --- the connector ---------------------------------------------------------------------------------------------------


class Grumpy:
    """A mail server that refuses recipients or content with the code in the address: `550@example.com`."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        code = address.partition("@")[0]
        if code.isdecimal():
            return f"{code} no"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        return "554 no" if b"unwanted" in envelope.content else "250 ok"


@pytest.fixture(scope="module")
def grumpy() -> Iterator[int]:
    port = free_port()
    controller = Controller(Grumpy(), hostname="127.0.0.1", port=port)
    controller.start()
    yield port
    controller.stop()


def account(port: int, host: str = "127.0.0.1", **config: str) -> Account:
    return Account({"host": host, "port": str(port), "sender": "noreply@example.com", **config}, {})


def mail(to: str = "anna@example.com", subject: str = "Hello") -> Mail:
    return Mail(to, "Lumière", subject, "text\n", "<p>html</p>", "ref.1")


def test_the_connector_tells_refusals_apart(grumpy: int) -> None:
    smtp.send(account(grumpy), mail())
    with pytest.raises(RecipientRefused):
        smtp.send(account(grumpy), mail("550@example.com"))
    with pytest.raises(VendorUnavailable):
        smtp.send(account(grumpy), mail("450@example.com"))
    with pytest.raises(VendorRefused):
        smtp.send(account(grumpy), mail(subject="unwanted"))
    with pytest.raises(VendorUnavailable):
        smtp.send(account(free_port()), mail())


def test_mail_leaves_this_machine_encrypted_or_not_at_all(grumpy: int) -> None:
    with pytest.raises(VendorRefused, match="HTTP 0"):
        smtp.send(account(grumpy, "192.0.2.1", security="none"), mail())
    with pytest.raises(VendorUnavailable):  # the server offers no STARTTLS
        smtp.send(account(grumpy, security="starttls"), mail())


def test_a_header_cannot_be_smuggled_in() -> None:
    smtp.compose(mail(subject="Hello"), "noreply@example.com")
    with pytest.raises(ValueError, match="linefeed"):
        smtp.compose(mail(subject="Hello\r\nBcc: everyone@example.com"), "noreply@example.com")


def test_the_same_mail_has_the_same_id_and_says_it_is_automatic() -> None:
    first, again = (smtp.compose(mail(), "noreply@example.com") for _ in range(2))
    assert first["Message-ID"] == again["Message-ID"] == "<ref.1@example.com>"
    assert first["Auto-Submitted"] == "auto-generated"
    assert "Lumière" in str(first["From"])


def test_letters_are_escaped_in_html_and_plain_in_text() -> None:
    letter = letters.withdrawal_rejected(Money(10**6, "EUR"), "<script>")
    about = {"brand": "A & B", "name": "<b>", "site_url": "http://x.localhost"}
    assert "<script>" not in letters.as_html(letter, **about)
    assert "&lt;script&gt;" in letters.as_html(letter, **about)
    assert "<script>" in letters.as_text(letter, **about)

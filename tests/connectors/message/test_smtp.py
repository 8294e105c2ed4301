"""The mail connector against a real mail server that refuses what it is told to refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from sandbox.vendors import free_port
from whitefelt.connectors.message import smtp
from whitefelt.crm.ports import Account, Mail, RecipientRefused
from whitefelt.kernel.http import VendorRefused, VendorUnavailable


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

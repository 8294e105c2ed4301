"""The Sandpay connector by itself: amounts, signatures during a rotation, and failures told apart."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from whitefelt.cashier.ports import Account, Order, PaymentState, PayoutOrder, SignatureInvalid
from whitefelt.connectors.pay import sandpay
from whitefelt.kernel import registry
from whitefelt.kernel.http import VendorRefused, VendorUnavailable, VendorUnknown
from whitefelt.kernel.money import MAX_UNITS, Money, decimal, parse

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Fake:
    """A provider that answers what a test tells it to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                fake.requests.append((self.command, self.path, dict(self.headers), body))
                status, answer = fake.answers.pop(0)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def account(self, **secrets: str) -> Account:
        return Account({"origin": self.origin}, {"api_key": "k", "webhook_secret": "new", **secrets})


@pytest.fixture
def fake() -> Iterator[Fake]:
    made = Fake()
    yield made
    made.server.shutdown()
    made.server.server_close()


AMOUNTS = [("EUR", "100.00", 10000), ("SEK", "0.01", 1), ("JPY", "100", 100), ("KWD", "1.000", 1000), ("KWD", "0.001", 1),
           ("BTC", "0.00000001", 1), ("BTC", "1.5", 150_000_000)]  # fmt: skip


def payment(minor: int, currency: str, **other: Any) -> dict[str, Any]:
    return {
        "id": "pay_1", "status": "created", "reference": "r-1", "amount": minor, "currency": currency,
        "redirect_url": "http://psp/pay/1", **other,
    }  # fmt: skip


@pytest.mark.parametrize(("currency", "amount", "minor"), AMOUNTS)
def test_amounts_are_sent_and_read_in_minor_units(fake: Fake, currency: str, amount: str, minor: int) -> None:
    money = parse(amount, currency)
    fake.answers = [(201, json.dumps(payment(minor, currency)).encode())]
    order = Order("r-1", money, "card", "Deposit", "p-1", "p@example.test", "http://site/back", "http://us/hook")
    started = sandpay.start(fake.account(), order)
    assert (started.money, started.vendor_id, started.redirect_url) == (money, "pay_1", "http://psp/pay/1")
    _, path, headers, body = fake.requests[0]
    assert path == "/v1/payments" and headers["Idempotency-Key"] == "r-1" and headers["Authorization"] == "Bearer k"
    assert (body["amount"], body["currency"], type(body["amount"])) == (minor, currency, int)


@pytest.mark.parametrize(("currency", "amount", "minor"), AMOUNTS)
def test_payouts_speak_minor_units_too(fake: Fake, currency: str, amount: str, minor: int) -> None:
    told = {"id": "po_1", "status": "pending", "reference": "r-2", "amount": minor, "currency": currency}
    fake.answers = [(201, json.dumps(told).encode())]
    state = sandpay.pay_out(fake.account(), PayoutOrder("r-2", parse(amount, currency), "pay_1", "http://us/hook"))
    assert (state.status, state.money) == ("pending", parse(amount, currency))
    assert fake.requests[0][3]["destination"] == {"token": "pay_1"}


def test_the_methods_limits_are_payable_in_their_currency() -> None:
    for method in sandpay.METHODS:
        for code, limits in method.limits.items():
            assert limits.minimum.currency == limits.maximum.currency == code
            assert Money(0, code) < limits.minimum < limits.maximum < Money(MAX_UNITS, code)
    card = next(one for one in sandpay.METHODS if one.code == "card")
    assert [decimal(card.limits[code].minimum) for code in ("EUR", "JPY", "KWD")] == ["10.00", "1000", "3.000"]


# --- failures --------------------------------------------------------------------------------------------------------

EXPECTED = [
    (400, VendorRefused), (404, VendorRefused), (422, VendorRefused), (401, VendorUnavailable), (403, VendorUnavailable),
    (409, VendorUnknown), (302, VendorUnknown), (429, VendorUnknown), (500, VendorUnknown), (503, VendorUnknown),
]  # fmt: skip


@pytest.mark.parametrize(("status", "failure"), EXPECTED)
def test_failures_are_told_apart(fake: Fake, status: int, failure: type[Exception]) -> None:
    fake.answers = [(status, b'{"error": {"code": "x", "message": "y"}}')]
    with pytest.raises(failure):
        sandpay.pay_out(fake.account(), PayoutOrder("r", parse("1", "EUR"), "t", "http://us/hook"))
    assert len(fake.requests) == 1  # never repeated, never redirected


@pytest.mark.parametrize("answer", [b"", b"nonsense", b"[]", b"{}", json.dumps(payment(0, "EUR")).encode()])
def test_an_answer_that_cannot_be_read_may_have_happened(fake: Fake, answer: bytes) -> None:
    fake.answers = [(201, answer)]
    with pytest.raises(VendorUnknown):
        sandpay.start(fake.account(), Order("r", parse("1", "EUR"), "card", "d", "p", "e", "http://b", "http://h"))


def test_nobody_at_home_is_surely_not_carried_out() -> None:
    account = Account({"origin": "http://127.0.0.1:9"}, {"api_key": "k", "webhook_secret": "s"})
    with pytest.raises(VendorUnavailable):
        sandpay.payment(account, "r")


def test_looking_up_by_reference(fake: Fake) -> None:
    one = payment(100, "EUR", status="paid", authorisation=7)
    fake.answers = [
        (200, b'{"items": []}'), (200, json.dumps({"items": [one]}).encode()), (200, json.dumps({"items": [one, one]}).encode()),
        (200, b'{"items": 3}'),
    ]  # fmt: skip
    assert sandpay.payment(fake.account(), "r 1&x") is None
    assert fake.requests[0][1] == "/v1/payments?reference=r%201%26x"
    found = sandpay.payment(fake.account(), "r-1")
    assert found is not None and (found.status, found.authorisation, found.instrument) == ("paid", "7", "pay_1")
    for _ in range(2):
        with pytest.raises(VendorUnknown):
            sandpay.payment(fake.account(), "r-1")


# --- signatures ------------------------------------------------------------------------------------------------------


def signed(raw: bytes, *secrets: str) -> dict[str, str]:
    stamp = str(int(NOW.timestamp()))
    marks = [hmac.new(one.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest() for one in secrets]
    return {"SANDPAY-SIGNATURE": ", ".join([f"t={stamp}", *(f"v1={mark}" for mark in marks)])}


RAW = json.dumps(
    {"id": "evt_1", "type": "payment.paid", "created": 1, "data": payment(100, "EUR", status="paid")}
).encode()


@pytest.mark.parametrize(
    ("ours", "theirs", "good"),
    [
        ({}, ["new"], True),
        ({}, ["old"], False),
        ({"webhook_secret_previous": "old"}, ["old"], True),
        ({"webhook_secret_previous": "old"}, ["new"], True),
        ({}, ["old", "new"], True),
        ({}, ["old", "older"], False),
        ({"webhook_secret": ""}, [""], False),  # an empty secret signs nothing
    ],
)
def test_secrets_can_be_rotated_on_either_side(ours: dict[str, str], theirs: list[str], good: bool) -> None:
    account = Account({"origin": "http://x"}, {"api_key": "k", "webhook_secret": "new", **ours})
    if good:
        told = sandpay.decode(account, signed(RAW, *theirs), RAW, NOW)
        assert isinstance(told.state, PaymentState) and (told.event_id, told.state.status) == ("evt_1", "paid")
    else:
        with pytest.raises(SignatureInvalid):
            sandpay.decode(account, signed(RAW, *theirs), RAW, NOW)


def test_the_signature_is_checked_before_anything_is_read() -> None:
    account = Account({"origin": "http://x"}, {"api_key": "k", "webhook_secret": "new"})
    with pytest.raises(SignatureInvalid):
        sandpay.decode(account, {}, b"nonsense", NOW)


def test_it_is_found_by_presence() -> None:
    assert registry.connector("pay", "sandpay") is sandpay
    assert sandpay.ORIGINS({"origin": "http://psp:1"}) == {"form-action": "http://psp:1"}

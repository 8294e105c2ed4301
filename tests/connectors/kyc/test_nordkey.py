"""Nordkey's connector: what is believed only with its proof, and how each failure is told apart.

The expected signature is computed here from the definition of HMAC, by neither side's code.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from whitefelt.compliance.ports import Collected, OrderRequest, ProofInvalid, ProvenPerson
from whitefelt.connectors.kyc import nordkey
from whitefelt.kernel import registry
from whitefelt.kernel.http import VendorRefused, VendorUnavailable, VendorUnknown

KEY = "relying-party-key-1"
IDENTITY = {
    "personal_number": "199103149823", "first_name": "Astrid", "last_name": "Lindqvist", "birth_date": "1991-03-14",
    "country": "SE",
}  # fmt: skip


def hand_made_hmac(key: str, text: str) -> str:
    """HMAC-SHA256 from its definition (RFC 2104)."""
    block = key.encode().ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + text.encode()).digest()
    return hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).hexdigest()


def complete(**changed: Any) -> dict[str, Any]:
    identity = {**IDENTITY, **changed.pop("identity", {})}
    proven = f"ord-1.ref-1.{identity['personal_number']}.{identity['birth_date']}"
    told = {
        "order_id": "ord-1", "reference": "ref-1", "status": "complete", "identity": identity,
        "signature": hand_made_hmac(KEY, proven),
    }  # fmt: skip
    return {**told, **changed}


# --- reading an answer -----------------------------------------------------------------------------------------------


def test_a_proven_identity_is_read() -> None:
    person = ProvenPerson("199103149823", "Astrid", "Lindqvist", date(1991, 3, 14), "SE")
    assert nordkey.read(complete(), KEY) == Collected("ord-1", "ref-1", "complete", person)


@pytest.mark.parametrize("status", ["pending", "cancelled", "expired"])
def test_other_states_carry_nobody(status: str) -> None:
    told = {"order_id": "ord-1", "reference": "ref-1", "status": status, "identity": IDENTITY}
    assert nordkey.read(told, KEY) == Collected("ord-1", "ref-1", status, None)


@pytest.mark.parametrize(
    "changed",
    [{"signature": "0" * 64}, {"signature": ""}, {"signature": None}, {"signature": complete()["signature"].upper()},
     {"signature": complete()["signature"] + "0"}, {"signature": "é"}, {"order_id": "ord-2"}, {"reference": "ref-2"},
     {"identity": None}, {"identity": []}],
)  # fmt: skip
def test_nothing_is_believed_without_its_proof(changed: dict[str, Any]) -> None:
    told = complete()
    told.update(changed)
    with pytest.raises(ProofInvalid):
        nordkey.read(told, KEY)


@pytest.mark.parametrize("field, value", [("personal_number", "199103149831"), ("birth_date", "1991-03-15")])
def test_a_changed_identity_does_not_fit_the_old_proof(field: str, value: str) -> None:
    told = complete()
    told["identity"] = {**IDENTITY, field: value}
    with pytest.raises(ProofInvalid):
        nordkey.read(told, KEY)
    assert nordkey.read(complete(identity={field: value}), KEY).person is not None


def test_another_partys_key_proves_nothing() -> None:
    with pytest.raises(ProofInvalid):
        nordkey.read(complete(), "relying-party-key-2")


@pytest.mark.parametrize(
    "told",
    [complete(status="approved"), complete(status=1), {k: v for k, v in complete().items() if k != "reference"},
     complete(identity={"birth_date": "14.3.1991"}), complete(identity={"first_name": ""})],
)  # fmt: skip
def test_what_cannot_be_read_is_an_unknown_outcome(told: dict[str, Any]) -> None:
    with pytest.raises(VendorUnknown):
        nordkey.read(told, KEY)


# --- over the wire ---------------------------------------------------------------------------------------------------


class Wire:
    """A server that answers what a test tells it, and remembers what it was asked."""

    def __init__(self) -> None:
        wire, self.asked = self, []  # type: ignore[var-annotated]
        self.status, self.body = 200, b"{}"

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                wire.asked.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(wire.status)
                self.send_header("Content-Length", str(len(wire.body)))
                self.end_headers()
                self.wfile.write(wire.body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        self.config, self.secrets = {"origin": self.origin}, {"relying_party_key": KEY}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, status: int, told: Any) -> None:
        self.status, self.body = status, told if isinstance(told, bytes) else json.dumps(told).encode()


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.server.shutdown()
    made.server.server_close()


REQUEST = OrderRequest("ref-1", "http://brand.localhost/back", "SE")


def order(wire: Wire, **changed: Any) -> dict[str, Any]:
    told = {
        "order_id": "ord-1", "status": "pending", "redirect_url": f"{wire.origin}/identify/ord-1",
        "expires_at": "2026-11-22T12:05:00Z",
    }  # fmt: skip
    return {**told, **changed}


def test_an_order_is_asked_for_in_the_vendors_words(wire: Wire) -> None:
    wire.answer(201, order(wire))
    opened = nordkey.begin(wire.config, wire.secrets, REQUEST)
    assert (opened.order_id, opened.expires_at) == ("ord-1", datetime(2026, 11, 22, 12, 5, tzinfo=UTC))
    path, headers, body = wire.asked[0]
    assert path == "/rp/v1/orders" and headers["Authorization"] == f"Bearer {KEY}"
    assert body == {"reference": "ref-1", "return_url": "http://brand.localhost/back", "country": "SE"}


@pytest.mark.parametrize(
    "changed",
    [{"redirect_url": "http://elsewhere.example/identify/ord-1"}, {"redirect_url": "javascript:alert(1)"},
     {"order_id": "../x"}, {"order_id": None}, {"expires_at": "soon"}, {"expires_at": "2026-11-22T12:05:00"}],
)  # fmt: skip
def test_an_order_that_leads_elsewhere_or_cannot_be_read(wire: Wire, changed: dict[str, Any]) -> None:
    wire.answer(201, order(wire, **changed))
    with pytest.raises(VendorUnknown):
        nordkey.begin(wire.config, wire.secrets, REQUEST)


def test_collecting_asks_for_that_order_only(wire: Wire) -> None:
    wire.answer(200, complete())
    assert nordkey.collect(wire.config, wire.secrets, "ord-1").person is not None
    wire.answer(404, {"error": {"code": "order_unknown"}})
    with pytest.raises(VendorRefused):
        nordkey.collect(wire.config, wire.secrets, "a/../b")
    assert [path for path, _, _ in wire.asked] == ["/rp/v1/orders/ord-1/collect", "/rp/v1/orders/a%2F..%2Fb/collect"]


@pytest.mark.parametrize("status, body", [(500, b"{}"), (503, b"{}"), (429, b"{}"), (200, b"<html>"), (200, b"[]")])
def test_an_answer_that_says_nothing(wire: Wire, status: int, body: bytes) -> None:
    wire.answer(status, body)
    with pytest.raises(VendorUnknown):
        nordkey.collect(wire.config, wire.secrets, "ord-1")


def test_nobody_at_the_address(wire: Wire) -> None:
    wire.server.server_close()
    with pytest.raises(VendorUnavailable):
        nordkey.collect({"origin": "http://127.0.0.1:1"}, wire.secrets, "ord-1")


# --- discovery -------------------------------------------------------------------------------------------------------


def test_it_is_found_by_presence() -> None:
    assert registry.connectors("kyc")["nordkey"] is nordkey
    assert registry.connector("kyc", "nordkey") is nordkey
    assert nordkey.ORIGINS({"origin": "http://eid.test"}) == {"form-action": "http://eid.test"}
    assert {one.key for one in nordkey.CONFIG if one.secret} == {"relying_party_key"}


@pytest.mark.parametrize(
    "spoil, fault",
    [(lambda m: m.update(NAME="Nord Key"), "NAME"), (lambda m: m.update(CONFIG=["origin"]), "CONFIG"),
     (lambda m: m.update(CONFIG=(nordkey.CONFIG[0],) * 2), "twice"), (lambda m: m.pop("ORIGINS"), "ORIGINS")],
)  # fmt: skip
def test_a_module_that_breaks_the_contract_is_named(spoil: Callable[[dict[str, Any]], Any], fault: str) -> None:
    declared: dict[str, Any] = {"NAME": nordkey.NAME, "CONFIG": nordkey.CONFIG, "ORIGINS": nordkey.ORIGINS}
    assert registry.checked("kyc", type("good", (), declared)) == "nordkey"
    spoil(declared)
    with pytest.raises(registry.ConnectorFault, match=fault):
        registry.checked("kyc", type("bad", (), declared))

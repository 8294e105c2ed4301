"""Nordkey, the sandbox's electronic identity: order and collect (docs/protocols/sandbox-eid.md).

The proof of a completed order is an HMAC-SHA256 under the relying party's key; it is compared in constant time before
anything in the answer is believed.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from whitefelt.compliance.ports import Collected, Order, OrderRequest, ProofInvalid, ProvenPerson
from whitefelt.kernel import http
from whitefelt.kernel.http import VendorUnknown
from whitefelt.kernel.registry import Setting

NAME = "nordkey"
CONFIG = (
    Setting("origin", "where the service lives, e.g. https://eid.example"),
    Setting("relying_party_key", "the key that names us and proves answers", secret=True),
)

_STATUSES = ("pending", "complete", "cancelled", "expired")
_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


def ORIGINS(config: Mapping[str, Any]) -> Mapping[str, str]:
    """A page that sends the player there by a form must be allowed to."""
    return {"form-action": str(config["origin"])}


def begin(config: Mapping[str, Any], secrets: Mapping[str, Any], request: OrderRequest) -> Order:
    """Open an order."""
    told = _post(
        config, secrets, "/rp/v1/orders",
        {"reference": request.reference, "return_url": request.return_url, "country": request.country},
    )  # fmt: skip
    order_id, redirect_url = _text(told, "order_id"), _text(told, "redirect_url")
    if not _ORDER_ID.fullmatch(order_id) or not redirect_url.startswith(f"{config['origin']}/"):
        raise VendorUnknown("the order leads elsewhere")
    try:
        expires_at = datetime.fromisoformat(_text(told, "expires_at"))
    except ValueError as error:
        raise VendorUnknown("expires_at is no instant") from error
    if expires_at.tzinfo is None:
        raise VendorUnknown("expires_at has no time zone")
    return Order(order_id, redirect_url, expires_at)


def collect(config: Mapping[str, Any], secrets: Mapping[str, Any], order_id: str) -> Collected:
    """Ask how an order stands."""
    told = _post(config, secrets, f"/rp/v1/orders/{quote(order_id, safe='')}/collect", {})
    return read(told, str(secrets["relying_party_key"]))


def read(told: Mapping[str, Any], key: str) -> Collected:
    """A collect answer as a neutral value; ProofInvalid when a completed one is not proven by `key`. Pure."""
    order_id, reference, status = _text(told, "order_id"), _text(told, "reference"), _text(told, "status")
    if status not in _STATUSES:
        raise VendorUnknown(f"unknown status {status[:40]!r}")
    if status != "complete":
        return Collected(order_id, reference, status)
    identity, signature = told.get("identity"), told.get("signature")
    if not isinstance(identity, dict) or not isinstance(signature, str):
        raise ProofInvalid("a completed order without identity or signature")
    number, birth_date = _text(identity, "personal_number"), _text(identity, "birth_date")
    proven = ".".join((order_id, reference, number, birth_date))
    expected = hmac.new(key.encode(), proven.encode(), sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise ProofInvalid("the signature does not fit the identity")
    try:
        born = date.fromisoformat(birth_date)
    except ValueError as error:
        raise VendorUnknown("birth_date is no date") from error
    person = ProvenPerson(
        number, _text(identity, "first_name"), _text(identity, "last_name"), born, _text(identity, "country")
    )
    return Collected(order_id, reference, status, person)


def _post(config: Mapping[str, Any], secrets: Mapping[str, Any], path: str, body: Mapping[str, str]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {secrets['relying_party_key']}", "Content-Type": "application/json"}
    answer = http.call("POST", f"{config['origin']}{path}", headers=headers, body=json.dumps(body).encode(), seconds=8)
    told = answer.json()
    if not isinstance(told, dict):
        raise VendorUnknown("the answer is no object")
    return told


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not value:
        raise VendorUnknown(f"{name} is missing")
    return value

"""Sandpay: the payment provider of demos and tests. It speaks docs/protocols/sandbox-psp.md.

Amounts are integers in the currency's minor unit. A signature covers `t`, a dot and the raw body; every secret whose
name begins with `webhook_secret` is live, so that they can be rotated.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar
from urllib.parse import quote

from whitefelt.cashier.ports import (
    PAYMENT_STATUSES,
    PAYOUT_STATUSES,
    Account,
    Limits,
    Method,
    Notification,
    NotificationInvalid,
    Order,
    PaymentState,
    PayoutOrder,
    PayoutState,
    SignatureInvalid,
)
from whitefelt.kernel import http
from whitefelt.kernel.money import CURRENCIES, MAX_UNITS, Money, from_minor, to_minor
from whitefelt.kernel.registry import Setting

T = TypeVar("T")

NAME = "sandpay"
CONFIG = (
    Setting("origin", "Where the provider listens, for example http://127.0.0.1:9100."),
    Setting("api_key", "Authorises our requests.", secret=True),
    Setting("webhook_secret", "Signs the provider's notifications.", secret=True),
    Setting("webhook_secret_previous", "The secret before, during a rotation.", secret=True, required=False),
    Setting("review_over", "By currency: withdrawals above this amount are marked.", required=False),
    Setting("review_every", "Whether a person looks at every withdrawal (default true).", required=False),
)
TOLERANCE_SECONDS = 300
#: How long a player or a worker waits for the provider.
CALL_SECONDS = 8
_PAYMENT_TYPES = {f"payment.{status}": status for status in PAYMENT_STATUSES if status != "created"}
_PAYOUT_TYPES = {"payout.paid": "paid", "payout.failed": "failed"}


def _limits(**minor: tuple[int, int]) -> dict[str, Limits]:
    return {code: Limits(from_minor(low, code), from_minor(high, code)) for code, (low, high) in minor.items()}


METHODS = (
    Method(
        "card", "Card",
        _limits(
            EUR=(1000, 500_000), SEK=(10_000, 5_000_000), GBP=(1000, 500_000), USD=(1000, 500_000),
            NOK=(10_000, 5_000_000), DKK=(10_000, 5_000_000), CAD=(1000, 500_000), PLN=(4000, 2_000_000),
            CHF=(1000, 500_000), BRL=(5000, 2_500_000), JPY=(1000, 500_000), KWD=(3000, 1_500_000),
        ),
        deposit_minutes=0, payout_minutes=2 * 24 * 60,
    ),
    Method(
        "instant_bank", "Instant bank transfer",
        _limits(EUR=(1000, 1_000_000), SEK=(10_000, 10_000_000), NOK=(10_000, 10_000_000), DKK=(10_000, 10_000_000)),
        deposit_minutes=0, payout_minutes=15,
    ),
    Method("bitcoin", "Bitcoin", _limits(BTC=(10_000, 1_000_000_000)), deposit_minutes=30, payout_minutes=60),
)  # fmt: skip


def ORIGINS(config: Mapping[str, Any]) -> dict[str, str]:
    """The player pays on the provider's own page: forms may lead there."""
    return {"form-action": str(config["origin"])}


# --- calls -----------------------------------------------------------------------------------------------------------


def start(account: Account, order: Order) -> PaymentState:
    """Create the payment; the same reference again gives the first answer."""
    told = _post(account, "/v1/payments", order.reference, {
        "reference": order.reference, "amount": to_minor(order.money), "currency": order.money.currency,
        "return_url": order.return_url, "webhook_url": order.webhook_url, "description": order.description,
        "customer": {"id": order.customer_id, "email": order.customer_email},
    })  # fmt: skip
    return _answered(_payment, told)


def payment(account: Account, reference: str) -> PaymentState | None:
    """The payment with our reference."""
    found = _find(account, "/v1/payments", reference)
    return None if found is None else _answered(_payment, found)


def pay_out(account: Account, order: PayoutOrder) -> PayoutState:
    """Create the payout; the same reference again gives the first answer."""
    told = _post(account, "/v1/payouts", order.reference, {
        "reference": order.reference, "amount": to_minor(order.money), "currency": order.money.currency,
        "webhook_url": order.webhook_url, "destination": {"token": order.destination},
    })  # fmt: skip
    return _answered(_payout, told)


def payout(account: Account, reference: str) -> PayoutState | None:
    """The payout with our reference."""
    found = _find(account, "/v1/payouts", reference)
    return None if found is None else _answered(_payout, found)


def _post(account: Account, path: str, key: str, body: Mapping[str, Any]) -> Any:
    headers = {**_headers(account), "Content-Type": "application/json", "Idempotency-Key": key}
    return _call("POST", f"{account.config['origin']}{path}", headers, json.dumps(body).encode()).json()


def _find(account: Account, path: str, reference: str) -> Any:
    url = f"{account.config['origin']}{path}?reference={quote(reference, safe='')}"
    told = _call("GET", url, _headers(account), None).json()
    items = told.get("items") if isinstance(told, dict) else None
    if not isinstance(items, list) or len(items) > 1:
        raise http.VendorUnknown("a list of at most one item was expected")
    return items[0] if items else None


def _headers(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.secrets['api_key']}", "Accept": "application/json"}


def _call(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> http.Answer:
    try:
        return http.call(method, url, headers=headers, body=body, seconds=CALL_SECONDS)
    except http.VendorRefused as refused:
        if refused.status in (401, 403):  # our credentials, not this request: nothing was done, it may go through later
            raise http.VendorUnavailable(f"HTTP {refused.status}") from refused
        if refused.status < 400 or refused.status == 409:  # something with our reference may exist there
            raise http.VendorUnknown(f"HTTP {refused.status}") from refused
        raise


def _answered(read_one: Callable[[Any], T], told: Any) -> T:
    """An answer that cannot be read is an unknown outcome: the provider may well have done it."""
    try:
        return read_one(told)
    except NotificationInvalid as error:
        raise http.VendorUnknown(str(error)) from error


# --- notifications ---------------------------------------------------------------------------------------------------


def decode(account: Account, headers: Mapping[str, str], raw: bytes, now: datetime) -> Notification:
    """Check `Sandpay-Signature` over the bytes, then read them."""
    given = {name.lower(): value for name, value in headers.items()}.get("sandpay-signature", "")
    _check_signature(account, given, raw, int(now.timestamp()))
    return _read(_strict_json(raw))


def _check_signature(account: Account, header: str, raw: bytes, now: int) -> None:
    parts = [part.strip().partition("=") for part in header.split(",")] if len(header) <= 2000 else []
    stamps = [value for name, _, value in parts if name == "t"]
    signatures = [value for name, _, value in parts if name == "v1"]
    if len(stamps) != 1 or not signatures or not (stamps[0].isascii() and stamps[0].isdigit() and len(stamps[0]) < 13):
        raise SignatureInvalid("the header is missing or malformed")
    live = [
        str(value) for name, value in sorted(account.secrets.items()) if name.startswith("webhook_secret") and value
    ]
    matches = False
    for secret in live:
        expected = hmac.new(secret.encode(), stamps[0].encode() + b"." + raw, sha256).hexdigest().encode()
        for signature in signatures:
            matches |= hmac.compare_digest(expected, signature.encode())
    if not matches:
        raise SignatureInvalid("no signature fits")
    if abs(now - int(stamps[0])) > TOLERANCE_SECONDS:
        raise SignatureInvalid("the time is out of tolerance")


def _strict_json(raw: bytes) -> Mapping[str, Any]:
    """A JSON object without NaN, NUL or lone surrogates, so that it can be kept as it is."""

    def refuse(text: str) -> Any:
        raise ValueError(f"{text} is not used here")

    try:
        found = json.loads(raw.decode("utf-8"), parse_constant=refuse, parse_float=str)
        kept = json.dumps(found, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise NotificationInvalid("the body is not the JSON that is expected") from error
    if not isinstance(found, dict) or b"\\u0000" in kept:
        raise NotificationInvalid("the body is not an object of plain text")
    return found


def _read(document: Mapping[str, Any]) -> Notification:
    """A notification from its document; `type` and the object's status must say the same."""
    kind = _text(document, "type", 64)
    state: PaymentState | PayoutState
    if kind in _PAYMENT_TYPES:
        state, status = _payment(document.get("data")), _PAYMENT_TYPES[kind]
    elif kind in _PAYOUT_TYPES:
        state, status = _payout(document.get("data")), _PAYOUT_TYPES[kind]
    else:
        raise NotificationInvalid(f"unknown type {kind!r}")
    if state.status != status:
        raise NotificationInvalid("type and status contradict each other")
    return Notification(_text(document, "id", 128), kind, state, document)


def _payment(told: Any) -> PaymentState:
    found = _object(told)
    status = _text(found, "status", 32)
    if status not in PAYMENT_STATUSES:
        raise NotificationInvalid(f"unknown status {status!r}")
    vendor_id = _text(found, "id", 128)
    return PaymentState(
        vendor_id=vendor_id, reference=_text(found, "reference", 128), status=status, money=_money(found),
        redirect_url=_optional(found, "redirect_url"), authorisation=_optional(found, "authorisation"),
        reason=_optional(found, "reason"),
        # The provider pays out to the instrument of an earlier payment, which the payment's own id names.
        instrument=vendor_id,
    )  # fmt: skip


def _payout(told: Any) -> PayoutState:
    found = _object(told)
    status = _text(found, "status", 32)
    if status not in PAYOUT_STATUSES:
        raise NotificationInvalid(f"unknown status {status!r}")
    return PayoutState(
        vendor_id=_text(found, "id", 128), reference=_text(found, "reference", 128), status=status,
        money=_money(found), reason=_optional(found, "reason"),
    )  # fmt: skip


def _object(told: Any) -> Mapping[str, Any]:
    if not isinstance(told, dict):
        raise NotificationInvalid("an object was expected")
    return told


def _text(found: Mapping[str, Any], name: str, longest: int) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise NotificationInvalid(f"{name} must be a text of 1 to {longest} characters")
    return value


def _optional(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    if type(value) is int:
        value = str(value)
    if value is not None and not (isinstance(value, str) and len(value) <= 2000):
        raise NotificationInvalid(f"{name} must be a text")
    return value


def _money(found: Mapping[str, Any]) -> Money:
    minor, code = found.get("amount"), found.get("currency")
    if type(minor) is not int or minor <= 0:
        raise NotificationInvalid("amount must be a positive integer")
    if not isinstance(code, str) or code not in CURRENCIES:
        raise NotificationInvalid("unknown currency")
    money = from_minor(minor, code)
    if money.units > MAX_UNITS:
        raise NotificationInvalid("amount is larger than any ledger keeps")
    return money

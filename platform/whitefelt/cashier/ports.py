"""What a payment provider's connector is: pure reading, and calls that tell refused, not carried out and unknown apart.

A connector is a module in `whitefelt.connectors.pay`. It keeps no state and touches no database. Calls raise the
failures of `kernel.http`: `VendorRefused` (answered no), `VendorUnavailable` (surely not carried out), `VendorUnknown`
(may have happened: ask by reference before anything else).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from whitefelt.kernel.money import Money
from whitefelt.kernel.registry import Setting

#: What a payment and a payout may be at a provider, in our words.
PAYMENT_STATUSES = ("created", "paid", "declined", "cancelled", "expired")
PAYOUT_STATUSES = ("pending", "paid", "failed")


class SignatureInvalid(Exception):
    """The message is not signed with one of the integration's live secrets, or its time is out of tolerance."""


class NotificationInvalid(Exception):
    """The message is signed, and is no notification that this connector can read; the text says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """An integration's settings, as a connector needs them."""

    config: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a method takes at least and at most at once, in one currency."""

    minimum: Money
    maximum: Money


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay: `limits` by currency; `minutes` the usual time until a deposit arrives and until a payout does."""

    code: str
    name: str
    limits: Mapping[str, Limits]
    deposit_minutes: int
    payout_minutes: int


@dataclass(frozen=True, slots=True)
class Order:
    """A deposit that the provider shall collect; `reference` is the idempotency key as well."""

    reference: str
    money: Money
    method: str
    description: str
    customer_id: str
    customer_email: str
    return_url: str
    webhook_url: str


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """A payout that the provider shall make to an instrument seen in a deposit; `reference` is the idempotency key."""

    reference: str
    money: Money
    destination: str
    webhook_url: str


@dataclass(frozen=True, slots=True)
class PaymentState:
    """A payment as the provider tells it. `instrument`: the token that a payout may go back to."""

    vendor_id: str
    reference: str
    status: str
    money: Money
    redirect_url: str | None = None
    authorisation: str | None = None
    reason: str | None = None
    instrument: str | None = None

    def __post_init__(self) -> None:
        assert self.status in PAYMENT_STATUSES, self.status


@dataclass(frozen=True, slots=True)
class PayoutState:
    """A payout as the provider tells it."""

    vendor_id: str
    reference: str
    status: str
    money: Money
    reason: str | None = None

    def __post_init__(self) -> None:
        assert self.status in PAYOUT_STATUSES, self.status


@dataclass(frozen=True, slots=True)
class Notification:
    """One message of a provider: `event_id` is unique per integration; `document` is what it said, for keeping."""

    event_id: str
    type: str
    state: PaymentState | PayoutState
    document: Mapping[str, Any]


class PayVendor(Protocol):
    """The functions of a connector's module."""

    NAME: str
    CONFIG: tuple[Setting, ...]
    METHODS: tuple[Method, ...]

    def ORIGINS(self, config: Mapping[str, Any], /) -> Mapping[str, str]:
        """What a browser must be allowed to reach, by CSP directive."""

    def start(self, account: Account, order: Order, /) -> PaymentState:
        """Ask the provider to collect; the state's `redirect_url` is where the player pays."""

    def payment(self, account: Account, reference: str, /) -> PaymentState | None:
        """The payment with our reference; None: the provider has surely never heard of it."""

    def pay_out(self, account: Account, order: PayoutOrder, /) -> PayoutState:
        """Ask the provider to pay; repeating the same order is harmless."""

    def payout(self, account: Account, reference: str, /) -> PayoutState | None:
        """The payout with our reference; None: the provider has surely never heard of it."""

    def decode(self, account: Account, headers: Mapping[str, str], raw: bytes, now: datetime, /) -> Notification:
        """Check the signature over the bytes, then read; SignatureInvalid or NotificationInvalid."""

"""What compliance needs of an identity vendor. A connector (connectors/kyc/<vendor>.py) is a module of these functions.

Both functions may raise kernel.http's VendorError family; `begin` opens nothing that would have to be undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from whitefelt.kernel.registry import Setting


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An identity check to open: our reference, where the browser returns to, the country of the expected id."""

    reference: str
    return_url: str
    country: str


@dataclass(frozen=True, slots=True)
class Order:
    """An open check: the vendor's id for it, where the player goes, until when it is good."""

    order_id: str
    redirect_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ProvenPerson:
    """Who the vendor vouches for; `national_id` without meaning to us beyond equality."""

    national_id: str
    first_name: str
    last_name: str
    birth_date: date
    country: str


@dataclass(frozen=True, slots=True)
class Collected:
    """How an order stands: `pending`, `complete` (then `person`, its proof checked), `cancelled` or `expired`."""

    order_id: str
    reference: str
    status: str
    person: ProvenPerson | None = None


class ProofInvalid(Exception):
    """The vendor's answer does not carry its proof: nothing in it may be believed."""


class IdentityVendor(Protocol):
    """A kyc connector. `config` and `secrets` are the integration's."""

    NAME: str
    CONFIG: tuple[Setting, ...]

    @staticmethod
    def ORIGINS(config: Mapping[str, Any]) -> Mapping[str, str]:
        """What a browser must be allowed to reach, by CSP directive."""
        ...

    @staticmethod
    def begin(config: Mapping[str, Any], secrets: Mapping[str, Any], request: OrderRequest) -> Order:
        """Open a check at the vendor."""
        ...

    @staticmethod
    def collect(config: Mapping[str, Any], secrets: Mapping[str, Any], order_id: str) -> Collected:
        """Ask how a check stands; ProofInvalid when the answer's proof is missing or wrong."""
        ...

"""What a message connector is: it hands one mail over. A connector is a module in `whitefelt.connectors.message`.

It keeps no state and touches no database, and raises the failures of `kernel.http`: `VendorUnavailable` (surely not
sent), `VendorUnknown` (may have been sent), `VendorRefused` (the server wants nothing of us), and `RecipientRefused`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from whitefelt.kernel.http import VendorError
from whitefelt.kernel.registry import Setting


class RecipientRefused(VendorError):
    """The server does not take mail for this address, now and later: trying again is useless."""


@dataclass(frozen=True, slots=True)
class Account:
    """An integration's settings, as a connector needs them."""

    config: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, complete. `reference` is the same whenever the same mail is sent again."""

    to: str
    sender_name: str
    subject: str
    text: str
    html: str
    reference: str


class MessageVendor(Protocol):
    """The functions of a connector's module."""

    NAME: str
    CONFIG: tuple[Setting, ...]

    def ORIGINS(self, config: Mapping[str, Any], /) -> Mapping[str, str]:
        """What a browser must be allowed to reach: nothing."""

    def send(self, account: Account, mail: Mail, /) -> None:
        """Hand the mail over, within seconds."""

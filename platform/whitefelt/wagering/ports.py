"""What a play connector is: pure translation between a vendor's wire protocol and these neutral values.

A connector module (`whitefelt.connectors.play.<vendor>`) declares NAME, CONFIG, ORIGINS and
- `decode(endpoint, path, headers, body, now) -> Message`   verify the signature over the raw bytes, then translate; raises
  `Refused` for what was not understood (nothing of it is remembered)
- `encode(answer) -> Reply`                                  the vendor's dialect for an answer or a refusal
- `CODES`                                                    total map from `PlayCode` to the vendor's code
- `launch_url(endpoint, launch) -> str`                      where the player's browser goes
- `catalogue(endpoint) -> list[CatalogueTitle]`              what the vendor offers (calls the vendor)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from whitefelt.kernel.money import Money


class PlayCode(StrEnum):
    """Everything that can be answered to a provider; stable, translated by each connector, ordered by precedence."""

    OK = "ok"
    INTEGRATION_UNKNOWN = "integration_unknown"
    BODY_TOO_LARGE = "body_too_large"
    RATE_LIMITED = "rate_limited"
    OPERATION_UNKNOWN = "operation_unknown"
    SIGNATURE_INVALID = "signature_invalid"
    TIMESTAMP_OUT_OF_RANGE = "timestamp_out_of_range"
    BODY_INVALID = "body_invalid"
    AMOUNT_TOO_FINE = "amount_too_fine"
    PLAYER_UNKNOWN = "player_unknown"
    CURRENCY_MISMATCH = "currency_mismatch"
    SESSION_UNKNOWN = "session_unknown"
    SESSION_EXPIRED = "session_expired"
    GAME_UNKNOWN = "game_unknown"
    TRANSACTION_CONFLICT = "transaction_conflict"
    TRANSACTION_ROLLED_BACK = "transaction_rolled_back"
    STAKES_NOT_ALLOWED = "stakes_not_allowed"
    ROUND_CLOSED = "round_closed"
    ROUND_UNKNOWN = "round_unknown"
    REFERENCE_INVALID = "reference_invalid"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    LIMIT_REACHED = "limit_reached"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An integration as its connector sees it: settings and secrets, no tenant."""

    public_id: str
    callback_url: str
    config: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A provider's message in neutral words. `kind`: balance, bet, win or refund.

    `player` is the id that we gave at launch; `session` the token; `ref` the provider's transaction id, `target_ref` the one
    that a refund names; `closes` ends the round. `need_round`: a win without a bet is refused by this protocol.
    """

    kind: str
    player: str
    currency: str
    session: str | None = None
    game: str | None = None
    round_ref: str | None = None
    ref: str | None = None
    target_ref: str | None = None
    amount: Money | None = None
    closes: bool = False
    need_round: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: `code` OK or why not. `balances` are cash and bonus right after the operation was first booked,
    `current` those of now; both None when the player is not known."""

    code: PlayCode
    message: Message | None = None
    wallet_ref: str | None = None
    replayed: bool = False
    cash: Money | None = None
    bonus: Money | None = None
    current_cash: Money | None = None
    current_bonus: Money | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class Refused(Exception):
    """Raised by `decode`: the message was not understood or not believed."""

    def __init__(self, code: PlayCode, detail: str = "") -> None:
        super().__init__(f"{code.value}: {detail}")
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Launch:
    """What a provider is told when a game starts."""

    session: str
    player: str
    game: str
    currency: str
    language: str
    country: str
    lobby_url: str


@dataclass(frozen=True, slots=True)
class CatalogueTitle:
    """A title as its provider describes it; `rtp` is a percentage as text, such as "96.42"."""

    code: str
    title: str
    studio: str
    kind: str
    rtp: str
    volatility: str
    art_url: str
    min_stake: str
    max_stake: str
    features: tuple[str, ...] = ()
    description: str = ""


class PlayVendor(Protocol):
    """A play connector module, as the core sees it."""

    NAME: str
    CODES: Mapping[PlayCode, Any]

    def decode(self, endpoint: Endpoint, path: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Message:
        """Verify and translate; raises Refused."""

    def encode(self, answer: Answer) -> Reply:
        """The vendor's dialect."""

    def launch_url(self, endpoint: Endpoint, launch: Launch) -> str:
        """Where the player's browser goes."""

    def catalogue(self, endpoint: Endpoint) -> list[CatalogueTitle]:
        """What the vendor offers."""

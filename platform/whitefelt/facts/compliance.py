"""Facts about what a player may do: identity, limits, exclusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from whitefelt.kernel.outbox import Fact


@dataclass(frozen=True, slots=True)
class IdentityVerified(Fact):
    """A player's identity was confirmed by that integration's order."""

    NAME: ClassVar[str] = "compliance.identity_verified"

    player_id: int
    player_public_id: str
    integration_id: int
    order_id: str

    @property
    def key(self) -> str:
        return f"player:{self.player_id}"


@dataclass(frozen=True, slots=True)
class IdentityFailed(Fact):
    """An identity check ended without confirming the player."""

    NAME: ClassVar[str] = "compliance.identity_failed"

    player_id: int
    player_public_id: str
    integration_id: int
    order_id: str

    @property
    def key(self) -> str:
        return f"player:{self.player_id}"


@dataclass(frozen=True, slots=True)
class LimitChanged(Fact):
    """A player's limit is now this; `limit_units` None: no limit. `kind` e.g. deposit, `period` day, week or month."""

    NAME: ClassVar[str] = "compliance.limit_changed"

    player_id: int
    player_public_id: str
    kind: str
    period: str
    limit_units: int | None
    currency: str

    @property
    def key(self) -> str:
        return f"player:{self.player_id}"


@dataclass(frozen=True, slots=True)
class PlayerExcluded(Fact):
    """A player is excluded from play; `until` an ISO 8601 instant, None: for ever."""

    NAME: ClassVar[str] = "compliance.player_excluded"

    player_id: int
    player_public_id: str
    kind: str
    until: str | None

    @property
    def key(self) -> str:
        return f"player:{self.player_id}"

"""Facts about players as persons with an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from whitefelt.kernel.outbox import Fact


@dataclass(frozen=True, slots=True)
class PlayerRegistered(Fact):
    """A player was admitted and has pockets."""

    NAME: ClassVar[str] = "people.player_registered"

    player_id: int
    player_public_id: str
    brand_id: int
    jurisdiction: str
    currency: str

    @property
    def key(self) -> str:
        return f"player:{self.player_id}"


@dataclass(frozen=True, slots=True)
class PlayerStatusChanged(Fact):
    """A player was blocked, unblocked or closed."""

    NAME: ClassVar[str] = "people.player_status_changed"

    player_id: int
    player_public_id: str
    status: str

    @property
    def key(self) -> str:
        return f"player:{self.player_id}"

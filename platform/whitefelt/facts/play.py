"""Facts about play. Bets and wins themselves are rows of the journal: see `facts.money.MoneyPosted`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from whitefelt.kernel.outbox import Fact


@dataclass(frozen=True, slots=True)
class SessionOpened(Fact):
    """A player launched a game."""

    NAME: ClassVar[str] = "play.session_opened"

    session_id: int
    session_public_id: str
    player_id: int
    integration_id: int
    game_code: str

    @property
    def key(self) -> str:
        return f"player:{self.player_id}"

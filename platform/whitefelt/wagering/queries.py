"""Rounds as players and support read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from whitefelt import wallet
from whitefelt.kernel.db import Work
from whitefelt.kernel.money import Money
from whitefelt.wallet import Pockets


@dataclass(frozen=True, slots=True)
class Round:
    """One game cycle: `status` open or closed; `net` is what the player won less what was staked."""

    id: int
    ref: str
    game: str
    provider: str
    status: str
    staked: Money
    won: Money
    restored: Money
    held: Money
    opened_at: datetime
    closed_at: datetime | None

    @property
    def net(self) -> Money:
        """Wins less stakes that were not given back."""
        return self.won - self.staked + self.restored


def rounds(
    work: Work, pockets: Pockets, *, before: int | None = None, limit: int = 50, open_only: bool = False
) -> list[Round]:
    """The player's rounds, newest first, older than round id `before`."""
    found = wallet.holds(work, pockets, before=before, limit=limit, open_only=open_only)
    return [_round(hold) for hold in found]


def _round(hold: wallet.Hold) -> Round:
    label: Mapping[str, Any] = hold.label
    return Round(
        id=hold.id, ref=hold.ref, game=str(label.get("game", "")), provider=str(label.get("provider", "")),
        status="open" if hold.closed_at is None else "closed", staked=hold.staked, won=hold.won, restored=hold.restored,
        held=hold.held, opened_at=hold.opened_at, closed_at=hold.closed_at,
    )  # fmt: skip

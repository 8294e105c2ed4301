"""How a player stands right now, and the wallet's stakes flag that follows from it.

Whatever changes a player's standing calls `apply_standing` in its own transaction: the wallet then refuses stakes from
that commit on, under the pocket's lock, whoever read what before.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select

from whitefelt import wallet
from whitefelt.accounts import Player
from whitefelt.compliance import rules
from whitefelt.compliance.models import DepositLimitRow, ExclusionRow
from whitefelt.compliance.rulebook import PERIODS, RuleSet, ruleset
from whitefelt.compliance.rules import LimitRow, Standing
from whitefelt.kernel.db import Work


def rules_for(work: Work, player: Player) -> RuleSet:
    """The rules that hold for this player now."""
    at: datetime = work.now()
    return ruleset(player.jurisdiction, at)


def limit_rows(work: Work, player_id: int) -> list[LimitRow]:
    """Every wish for a deposit limit that was not taken back."""
    rows = work.session.scalars(
        select(DepositLimitRow)
        .where(DepositLimitRow.player_id == player_id, DepositLimitRow.cancelled_at.is_(None))
        .order_by(DepositLimitRow.id)
        .execution_options(populate_existing=True)
    )
    return [
        LimitRow(row.id, row.period, row.set_by, row.amount_units, row.requested_at, row.effective_at, row.cancelled_at)
        for row in rows
    ]


def is_excluded(work: Work, player_id: int) -> bool:
    """True while any exclusion runs: from its first instant up to, but not including, its end."""
    now = work.now()
    return work.session.scalar(
        select(ExclusionRow.id)
        .where(
            ExclusionRow.player_id == player_id,
            ExclusionRow.starts_at <= now,
            or_(ExclusionRow.ends_at.is_(None), ExclusionRow.ends_at > now),
        )
        .limit(1)
    ) is not None  # fmt: skip


def standing(work: Work, player: Player) -> Standing:
    """What the gates look at, read now. The player's own row is taken as given: pass a fresh one where it matters."""
    rows, now = limit_rows(work, player.id), work.now()
    have = tuple(period for period in PERIODS if rules.limit_now(rows, period, now).amount_units is not None)
    return Standing(
        status=player.status, excluded=is_excluded(work, player.id), verified=player.verified_at is not None,
        limits_set=have, currency=player.currency,
    )  # fmt: skip


def apply_standing(work: Work, player: Player) -> bool:
    """Allow or stop the player's stakes as the rules say now; returns which. Needs a money_work and a fresh player.

    Also bumps the version of the wallet's terms, so that caps which others hold in memory are read anew.
    """
    allowed = rules.play_verdict(rules_for(work, player), standing(work, player)) is None
    pockets = wallet.find_pockets(work, player.owner, player.currency)
    if pockets is not None:
        wallet.set_stakes_allowed(work, pockets, allowed)
    return allowed

"""Breaks and exclusions: from the commit on no stake and no deposit; withdrawing stays possible. Never shortened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update

from whitefelt import audit
from whitefelt.accounts import Player, end_player_sessions, lock_player, player, set_player_status
from whitefelt.compliance import rules
from whitefelt.compliance.models import ExclusionRow
from whitefelt.compliance.standing import apply_standing, rules_for
from whitefelt.facts.compliance import PlayerExcluded
from whitefelt.facts.people import PlayerStatusChanged
from whitefelt.kernel import outbox
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import FIELDS_INVALID, Problem

KINDS = ("time_out", "self_exclusion", "operator_exclusion")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """The exclusion that holds longest; `ends_at` None: without end."""

    kind: str
    starts_at: datetime
    ends_at: datetime | None


def exclude(work: Work, player: Player, kind: str, until: datetime | None, reason: str = "") -> Exclusion:
    """Exclude the player from now `until` then (None: for ever), end every session, stop stakes. Needs a money_work.

    A further exclusion can only prolong: those that run keep running.
    """
    assert kind in KINDS, kind
    player = lock_player(work, player.id)
    now = work.now()
    if until is not None and until <= now:
        raise Problem(FIELDS_INVALID, errors={"until": ["Choose a later end."]})
    requested_by = work.actor.kind if work.actor.kind in ("player", "staff") else "system"
    work.session.add(
        ExclusionRow(
            player_id=player.id, kind=kind, requested_by=requested_by, reason=reason, starts_at=now, ends_at=until
        )
    )
    work.session.flush()
    apply_standing(work, player)
    end_player_sessions(work, player.id, "excluded")
    ends = until.isoformat() if until else None
    outbox.record(work, PlayerExcluded(player.id, player.public_id, kind, ends))
    audit.record(
        work, "player.excluded", f"player:{player.public_id}", reason=reason, after={"kind": kind, "until": ends}
    )
    found = exclusion(work, player)
    assert found is not None
    return found


def exclude_for(work: Work, player: Player, kind: str, option: str) -> Exclusion:
    """As `exclude`, for one of the spans that the jurisdiction offers to players. Errors: `fields_invalid`."""
    ruleset = rules_for(work, player)
    offered = {"time_out": ruleset.time_out_options, "self_exclusion": ruleset.self_exclusion_options}
    if kind not in offered:
        raise Problem(FIELDS_INVALID, errors={"kind": ["Choose time_out or self_exclusion."]})
    if option not in offered[kind]:
        raise Problem(FIELDS_INVALID, errors={"duration": [f"Choose one of {', '.join(offered[kind])}."]})
    return exclude(work, player, kind, rules.span_end(option, ruleset.at, ruleset.timezone))


def exclusion(work: Work, player: Player) -> Exclusion | None:
    """The running exclusion that ends last, None if none runs."""
    now = work.now()
    row = work.session.scalar(
        select(ExclusionRow)
        .where(
            ExclusionRow.player_id == player.id,
            ExclusionRow.starts_at <= now,
            or_(ExclusionRow.ends_at.is_(None), ExclusionRow.ends_at > now),
        )
        .order_by(ExclusionRow.ends_at.desc().nulls_first())
        .limit(1)
    )
    return Exclusion(row.kind, row.starts_at, row.ends_at) if row else None


def settle_ended(work: Work, limit: int = 200) -> int:
    """Allow stakes again to players whose exclusions have ended, as far as the rest allows; returns how many rows.

    Needs a money_work. Until it has run the wallet keeps refusing stakes, never the other way round.
    """
    now = work.now()
    rows = work.session.scalars(
        select(ExclusionRow)
        .where(ExclusionRow.settled_at.is_(None), ExclusionRow.ends_at <= now)
        .order_by(ExclusionRow.ends_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for player_id in sorted({row.player_id for row in rows}):
        apply_standing(work, lock_player(work, player_id))
    if rows:
        mine = ExclusionRow.id.in_([row.id for row in rows])
        work.session.execute(update(ExclusionRow).where(mine).values(settled_at=now))
    return len(rows)


def block_player(work: Work, player_id: int, reason: str) -> Player:
    """Shut an account: no sign-in, no stake, no deposit, no withdrawal until it is unblocked. Needs a money_work."""
    return _set_status(work, player_id, "blocked", reason)


def unblock_player(work: Work, player_id: int, reason: str) -> Player:
    """Open a blocked account again, as far as limits, identity and exclusions allow. Needs a money_work."""
    return _set_status(work, player_id, "active", reason)


def _set_status(work: Work, player_id: int, status: str, reason: str) -> Player:
    before = lock_player(work, player_id)
    if before.status == status:
        return before
    changed = set_player_status(work, player_id, status)
    apply_standing(work, changed)
    if status != "active":
        end_player_sessions(work, player_id, status)
    outbox.record(work, PlayerStatusChanged(changed.id, changed.public_id, status))
    audit.record(
        work, f"player.{status}", f"player:{changed.public_id}", reason=reason,
        before={"status": before.status}, after={"status": status},
    )  # fmt: skip
    return player(work, player_id)

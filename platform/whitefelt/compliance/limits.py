"""Deposit limits: tighter at once, looser later, the lowest wins, and what applies is decided by reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from whitefelt.accounts import Player, lock_player
from whitefelt.compliance import errors, rules
from whitefelt.compliance.models import DepositLimitRow
from whitefelt.compliance.rulebook import PERIODS
from whitefelt.compliance.standing import apply_standing, limit_rows, rules_for
from whitefelt.facts.compliance import LimitChanged
from whitefelt.kernel import outbox
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Pending:
    """A looser limit that was asked for and waits; `money` None: no limit from then on."""

    money: Money | None
    requested_at: datetime
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class DepositLimit:
    """One period's deposit limit now (`money` None: none), the change that waits, and when the running period ends."""

    period: str
    money: Money | None
    pending: Pending | None
    window_ends_at: datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """All of a player's limits; `required` says how many must be set: none, one, all; `missing` whether some are."""

    deposit: tuple[DepositLimit, ...]
    required: str
    missing: bool


def limits(work: Work, player: Player) -> Limits:
    """The player's limits as they apply now, for every period that the jurisdiction offers."""
    ruleset, rows = rules_for(work, player), limit_rows(work, player.id)
    found = []
    for period in (one for one in PERIODS if one in ruleset.deposit_limit_periods):
        now = rules.limit_now(rows, period, ruleset.at)
        waits = now.pending
        pending = Pending(_money(waits.amount_units, player), waits.requested_at, waits.effective_at) if waits else None
        ends_at = rules.end_of_period(period, ruleset.at, ruleset.timezone)
        found.append(DepositLimit(period, _money(now.amount_units, player), pending, ends_at))
    have = [one.period for one in found if one.money is not None]
    enough = rules.limits_suffice(ruleset.deposit_limits_required, ruleset.deposit_limit_periods, have)
    return Limits(tuple(found), ruleset.deposit_limits_required, not enough)


def set_deposit_limit(work: Work, player: Player, period: str, money: Money | None) -> DepositLimit:
    """Ask for a limit (None: for none) on deposits per day, week or month; returns how that period stands then.

    A tighter limit applies from this commit on, a looser one after the jurisdiction's delay; either replaces a change
    that still waits. Staff set the operator's limit beside the player's own. Needs a money_work.
    Errors: `period_not_offered`; `limit_required` when the last limit would go where one is mandatory.
    """
    player = lock_player(work, player.id)
    ruleset, rows = rules_for(work, player), limit_rows(work, player.id)
    if period not in ruleset.deposit_limit_periods:
        raise Problem(errors.PERIOD_NOT_OFFERED, **ruleset.cite("deposit_limit_periods"))
    assert money is None or (money.currency == player.currency and money.units >= 0), "a limit in another currency"
    set_by = "operator" if work.actor.kind == "staff" else "player"
    wanted = money.units if money is not None else None
    if set_by == "player" and wanted is None and ruleset.deposit_limits_required != "none":
        raise Problem(
            errors.LIMIT_REQUIRED, "A limit is mandatory here: change it instead.",
            **ruleset.cite("deposit_limits_required"),
        )  # fmt: skip
    current = rules.own_limit(rows, period, set_by, ruleset.at)
    _take_back(work, player, period, set_by)
    if wanted != current:
        cited = ruleset.cite("limit_increase")
        work.session.add(
            DepositLimitRow(
                player_id=player.id, period=period, set_by=set_by, amount_units=wanted, currency=player.currency,
                requested_at=ruleset.at, effective_at=rules.effective_at(ruleset, period, current, wanted),
                rule=cited["rule"], rule_version=cited["rule_version"],
            )
        )  # fmt: skip
        work.session.flush()
    return _changed(work, player, period)


def cancel_pending(work: Work, player: Player, period: str) -> DepositLimit:
    """Take back the player's own change that waits. Needs a money_work. Errors: `limit_not_pending`."""
    player = lock_player(work, player.id)
    if not _take_back(work, player, period, "player"):
        raise Problem(errors.LIMIT_NOT_PENDING)
    return _changed(work, player, period)


def _take_back(work: Work, player: Player, period: str, set_by: str) -> bool:
    now = work.now()
    found = work.session.scalars(
        update(DepositLimitRow)
        .where(
            DepositLimitRow.player_id == player.id, DepositLimitRow.period == period, DepositLimitRow.set_by == set_by,
            DepositLimitRow.cancelled_at.is_(None), DepositLimitRow.effective_at > now,
        )
        .values(cancelled_at=now)
        .returning(DepositLimitRow.id)
    ).all()  # fmt: skip
    return bool(found)


def _changed(work: Work, player: Player, period: str) -> DepositLimit:
    apply_standing(work, player)
    now = next(one for one in limits(work, player).deposit if one.period == period)
    units = now.money.units if now.money is not None else None
    outbox.record(work, LimitChanged(player.id, player.public_id, "deposit", period, units, player.currency))
    return now


def _money(units: int | None, player: Player) -> Money | None:
    return Money(units, player.currency) if units is not None else None

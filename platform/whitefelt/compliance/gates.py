"""May this player deposit, play, withdraw, here and now? And the caps that the wallet holds deposits and stakes to."""

from __future__ import annotations

from whitefelt.accounts import Player
from whitefelt.accounts import player as read_player
from whitefelt.compliance import errors, rules
from whitefelt.compliance.rulebook import PERIODS
from whitefelt.compliance.standing import limit_rows, rules_for, standing
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import Code, Problem
from whitefelt.kernel.money import Money
from whitefelt.wallet import Cap

_CODES: dict[str, Code] = {
    code.name: code
    for code in (
        errors.ACCOUNT_BLOCKED, errors.ACCOUNT_CLOSED, errors.EXCLUDED, errors.IDENTITY_REQUIRED, errors.LIMIT_REQUIRED
    )
}  # fmt: skip

#: Counts deposits of someone whose identity is not proven, where a threshold allows some.
UNVERIFIED = "deposit:unverified"


def play_gate(work: Work, player: Player) -> None:
    """Pass, or a Problem: `account_blocked`, `account_closed`, `excluded`, `identity_required`, `limit_required`."""
    _pass(work, player)


def deposit_gate(work: Work, player: Player) -> None:
    """Pass, or a Problem as `play_gate`: money that could not be played must not be taken."""
    _pass(work, player)


def withdraw_gate(work: Work, player: Player) -> None:
    """Pass, or `account_blocked`. Exclusion, a missing limit, a closed account never hold a player's own money back."""
    if read_player(work, player.id).status == "blocked":
        raise Problem(errors.ACCOUNT_BLOCKED)


def _pass(work: Work, player: Player) -> None:
    # Read anew: the caller's player may be as old as the request.
    fresh = read_player(work, player.id)
    ruleset = rules_for(work, fresh)
    verdict = rules.play_verdict(ruleset, standing(work, fresh))
    if verdict is not None:
        rule = rules.DECIDED_BY.get(verdict)
        raise Problem(_CODES[verdict], **(ruleset.cite(rule) if rule else {}))


def deposit_caps(work: Work, player: Player, money: Money) -> tuple[Cap, ...]:
    """What a deposit of `money` advances, in the jurisdiction's running day, week and month, and up to where.

    All three are always passed: a limit that is set later counts what was deposited in the window before it.
    """
    ruleset, rows = rules_for(work, player), limit_rows(work, player.id)
    caps = [
        Cap(
            f"deposit:{period}",
            rules.window_key(period, ruleset.at, ruleset.timezone),
            money.units,
            rules.limit_now(rows, period, ruleset.at).amount_units,
        )
        for period in PERIODS
    ]
    if ruleset.identity_before == "deposit_threshold":
        # Counted for ever, so that the threshold holds however late the jurisdiction begins to ask.
        threshold = ruleset.identity_threshold
        comparable = threshold is not None and threshold.currency == money.currency
        ceiling = (threshold.units if threshold and comparable else 0) if player.verified_at is None else None
        caps.append(Cap(UNVERIFIED, "account", money.units, ceiling))
    return tuple(caps)


def cap_problem(counter: str) -> Problem | None:
    """The Problem for a deposit cap that was reached and is not a limit the player set; None for those that are."""
    return Problem(errors.IDENTITY_REQUIRED) if counter == UNVERIFIED else None


def stake_caps(work: Work, player: Player, kind: str = "") -> tuple[Cap, ...]:
    """What a stake must keep to: the least time between rounds of that kind of game, where the rules name one.

    The stake's own amount is not known yet: `delta_units` is 0, the wallet only keeps the time.
    """
    gap = rules_for(work, player).min_cycle_ms.get(kind)
    return (Cap(f"cycle:{kind}", "account", 0, None, gap_ms=gap),) if gap else ()

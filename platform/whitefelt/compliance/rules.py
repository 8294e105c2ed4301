"""Pure decisions of compliance: values in, verdict out; no clock, no database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from whitefelt.compliance.rulebook import UNPUBLISHED, RuleSet

# --- registration ----------------------------------------------------------------------------------------------------


def age_on(birth_date: date, today: date) -> int:
    """Completed years. Someone born on 29 February completes a year on 1 March where there is no 29 February."""
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))


def is_of_age(rules: RuleSet, birth_date: date) -> bool:
    """True from the birthday on, by the calendar of the jurisdiction."""
    return age_on(birth_date, rules.today) >= rules.min_age


def missing_documents(required: Mapping[str, str], accepted: Mapping[str, str]) -> dict[str, str]:
    """Documents (with the version in force) that were not accepted in exactly that version."""
    return {
        document: version
        for document, version in required.items()
        if version == UNPUBLISHED or accepted.get(document) != version
    }


# --- windows and spans -----------------------------------------------------------------------------------------------


def window_key(period: str, at: datetime, zone: ZoneInfo) -> str:
    """The name of the running day, ISO week or month in that time zone: 2026-11-22, 2026-W47, 2026-11."""
    local = at.astimezone(zone).date()
    if period == "day":
        return local.isoformat()
    if period == "week":
        year, week, _ = local.isocalendar()
        return f"{year}-W{week:02d}"
    assert period == "month", period
    return f"{local.year}-{local.month:02d}"


def end_of_period(period: str, at: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the running day, ISO week (Monday) or month, by that time zone's calendar."""
    local = at.astimezone(zone).date()
    if period == "day":
        first = local + timedelta(days=1)
    elif period == "week":
        first = local + timedelta(days=7 - local.weekday())
    else:
        assert period == "month", period
        first = add_months(local.replace(day=1), 1)
    return midnight(first, zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a calendar day there, whatever the clocks do in that night."""
    return datetime.combine(day, time(), zone).astimezone(ZoneInfo("UTC"))


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or that month's last day if it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (date(year + (month == 11), month % 12 + 2 if month < 11 else 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


_SPAN = re.compile(r"([1-9][0-9]{0,3})(h|d|months)", re.ASCII)


def span_end(option: str, at: datetime, zone: ZoneInfo) -> datetime | None:
    """When a span that begins now ends: hours and days by the clock, months by the calendar; None for `indefinite`."""
    if option == "indefinite":
        return None
    match = _SPAN.fullmatch(option)
    assert match is not None, f"unknown span {option!r}"
    count = int(match.group(1))
    if match.group(2) == "h":
        return at + timedelta(hours=count)
    if match.group(2) == "d":
        return at + timedelta(days=count)
    local = at.astimezone(zone)
    later = datetime.combine(add_months(local.date(), count), local.timetz())
    # Never shorter than promised when the clock's hour at the end is ambiguous.
    return later.replace(fold=1).astimezone(ZoneInfo("UTC"))


# --- limits ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One wish for one period as written down; `amount_units` None: no limit from `effective_at` on."""

    id: int
    period: str
    set_by: str
    amount_units: int | None
    requested_at: datetime
    effective_at: datetime
    cancelled_at: datetime | None


@dataclass(frozen=True, slots=True)
class LimitNow:
    """A period's limit at an instant: the lowest of those that apply, and the player's own change that waits."""

    period: str
    amount_units: int | None
    pending: LimitRow | None


def limit_now(rows: Iterable[LimitRow], period: str, at: datetime) -> LimitNow:
    """What applies at `at`: per author the newest row that has taken effect, over authors the lowest amount."""
    alive = [row for row in rows if row.period == period and row.cancelled_at is None]
    amounts: list[int] = []
    for author in ("player", "operator"):
        effective = [row for row in alive if row.set_by == author and row.effective_at <= at]
        if effective:
            newest = max(effective, key=lambda row: (row.effective_at, row.id))
            if newest.amount_units is not None:
                amounts.append(newest.amount_units)
    waiting = [row for row in alive if row.set_by == "player" and row.effective_at > at]
    pending = max(waiting, key=lambda row: row.id) if waiting else None
    return LimitNow(period, min(amounts) if amounts else None, pending)


def own_limit(rows: Iterable[LimitRow], period: str, set_by: str, at: datetime) -> int | None:
    """The amount that this author's rows alone set at `at`; None: no limit."""
    return limit_now([row for row in rows if row.set_by == set_by], period, at).amount_units


def effective_at(rules: RuleSet, period: str, current_units: int | None, wanted_units: int | None) -> datetime:
    """When a wish made at `rules.at` applies: tighter (or equal) at once, looser after the jurisdiction's delay."""
    now = rules.at
    looser = current_units is not None and (wanted_units is None or wanted_units > current_units)
    if not looser:
        return now
    later = now + timedelta(hours=rules.limit_increase.hours)
    if rules.limit_increase.after_running_period:
        later = max(later, end_of_period(period, now, rules.timezone))
    return later


def limits_suffice(required: str, offered: Iterable[str], set_periods: Iterable[str]) -> bool:
    """True when the periods that have a limit are enough for `deposit_limits_required` (none, one, all)."""
    have, wanted = set(set_periods), set(offered)
    if required == "none":
        return True
    if required == "one":
        return bool(have)
    return bool(wanted) and wanted <= have


# --- gates -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the gates look at, read at one instant."""

    status: str
    excluded: bool
    verified: bool
    limits_set: tuple[str, ...]
    currency: str


def play_verdict(rules: RuleSet, standing: Standing) -> str | None:
    """The first reason against play, None if there is none: blocked, closed, excluded, identity, limit."""
    if standing.status != "active":
        return "account_blocked" if standing.status == "blocked" else "account_closed"
    if standing.excluded:
        return "excluded"
    if not standing.verified and identity_due(rules, standing.currency):
        return "identity_required"
    if not limits_suffice(rules.deposit_limits_required, rules.deposit_limit_periods, standing.limits_set):
        return "limit_required"
    return None


def identity_due(rules: RuleSet, currency: str) -> bool:
    """True when someone unproven may not deposit or play at all. A threshold that cannot be compared counts as none."""
    if rules.identity_before == "never":
        return False
    if rules.identity_before == "deposit_threshold":
        return rules.identity_threshold is None or rules.identity_threshold.currency != currency
    return True


#: The rule that decides each verdict that a rule decides.
DECIDED_BY = {"identity_required": "identity_before", "limit_required": "deposit_limits_required"}

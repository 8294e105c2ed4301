"""Pure decisions: ages, windows, spans, the life of a limit, the order of verdicts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whitefelt.compliance import rules
from whitefelt.compliance.rulebook import UNPUBLISHED, Increase, RuleSet, ruleset
from whitefelt.compliance.rules import LimitRow, Standing

STOCKHOLM = ZoneInfo("Europe/Stockholm")
TICK = timedelta(microseconds=1)


def at(text: str, zone: ZoneInfo = STOCKHOLM) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def se(text: str) -> RuleSet:
    return ruleset("SE", at(text))


def mt(text: str) -> RuleSet:
    return ruleset("MT", at(text, ZoneInfo("Europe/Malta")))


# --- age -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "born, today, years",
    [("2008-11-23", "2026-11-22", 17), ("2008-11-22", "2026-11-22", 18), ("2008-11-21", "2026-11-22", 18),
     ("2008-02-29", "2026-02-28", 17), ("2008-02-29", "2026-03-01", 18), ("2004-02-29", "2024-02-29", 20),
     ("2026-11-22", "2026-11-22", 0), ("2008-12-31", "2027-01-01", 18)],
)  # fmt: skip
def test_completed_years(born: str, today: str, years: int) -> None:
    assert rules.age_on(date.fromisoformat(born), date.fromisoformat(today)) == years


def test_of_age_from_midnight_of_the_birthday_in_the_jurisdictions_own_time_zone() -> None:
    born = date(2008, 11, 22)
    midnight = at("2026-11-22T00:00:00")
    assert midnight.date() == date(2026, 11, 21), "in UTC it is still the day before"
    assert rules.is_of_age(ruleset("SE", midnight), born)
    assert not rules.is_of_age(ruleset("SE", midnight - TICK), born)


def test_documents_must_be_accepted_in_exactly_the_version_in_force() -> None:
    required = {"terms": "2", "privacy": "5"}
    assert rules.missing_documents(required, {"terms": "2", "privacy": "5", "more": "1"}) == {}
    assert rules.missing_documents(required, {"terms": "1", "privacy": "5"}) == {"terms": "2"}
    assert rules.missing_documents(required, {}) == required
    unpublished = {"terms": UNPUBLISHED}
    assert rules.missing_documents(unpublished, unpublished) == unpublished


# --- windows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "instant, day, week, month",
    [("2026-11-22T23:59:59.999999", "2026-11-22", "2026-W47", "2026-11"),
     ("2026-11-23T00:00:00", "2026-11-23", "2026-W48", "2026-11"),
     ("2026-11-30T23:59:59", "2026-11-30", "2026-W49", "2026-11"),
     ("2026-12-01T00:00:00", "2026-12-01", "2026-W49", "2026-12"),
     ("2027-01-01T00:00:00", "2027-01-01", "2026-W53", "2027-01"),
     ("2027-01-04T00:00:00", "2027-01-04", "2027-W01", "2027-01"),
     ("2026-03-29T03:00:00", "2026-03-29", "2026-W13", "2026-03"),
     ("2026-10-25T02:30:00", "2026-10-25", "2026-W43", "2026-10")],
)  # fmt: skip
def test_window_names_follow_the_local_calendar(instant: str, day: str, week: str, month: str) -> None:
    keys = [rules.window_key(period, at(instant), STOCKHOLM) for period in ("day", "week", "month")]
    assert keys == [day, week, month]


def test_the_same_instant_lies_in_other_windows_elsewhere() -> None:
    instant = at("2026-12-01T00:30:00")
    assert rules.window_key("month", instant, STOCKHOLM) == "2026-12"
    assert rules.window_key("month", instant, ZoneInfo("Atlantic/Azores")) == "2026-11"


@pytest.mark.parametrize("period", ["day", "week", "month"])
@given(seconds=st.integers(0, 3 * 366 * 86400))
def test_a_window_ends_exactly_where_its_name_changes(period: str, seconds: int) -> None:
    instant = at("2025-01-01T00:00:00") + timedelta(seconds=seconds)
    ends = rules.end_of_period(period, instant, STOCKHOLM)
    name = rules.window_key(period, instant, STOCKHOLM)
    assert ends > instant
    assert rules.window_key(period, ends - TICK, STOCKHOLM) == name
    assert rules.window_key(period, ends, STOCKHOLM) != name


def test_days_on_which_the_clocks_change_have_23_and_25_hours() -> None:
    spring, autumn = at("2026-03-29T00:00:00"), at("2026-10-25T00:00:00")
    assert rules.end_of_period("day", spring, STOCKHOLM) - spring == timedelta(hours=23)
    assert rules.end_of_period("day", autumn, STOCKHOLM) - autumn == timedelta(hours=25)


# --- spans -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "option, begins, ends",
    [("24h", "2026-10-24T12:00:00", "2026-10-25T11:00:00"),
     ("7d", "2026-11-22T10:00:00", "2026-11-29T10:00:00"),
     ("1months", "2026-01-31T10:00:00", "2026-02-28T10:00:00"),
     ("6months", "2026-08-31T10:00:00", "2027-02-28T10:00:00"),
     ("12months", "2028-02-29T10:00:00", "2029-02-28T10:00:00"),
     ("1months", "2026-12-15T10:00:00", "2027-01-15T10:00:00")],
)  # fmt: skip
def test_when_a_break_ends(option: str, begins: str, ends: str) -> None:
    """24 h over the night in which clocks go back end at eleven by the wall: they are hours, not a calendar day."""
    assert rules.span_end(option, at(begins), STOCKHOLM) == at(ends)


def test_indefinite_has_no_end() -> None:
    assert rules.span_end("indefinite", at("2026-11-22T10:00:00"), STOCKHOLM) is None


# --- limits ----------------------------------------------------------------------------------------------------------

DAY = "2026-11-22T10:00:00"


def row(id_: int, units: int | None, effective: datetime, *, set_by: str = "player", **changed: object) -> LimitRow:
    made = LimitRow(id_, "day", set_by, units, effective, effective, None)
    return replace(made, **changed)  # type: ignore[arg-type]


def test_malta_tighter_at_once_looser_after_a_day() -> None:
    now = mt(DAY)
    assert rules.effective_at(now, "day", None, 100) == now.at
    assert rules.effective_at(now, "day", 100, 99) == now.at
    assert rules.effective_at(now, "day", 100, 100) == now.at
    assert rules.effective_at(now, "day", 100, 101) == now.at + timedelta(hours=24)
    assert rules.effective_at(now, "day", 100, None) == now.at + timedelta(hours=24)


@pytest.mark.parametrize(
    "period, expected",
    [("day", "2026-11-25T10:00:00"), ("week", "2026-11-25T10:00:00"), ("month", "2026-12-01T00:00:00")],
)
def test_sweden_looser_after_72_hours_and_never_in_the_running_period(period: str, expected: str) -> None:
    """Sunday 22 November: the week ends before the 72 hours, the month after them."""
    assert rules.effective_at(se(DAY), period, 100, 101) == at(expected)
    assert rules.effective_at(se(DAY), period, 100, 99) == at(DAY)


def test_sweden_a_week_that_ends_later_than_72_hours() -> None:
    monday = "2026-11-23T09:00:00"
    assert rules.effective_at(se(monday), "week", 100, 101) == at("2026-11-30T00:00:00")


def test_a_waiting_change_applies_from_its_very_instant_without_anyone_doing_anything() -> None:
    start = at(DAY)
    rows = [row(1, 100, start), row(2, 500, start + timedelta(hours=24))]
    before = rules.limit_now(rows, "day", start + timedelta(hours=24) - TICK)
    after = rules.limit_now(rows, "day", start + timedelta(hours=24))
    assert (before.amount_units, before.pending) == (100, rows[1])
    assert (after.amount_units, after.pending) == (500, None)


def test_a_cancelled_change_never_applies() -> None:
    start = at(DAY)
    rows = [row(1, 100, start), row(2, 500, start + timedelta(hours=24), cancelled_at=start + timedelta(hours=1))]
    later = rules.limit_now(rows, "day", start + timedelta(days=9))
    assert (later.amount_units, later.pending) == (100, None)


def test_two_wishes_of_one_instant_the_later_one_counts() -> None:
    start = at(DAY)
    assert rules.limit_now([row(1, 100, start), row(2, 50, start)], "day", start).amount_units == 50


@pytest.mark.parametrize("mine, theirs, lowest", [(100, 50, 50), (50, 100, 50), (None, 70, 70), (70, None, 70)])
def test_the_lower_of_the_players_and_the_operators_limit_wins(
    mine: int | None, theirs: int | None, lowest: int
) -> None:
    start = at(DAY)
    rows = [row(1, mine, start), row(2, theirs, start, set_by="operator")]
    assert rules.limit_now(rows, "day", start).amount_units == lowest
    assert rules.own_limit(rows, "day", "player", start) == mine


def test_zero_is_a_limit() -> None:
    assert rules.limit_now([row(1, 0, at(DAY))], "day", at(DAY)).amount_units == 0


@given(
    wishes=st.lists(st.tuples(st.integers(0, 200) | st.none(), st.integers(0, 40 * 24)), min_size=1, max_size=12),
    probe=st.integers(0, 60 * 24),
)
def test_no_sequence_of_wishes_loosens_before_its_time(wishes: list[tuple[int | None, int]], probe: int) -> None:
    """Whatever is asked in whatever order: at any instant, either the limit is at most every wish of the last 24 hours
    that was tighter than what held, or nothing was asked."""
    start, rows = at(DAY, ZoneInfo("Europe/Malta")), []
    for number, (units, hours) in enumerate(sorted(wishes, key=lambda wish: wish[1]), start=1):
        now = replace(ruleset("MT", start), at=start + timedelta(hours=hours))
        current = rules.limit_now(rows, "day", now.at).amount_units
        rows = [replace(one, cancelled_at=now.at) if one.effective_at > now.at else one for one in rows]
        effective = rules.effective_at(now, "day", current, units)
        rows.append(LimitRow(number, "day", "player", units, now.at, effective, None))
        held = rules.limit_now(rows, "day", now.at).amount_units
        if current is not None:
            assert held is not None and held <= current, "nothing is looser in the instant it is asked"
        if units is not None and (current is None or units <= current):
            assert held == units, "tighter applies at once"
    seen = start + timedelta(hours=probe)
    now_held = rules.limit_now(rows, "day", seen).amount_units
    recent = [one for one in rows if one.effective_at <= seen < one.requested_at + timedelta(hours=24)]
    for one in recent:
        if one.effective_at == one.requested_at and one.amount_units is not None:
            assert now_held is not None and now_held <= one.amount_units


@pytest.mark.parametrize(
    "required, have, enough",
    [("none", (), True), ("one", (), False), ("one", ("month",), True), ("all", ("day", "week"), False),
     ("all", ("day", "week", "month"), True)],
)  # fmt: skip
def test_how_many_limits_suffice(required: str, have: tuple[str, ...], enough: bool) -> None:
    assert rules.limits_suffice(required, ("day", "week", "month"), have) is enough


# --- verdicts --------------------------------------------------------------------------------------------------------

GOOD = Standing("active", excluded=False, verified=True, limits_set=("day",), currency="SEK")


def test_a_player_with_everything_in_order_may_play() -> None:
    assert rules.play_verdict(se(DAY), GOOD) is None
    assert rules.play_verdict(mt(DAY), replace(GOOD, verified=False, limits_set=(), currency="EUR")) is None


@pytest.mark.parametrize(
    "changed, verdict",
    [({"status": "blocked", "excluded": True, "verified": False, "limits_set": ()}, "account_blocked"),
     ({"status": "closed", "excluded": True}, "account_closed"),
     ({"excluded": True, "verified": False, "limits_set": ()}, "excluded"),
     ({"verified": False, "limits_set": ()}, "identity_required"),
     ({"limits_set": ()}, "limit_required")],
)  # fmt: skip
def test_the_first_reason_is_told(changed: dict[str, object], verdict: str) -> None:
    assert rules.play_verdict(se(DAY), replace(GOOD, **changed)) == verdict  # type: ignore[arg-type]


def test_a_threshold_in_another_currency_cannot_be_compared_and_so_counts_as_none() -> None:
    assert not rules.identity_due(mt(DAY), "EUR")
    assert rules.identity_due(mt(DAY), "SEK")


def test_an_unknown_jurisdiction_lets_nobody_in_and_nobody_play() -> None:
    unknown = ruleset("ZZ", at(DAY))
    assert unknown.residence_countries == () and unknown.min_age == 21
    assert rules.missing_documents(unknown.documents, dict(unknown.documents)) != {}
    assert rules.play_verdict(unknown, replace(GOOD, limits_set=("day", "week"))) == "limit_required"
    assert rules.play_verdict(unknown, replace(GOOD, verified=False)) == "identity_required"
    assert unknown.limit_increase == Increase(168, True)

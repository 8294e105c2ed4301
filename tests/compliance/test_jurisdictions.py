"""The rule-set files: what they say at, before and after each date, and what the loader refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from whitefelt.compliance import rulebook, rules
from whitefelt.compliance.rulebook import KNOWN, STRICTEST, Increase, RulebookFault, evaluate, jurisdictions, ruleset
from whitefelt.kernel.money import Money

ZONES = {"MT": ZoneInfo("Europe/Malta"), "SE": ZoneInfo("Europe/Stockholm")}
TICK = timedelta(microseconds=1)

#: What the files must say from a day on: (jurisdiction, rule, first day, value).
STATED = [
    ("MT", "min_age", date(2018, 8, 1), 18),
    ("MT", "residence_countries", date(2018, 8, 1), ("MT",)),
    ("MT", "documents", date(2018, 8, 1), {"terms": "2026-11", "privacy": "2026-11"}),
    ("MT", "identity_before", date(2018, 8, 1), "deposit_threshold"),
    ("MT", "identity_threshold", date(2018, 8, 1), Money(2000 * 10**6, "EUR")),
    ("MT", "deposit_limits_required", date(2018, 8, 1), "none"),
    ("MT", "deposit_limit_periods", date(2018, 8, 1), ("day", "week", "month")),
    ("MT", "limit_increase", date(2018, 8, 1), Increase(24, False)),
    ("MT", "time_out_options", date(2018, 8, 1), ("24h", "7d", "30d")),
    ("MT", "self_exclusion_options", date(2018, 8, 1), ("6months", "12months", "indefinite")),
    ("MT", "min_cycle_ms", date(2018, 8, 1), {}),
    ("SE", "min_age", date(2019, 1, 1), 18),
    ("SE", "residence_countries", date(2019, 1, 1), ("SE",)),
    ("SE", "documents", date(2019, 1, 1), {"terms": "2026-11", "privacy": "2026-11"}),
    ("SE", "identity_before", date(2019, 1, 1), "first_deposit"),
    ("SE", "deposit_limits_required", date(2019, 1, 1), "one"),
    ("SE", "deposit_limit_periods", date(2019, 1, 1), ("day", "week", "month")),
    ("SE", "limit_increase", date(2019, 1, 1), Increase(72, True)),
    ("SE", "time_out_options", date(2019, 1, 1), ("24h", "7d", "30d")),
    ("SE", "self_exclusion_options", date(2019, 1, 1), ("1months", "3months", "6months", "indefinite")),
    ("SE", "reverse_withdrawal", date(2019, 1, 1), False),
    ("SE", "min_cycle_ms", date(2019, 1, 1), {"slots": 3000}),
]


@pytest.mark.parametrize("code, rule, since, value", STATED)
def test_a_rule_before_at_and_after_its_first_day(code: str, rule: str, since: date, value: object) -> None:
    begins = datetime.combine(since, datetime.min.time(), ZONES[code])
    before = ruleset(code, begins - TICK)
    assert getattr(before, rule) == KNOWN[rule].strictest
    assert before.cite(rule) == {"rule": f"{code}.{rule}", "rule_version": STRICTEST}
    for instant in (begins, begins + timedelta(days=1), datetime(2026, 11, 22, tzinfo=UTC)):
        found = ruleset(code, instant)
        assert getattr(found, rule) == value
        assert found.cite(rule)["rule_version"].endswith(f"/{since}")


def test_every_rule_in_the_files_has_been_looked_at_here_or_is_only_shown() -> None:
    shown = {"session_clock", "net_position", "licence_text", "helpline", "player_links"}
    for code, book in jurisdictions().items():
        assert set(book.rules) == {rule for c, rule, _, _ in STATED if c.lower() == code} | shown


@pytest.mark.parametrize("code", ["MT", "SE"])
@pytest.mark.parametrize("younger_by_days, admitted", [(1, False), (0, True), (-1, True)])
def test_the_least_age_to_the_day(code: str, younger_by_days: int, admitted: bool) -> None:
    now = ruleset(code, datetime(2026, 11, 22, 12, tzinfo=UTC))
    eighteen_today = date(2008, 11, 22)
    assert rules.is_of_age(now, eighteen_today + timedelta(days=younger_by_days)) is admitted


def test_upper_and_lower_case_name_the_same_jurisdiction() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert ruleset("mt", now) == ruleset("MT", now)


@pytest.mark.parametrize("code", ["GB", "", "../mt", "zz"])
def test_an_unknown_jurisdiction_has_the_strictest_of_everything(code: str) -> None:
    found = ruleset(code, datetime(2026, 11, 22, tzinfo=UTC))
    for rule, kind in KNOWN.items():
        assert getattr(found, rule) == kind.strictest
        assert found.cite(rule)["rule_version"] == STRICTEST


# --- dates -----------------------------------------------------------------------------------------------------------

HEAD = 'schema = 1\ncode = "XX"\nname = "X"\nregulator = "R"\ntimezone = "Europe/Stockholm"\nversion = "7"\n'


def rule_text(rule: str = "min_age", value: str = "18", since: str = "2026-01-01", **more: str) -> str:
    lines = {"value": value, "from": since, "source": '"a statute"', "evidence": '"official"', **more}
    return f"\n[[rules.{rule}]]\n" + "".join(f"{key} = {text}\n" for key, text in lines.items() if text)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def make(text: str) -> Path:
        path = tmp_path / "xx.toml"
        path.write_text(text, "utf-8")
        return path

    return make


def test_values_change_at_the_jurisdictions_midnight(write: Callable[[str], Path]) -> None:
    book = rulebook.load(
        write(HEAD + rule_text(since="2027-01-01", value="20") + rule_text(value="18", to="2026-07-01"))
    )
    summer, winter = datetime(2026, 6, 30, 22, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)

    def min_age(instant: datetime) -> int:
        return evaluate(book, "XX", instant).min_age

    assert [min_age(summer - TICK), min_age(summer)] == [18, 21], "the gap has the strictest value"
    assert [min_age(winter - TICK), min_age(winter)] == [21, 20]
    assert min_age(datetime(2025, 12, 31, 22, 59, 59, tzinfo=UTC)) == 21
    assert evaluate(book, "XX", winter).cite("min_age") == {"rule": "XX.min_age", "rule_version": "7/2027-01-01"}


def test_one_value_may_begin_on_the_day_the_other_ends(write: Callable[[str], Path]) -> None:
    book = rulebook.load(write(HEAD + rule_text(to="2026-07-01") + rule_text(since="2026-07-01", value="20")))
    assert [one.value for one in book.rules["min_age"]] == [18, 20]


# --- what the loader refuses -----------------------------------------------------------------------------------------


def test_the_smallest_good_file(write: Callable[[str], Path]) -> None:
    assert rulebook.load(write(HEAD + rule_text())).version == "7"


@pytest.mark.parametrize(
    "text, fault",
    [
        (HEAD + rule_text(source=""), "missing source"),
        (HEAD + rule_text(source='"  "'), "source is missing"),
        (HEAD + rule_text(evidence=""), "missing evidence"),
        (HEAD + rule_text(evidence='"hearsay"'), "evidence must be one of"),
        (HEAD + rule_text(since=""), "missing from"),
        (HEAD + rule_text(since='"2026-01-01"'), "are dates"),
        (HEAD + rule_text(since="2026-01-01T00:00:00Z"), "are dates"),
        (HEAD + rule_text(to="2026-01-01"), "to must be after from"),
        (HEAD + rule_text(note='"x"'), "unknown note"),
        (HEAD + rule_text() + rule_text(since="2026-02-01"), "two values apply"),
        (HEAD + rule_text(to="2026-03-01") + rule_text(since="2026-02-28"), "two values apply"),
        (HEAD + rule_text("max_age"), "unknown rules max_age"),
        (HEAD + rule_text(value='"18"'), "whole number"),
        (HEAD + rule_text(value="true"), "whole number"),
        (HEAD + rule_text(value="15"), "whole number"),
        (HEAD + rule_text(value="18.0"), "whole number"),
        (HEAD + rule_text("residence_countries", '["se"]'), "list of texts"),
        (HEAD + rule_text("residence_countries", '["SE", "SE"]'), "twice"),
        (HEAD + rule_text("limit_increase", "{ hours = 24 }"), "exactly hours"),
        (HEAD + rule_text("identity_threshold", '{ amount = "-1", currency = "EUR" }'), "value"),
        (HEAD + rule_text("identity_threshold", '{ amount = "1", currency = "XXX" }'), "value"),
        (HEAD + rule_text("time_out_options", '["a while"]'), "list of texts"),
        (HEAD + rule_text("player_links", '[{ label = "x", href = "http://x" }]'), "href"),
        (HEAD + rule_text("player_links", '[{ label = "x", href = "javascript:x" }]'), "href"),
        (HEAD + "[rules.min_age]\nvalue = 18\n", "tables"),
        (HEAD.replace("schema = 1", "schema = 2") + rule_text(), "schema"),
        (HEAD.replace('"XX"', '"YY"') + rule_text(), "file's name"),
        (HEAD.replace("Europe/Stockholm", "Mars/Olympus") + rule_text(), "time zone"),
        (HEAD + 'motto = "x"\n' + rule_text(), "unknown motto"),
        (HEAD.replace('version = "7"\n', "") + rule_text(), "missing version"),
        (HEAD, "missing rules"),
        ("= nonsense", "xx.toml"),
    ],
)
def test_a_faulty_file_is_refused_whole(write: Callable[[str], Path], text: str, fault: str) -> None:
    with pytest.raises(RulebookFault, match=fault):
        rulebook.load(write(text))


def test_files_name_no_rule_that_nothing_reads() -> None:
    """Each rule known to the loader is a field of the rule-set, so that a typed reader can use it."""
    assert set(KNOWN) <= set(rulebook.RuleSet.__dataclass_fields__)

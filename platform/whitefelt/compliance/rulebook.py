"""The market rule-sets: data files with dates and sources, read once, evaluated at the instant of an event.

Fail closed: in an unknown jurisdiction, and for a rule that a file does not state for that day, the strictest value
holds. A faulty file stops the process at its first use (`RulebookFault`), it is never half applied.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from whitefelt.kernel import money
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money

FOLDER = Path(__file__).parent / "jurisdictions"
EVIDENCE = ("official", "secondary", "unconfirmed", "own")
PERIODS = ("day", "week", "month")
_SPAN = re.compile(r"[1-9][0-9]{0,3}(?:h|d|months)|indefinite", re.ASCII)


class RulebookFault(Exception):
    """A jurisdiction's file cannot be used; the message names file, rule and fault."""


@dataclass(frozen=True, slots=True)
class Increase:
    """When a looser limit applies: after `hours`, and if so told not before the running period has ended."""

    hours: int
    after_running_period: bool


@dataclass(frozen=True, slots=True)
class RuleKind:
    """A rule that the platform knows: how its value is read (a ValueError says what is wrong) and the strictest one."""

    read: Callable[[Any], Any]
    strictest: Any
    help: str


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return read


def _yes_no(value: Any) -> bool:
    if type(value) is not bool:
        raise ValueError("must be true or false")
    return value


def _choice(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return read


def _texts(pattern: re.Pattern[str]) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(one, str) and pattern.fullmatch(one) for one in value):
            raise ValueError(f"must be a list of texts like {pattern.pattern}")
        if len(set(value)) != len(value):
            raise ValueError("names something twice")
        return tuple(value)

    return read


def _texts_by_name(*names: str) -> Callable[[Any], Mapping[str, str]]:
    """A table of texts; with `names`, exactly these."""

    def read(value: Any) -> Mapping[str, str]:
        if not isinstance(value, dict) or not value or not all(isinstance(v, str) and v for v in value.values()):
            raise ValueError("must be a table of texts")
        if names and set(value) != set(names):
            raise ValueError(f"must name exactly {', '.join(names)}")
        return MappingProxyType(dict(value))

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text")
    return value


def _increase(value: Any) -> Increase:
    if not isinstance(value, dict) or set(value) != {"hours", "after_running_period"}:
        raise ValueError("must name exactly hours, after_running_period")
    return Increase(_whole(1, 24 * 60)(value["hours"]), _yes_no(value["after_running_period"]))


def _money(value: Any) -> Money:
    told = _texts_by_name("amount", "currency")(value)
    try:
        return money.parse(told["amount"], told["currency"])
    except Problem as problem:
        raise ValueError(problem.detail) from problem


def _milliseconds(value: Any) -> Mapping[str, int]:
    if not isinstance(value, dict):
        raise ValueError("must be a table of milliseconds")
    return MappingProxyType({str(name): _whole(0, 600_000)(told) for name, told in value.items()})


def _links(value: Any) -> tuple[Mapping[str, str], ...]:
    if not isinstance(value, list):
        raise ValueError("must be a list of {label, href}")
    links = tuple(_texts_by_name("label", "href")(one) for one in value)
    if not all(link["href"].startswith(("/", "https://")) for link in links):
        raise ValueError("href must be a path of the site or an https address")
    return links


_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_PERIOD = re.compile("|".join(PERIODS))
#: A version nobody can have accepted.
UNPUBLISHED = "unpublished"

KNOWN: Mapping[str, RuleKind] = MappingProxyType(
    {
        "min_age": RuleKind(_whole(16, 30), 21, "years a person must have completed"),
        "residence_countries": RuleKind(_texts(_COUNTRY), (), "where a player may live, ISO 3166 codes"),
        "documents": RuleKind(
            _texts_by_name(), MappingProxyType({"terms": UNPUBLISHED, "privacy": UNPUBLISHED}),
            "documents to accept at registration, with the version in force",
        ),
        "identity_before": RuleKind(
            _choice("first_deposit", "deposit_threshold", "never"), "first_deposit", "when identity must be proven"
        ),
        "identity_threshold": RuleKind(
            _money, None, "accrued deposits up to which identity may stay unproven; none stated: nothing may"
        ),
        "deposit_limits_required": RuleKind(
            _choice("none", "one", "all"), "all", "which deposit limits must be set before depositing or playing"
        ),
        "deposit_limit_periods": RuleKind(_texts(_PERIOD), PERIODS, "periods for which a deposit limit can be set"),
        "limit_increase": RuleKind(_increase, Increase(168, True), "when a looser limit applies"),
        "time_out_options": RuleKind(_texts(_SPAN), ("24h",), "spans of a break that a player can choose"),
        "self_exclusion_options": RuleKind(_texts(_SPAN), ("indefinite",), "spans of a self-exclusion"),
        "reverse_withdrawal": RuleKind(_yes_no, False, "may a requested withdrawal be taken back to play?"),
        "min_cycle_ms": RuleKind(
            _milliseconds, MappingProxyType({"slots": 5000, "other_casino": 5000}), "least time between rounds"
        ),
        "session_clock": RuleKind(_yes_no, True, "is the time since sign-in shown on every page?"),
        "net_position": RuleKind(_yes_no, True, "is the session's net result shown?"),
        "licence_text": RuleKind(_text, "No licence is held here.", "licence line: {entity} and {licence} are filled"),
        "helpline": RuleKind(_texts_by_name("name", "phone", "url"), None, "who helps with problem gambling"),
        "player_links": RuleKind(_links, (), "links of the safer-gambling bar"),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dated:
    """One value of a rule and the days on which it applies: from `since`, up to but not including `until`."""

    value: Any
    since: date
    until: date | None
    source: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """A jurisdiction's file as read."""

    code: str
    name: str
    regulator: str
    timezone: ZoneInfo
    version: str
    rules: Mapping[str, tuple[Dated, ...]]


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule's value comes from: what a verdict names."""

    rule: str
    version: str
    source: str
    evidence: str


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of a jurisdiction as they apply at one instant. Unknown jurisdiction: every value is the strictest."""

    jurisdiction: str
    name: str
    regulator: str
    version: str
    timezone: ZoneInfo
    at: datetime
    citations: Mapping[str, Citation]
    min_age: int
    residence_countries: tuple[str, ...]
    documents: Mapping[str, str]
    identity_before: str
    identity_threshold: Money | None
    deposit_limits_required: str
    deposit_limit_periods: tuple[str, ...]
    limit_increase: Increase
    time_out_options: tuple[str, ...]
    self_exclusion_options: tuple[str, ...]
    reverse_withdrawal: bool
    min_cycle_ms: Mapping[str, int]
    session_clock: bool
    net_position: bool
    licence_text: str
    helpline: Mapping[str, str] | None
    player_links: tuple[Mapping[str, str], ...]

    @property
    def today(self) -> date:
        """The calendar day in the jurisdiction."""
        return self.at.astimezone(self.timezone).date()

    def cite(self, rule: str) -> dict[str, str]:
        """Name and version of a rule, for problem documents and records."""
        found = self.citations[rule]
        return {"rule": found.rule, "rule_version": found.version}


#: Stands in the place of a file's version when no file states the rule.
STRICTEST = "strictest"


def ruleset(jurisdiction: str, at: datetime) -> RuleSet:
    """The rules of that jurisdiction at that instant; what no file states for that day has the strictest value."""
    return evaluate(jurisdictions().get(jurisdiction.lower()), jurisdiction.upper(), at)


def evaluate(book: Jurisdiction | None, code: str, at: datetime) -> RuleSet:
    """As `ruleset`, for one file's content (None: there is none)."""
    zone = book.timezone if book else ZoneInfo("UTC")
    today = at.astimezone(zone).date()
    values: dict[str, Any] = {}
    citations: dict[str, Citation] = {}
    for rule, kind in KNOWN.items():
        stated = next((one for one in (book.rules.get(rule, ()) if book else ()) if _applies(one, today)), None)
        values[rule] = stated.value if stated else kind.strictest
        citations[rule] = (
            Citation(f"{code}.{rule}", f"{book.version}/{stated.since}", stated.source, stated.evidence)
            if book and stated
            else Citation(f"{code}.{rule}", STRICTEST, "no file states this rule for that day", "own")
        )
    return RuleSet(
        jurisdiction=code, name=book.name if book else code, regulator=book.regulator if book else "",
        version=book.version if book else STRICTEST, timezone=zone, at=at, citations=MappingProxyType(citations),
        **values,
    )  # fmt: skip


def _applies(one: Dated, today: date) -> bool:
    return one.since <= today and (one.until is None or today < one.until)


@cache
def jurisdictions() -> Mapping[str, Jurisdiction]:
    """Every jurisdiction on file, by lower-case code; read once per process."""
    return MappingProxyType({path.stem: load(path) for path in sorted(FOLDER.glob("*.toml"))})


# --- reading a file --------------------------------------------------------------------------------------------------

_HEAD = {"schema", "code", "name", "regulator", "timezone", "version", "rules"}
_NEEDED, _OPTIONAL = {"value", "from", "source", "evidence"}, {"to"}


def load(path: Path) -> Jurisdiction:
    """Read and check one file. RulebookFault: not TOML, unknown or missing keys, wrong types, overlapping dates."""
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RulebookFault(f"{path.name}: {error}") from error
    _exactly(path.name, told, _HEAD, set())
    if told["schema"] != 1:
        raise RulebookFault(f"{path.name}: schema must be 1")
    if str(told["code"]).lower() != path.stem:
        raise RulebookFault(f"{path.name}: code must be the file's name")
    try:
        zone = ZoneInfo(told["timezone"])
    except (TypeError, ValueError, OSError, KeyError) as error:
        raise RulebookFault(f"{path.name}: unknown time zone") from error
    unknown = sorted(set(told["rules"]) - set(KNOWN))
    if unknown:
        raise RulebookFault(f"{path.name}: unknown rules {', '.join(unknown)}")
    rules = {rule: _dated(f"{path.name}: {rule}", rule, tables) for rule, tables in told["rules"].items()}
    return Jurisdiction(
        code=str(told["code"]), name=str(told["name"]), regulator=str(told["regulator"]), timezone=zone,
        version=str(told["version"]), rules=MappingProxyType(rules),
    )  # fmt: skip


def _dated(where: str, rule: str, tables: Any) -> tuple[Dated, ...]:
    if not isinstance(tables, list) or not tables:
        raise RulebookFault(f"{where}: write [[rules.{rule}]] tables")
    found = sorted((_one(where, rule, table) for table in tables), key=lambda one: one.since)
    for earlier, later in pairwise(found):
        if earlier.until is None or earlier.until > later.since:
            raise RulebookFault(f"{where}: two values apply on {later.since}")
    return tuple(found)


def _one(where: str, rule: str, table: Any) -> Dated:
    _exactly(where, table, _NEEDED, _OPTIONAL)
    since, until = table["from"], table.get("to")
    # A TOML date-time is a date's subclass in Python: only plain days are meant here.
    if type(since) is not date or (until is not None and type(until) is not date):
        raise RulebookFault(f"{where}: from and to are dates like 2026-01-31")
    if until is not None and until <= since:
        raise RulebookFault(f"{where}: to must be after from")
    if table["evidence"] not in EVIDENCE:
        raise RulebookFault(f"{where}: evidence must be one of {', '.join(EVIDENCE)}")
    if not isinstance(table["source"], str) or not table["source"].strip():
        raise RulebookFault(f"{where}: source is missing")
    try:
        value = KNOWN[rule].read(table["value"])
    except ValueError as error:
        raise RulebookFault(f"{where}: value {error}") from error
    return Dated(value, since, until, table["source"], table["evidence"])


def _exactly(where: str, table: Any, needed: set[str], optional: set[str]) -> None:
    if not isinstance(table, dict):
        raise RulebookFault(f"{where}: must be a table")
    missing, unknown = sorted(needed - set(table)), sorted(set(table) - needed - optional)
    if missing or unknown:
        faults = [f"missing {', '.join(missing)}"] * bool(missing) + [f"unknown {', '.join(unknown)}"] * bool(unknown)
        raise RulebookFault(f"{where}: {'; '.join(faults)}")

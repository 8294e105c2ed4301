"""What goes into and comes out of a movement: caps and the canonical outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cap:
    """An opaque cap: within `window` (any text, e.g. "2026-W47") `counter` may grow by `delta_units` up to
    `ceiling_units` (None: it only counts). `gap_ms`: refuse when the counter was advanced less than that ago."""

    counter: str
    window: str
    delta_units: int
    ceiling_units: int | None = None
    gap_ms: int | None = None

    def document(self) -> dict[str, Any]:
        """The JSON form that the SQL functions read."""
        told: dict[str, Any] = {"counter": self.counter, "window": self.window, "delta": self.delta_units}
        if self.ceiling_units is not None:
            told["ceiling"] = self.ceiling_units
        if self.gap_ms is not None:
            told["gap_ms"] = self.gap_ms
        return told


@dataclass(frozen=True, slots=True)
class Leg:
    """One posting of an operation: `units` from pocket `debit` to pocket `credit`."""

    debit: int
    credit: int
    units: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The canonical outcome of an operation, the same however often it is asked.

    `status` is `posted` or why not; `balances` (pocket id -> units) as they were right after it, `current` as they are
    now; `detail` says which cap was reached.
    """

    status: str
    replayed: bool
    journal_id: int | None
    split: tuple[Leg, ...]
    balances: Mapping[int, int]
    current: Mapping[int, int]
    detail: Mapping[str, Any]

    @property
    def posted(self) -> bool:
        """True when the movement stands in the journal (now or since the first time)."""
        return self.status == "posted"


def read_outcome(told: Mapping[str, Any]) -> Outcome:
    """The outcome from a function's JSON answer."""
    current = _units(told.get("current"))
    return Outcome(
        status=told["status"],
        replayed=bool(told["replayed"]),
        journal_id=told.get("id"),
        split=tuple(Leg(leg["debit"], leg["credit"], leg["units"]) for leg in told.get("split", ())),
        balances=_units(told.get("balances")) or current,
        current=current,
        detail={**(told.get("detail") or {}), **{k: told[k] for k in ("terms", "restored_units") if k in told}},
    )


def caps_document(caps: Sequence[Cap]) -> list[dict[str, Any]]:
    """All caps of a call; counters may not repeat within a window, or one check would not see the other."""
    keys = {(cap.counter, cap.window) for cap in caps}
    assert len(keys) == len(caps), "a counter appears twice in one call"
    return [cap.document() for cap in caps]


def _units(told: Mapping[str, int] | None) -> dict[int, int]:
    return {int(pocket): units for pocket, units in (told or {}).items()}

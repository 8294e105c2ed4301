"""Pure rules: is the plan sound, who depends on whom, how long to pause before another attempt."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .errors import BadPlan
from .specs import Spec

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,40}")
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0


def check_plan(specs: Sequence[Spec]) -> None:
    """Refuses names that are doubled or unfit for a file, unknown dependencies and circles."""
    names = [spec.name for spec in specs]
    for name in names:
        if not NAME.fullmatch(name):
            raise BadPlan(f"{name!r} is no name for a part: small letters, digits, dot, dash, underscore.")
        if names.count(name) > 1:
            raise BadPlan(f"Two parts are called {name}.")
    for spec in specs:
        for needed in spec.depends_on:
            if needed not in names:
                raise BadPlan(f"{spec.name} depends on {needed}, which is not among the parts.")
    waiting = {spec.name: set(spec.depends_on) for spec in specs}
    while startable := [name for name, needed in waiting.items() if not needed & waiting.keys()]:
        for name in startable:
            del waiting[name]
    if waiting:
        raise BadPlan(f"These parts wait for one another in a circle: {', '.join(sorted(waiting))}.")


def dependents_of(name: str, specs: Sequence[Spec]) -> list[str]:
    """The parts that need `name` and so must end before it does."""
    return [spec.name for spec in specs if name in spec.depends_on]


def pause_seconds(failures: int) -> float:
    """The pause after this many failures in a row: doubling, up to half a minute."""
    return float(min(FIRST_PAUSE_SECONDS * 2 ** max(failures - 1, 0), LONGEST_PAUSE_SECONDS))

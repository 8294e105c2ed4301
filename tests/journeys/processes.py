"""The processes below one process, as the system knows them: to see whether all of them end, and to find one by name."""

from __future__ import annotations

import os
import time
from pathlib import Path

PROC = Path("/proc")


def _stat(pid: int) -> tuple[str, str, int, str] | None:
    """Name, state, parent and start time; None when it is gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    name, _, rest = text.partition("(")[2].rpartition(")")
    fields = rest.split()
    return name, fields[0], int(fields[1]), fields[19]


def below(pid: int) -> dict[int, str]:
    """Every living descendant, with the time at which it began (a number may be given to another process later)."""
    found = {one: told for name in os.listdir(PROC) if name.isdigit() and (told := _stat(one := int(name)))}
    family: dict[int, str] = {}
    parents = {pid}
    while parents:
        parents = {one for one, told in found.items() if told[2] in parents and one not in family}
        family.update({one: found[one][3] for one in parents})
    return family


def named(pid: int, name: str) -> list[int]:
    """Descendants whose program has that name."""
    return [one for one in below(pid) if (told := _stat(one)) and told[0] == name]


def left_of(family: dict[int, str]) -> list[str]:
    """Those that still live (one that only waits to be collected does not), as number and name."""
    told = {one: _stat(one) for one in family}
    return [f"{one} {it[0]}" for one, it in told.items() if it and it[3] == family[one] and it[1] not in "ZX"]


def gone_within(family: dict[int, str], seconds: float) -> list[str]:
    """Waits until all have ended, at most so long; whoever is left."""
    until = time.monotonic() + seconds
    while (left := left_of(family)) and time.monotonic() < until:
        time.sleep(0.05)
    return left

"""The guardian: a small process that ends everything when the supervisor is gone without having done so.

Run by path (`python -I -S guardian.py`), so it imports the standard library only. It reads lines from the supervisor:
`marker M` (processes with M in their environment are ours), `session PID` and `gone PID` (so are those of that
session), `server PID` (a database: it gets time to write its data), `bye` (all was ended in good order). End of file
without `bye` means that the supervisor was killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
GRACE_SECONDS = 2.0
SERVER_GRACE_SECONDS = 6.0
SERVER_LAST_CHANCE_SECONDS = 2.0
KILL_SECONDS = 2.0


def read_stat(pid: int) -> tuple[str, int, str] | None:
    """State, session and start time of a process (Linux), or None if it is gone."""
    try:
        fields = (PROC / str(pid) / "stat").read_text(errors="replace").rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return fields[0], int(fields[3]), fields[19]


def began_at(pid: int) -> str:
    """When the process began, in the kernel's ticks: tells it from a later one with the same number."""
    stat = read_stat(pid)
    return stat[2] if stat else ""


def is_alive(pid: int) -> bool:
    """Whether the process lives; one that only waits to be collected by its parent does not."""
    if (PROC / "self").exists():
        found = read_stat(pid)
        return found is not None and found[0] not in "ZX"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def belonging(marker: str, sessions: Iterable[int]) -> set[int]:
    """The living processes that carry `marker` in their environment or belong to one of `sessions`.

    Two signs, because a process may leave its session, and another may overwrite its environment with its title.
    """
    wanted, found = set(sessions), set()
    if not (PROC / "self").exists():
        return _belonging_by_group(wanted)
    sign = marker.encode()
    for entry in PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        pid = int(entry.name)
        stat = read_stat(pid)
        if stat is None or stat[0] in "ZX":
            continue
        if stat[1] in wanted:
            found.add(pid)
            continue
        with suppress(OSError):
            if sign in (entry / "environ").read_bytes():
                found.add(pid)
    return found


def _belonging_by_group(groups: set[int]) -> set[int]:
    """Without /proc: the members of the process groups."""
    listing = subprocess.run(["/bin/ps", "-A", "-o", "pid=,pgid="], capture_output=True, text=True, check=False).stdout
    pairs = (line.split() for line in listing.splitlines())
    return {int(pid) for pid, group in pairs if int(group) in groups}


def send(pids: Iterable[int], number: int) -> None:
    """Sends a signal to each; one that has just gone needs none."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Waits for `condition`, at most `seconds`."""
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.05)
    return True


def kill_all(find: Callable[[], set[int]], seconds: float = KILL_SECONDS) -> bool:
    """Kills what `find` finds until it finds nothing: a process may have forked between look and kill."""

    def nothing_left() -> bool:
        left = find()
        send(left, signal.SIGKILL)
        return not left

    return wait_until(nothing_left, seconds)


class Charge:
    """What the guardian answers for."""

    def __init__(self) -> None:
        self.marker = "\0"
        self.sessions: set[int] = set()
        self.servers: dict[int, str] = {}

    def note(self, line: str) -> bool:
        """Takes one line of the supervisor's; returns whether it was the good-bye."""
        word, _, rest = line.strip().partition(" ")
        if word == "marker":
            self.marker = rest
        elif word == "session":
            self.sessions.add(int(rest))
        elif word == "server":
            self.servers[int(rest)] = began_at(int(rest))
        elif word == "gone":
            self.sessions.discard(int(rest))
            self.servers.pop(int(rest), None)
        return word == "bye"

    def living(self) -> set[int]:
        """Our living processes other than the servers."""
        return belonging(self.marker, self.sessions) - self.servers.keys()

    def living_servers(self) -> set[int]:
        """Our living servers; a number that was given to another process since does not count."""
        return {pid for pid, began in self.servers.items() if is_alive(pid) and began_at(pid) == began}

    def end_everything(self, orderly: bool) -> None:
        """Ends all processes, then the servers: with patience first, unless the supervisor did its part already."""
        if not orderly:
            send(self.living(), signal.SIGTERM)
            if not sys.platform.startswith("linux"):
                # Elsewhere the kernel has sent it already, when their parent died.
                send(self.living_servers(), signal.SIGINT)
            wait_until(lambda: not self.living(), GRACE_SECONDS)
        kill_all(self.living)
        if not wait_until(lambda: not self.living_servers(), 0.0 if orderly else SERVER_GRACE_SECONDS):
            send(self.living_servers(), signal.SIGQUIT)
            wait_until(lambda: not self.living_servers(), SERVER_LAST_CHANCE_SECONDS)
            kill_all(self.living_servers)


def main() -> None:
    """Listens until the supervisor says good-bye or is gone, then sees to it that nothing is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    charge, orderly = Charge(), False
    for line in sys.stdin:
        orderly = charge.note(line) or orderly
    charge.end_everything(orderly)


if __name__ == "__main__":
    main()

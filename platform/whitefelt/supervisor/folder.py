"""The data folder: only one supervisor at a time, and the logs of its parts."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from .errors import AlreadyRunning
from .guardian import is_alive

KEPT_LOGS = 5
PREDECESSOR_SECONDS = 20.0


def take_folder(data: Path) -> int:
    """Locks `data` for us and returns the open lock file, which holds our pid.

    The guardian shares the lock, so it lasts until the last process of a killed predecessor is gone; that is waited
    for. A predecessor that lives is not: raises `AlreadyRunning` with its pid.
    """
    data.mkdir(parents=True, exist_ok=True)
    path = data / "supervisor.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_up = time.monotonic() + PREDECESSOR_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = path.read_text("utf-8").strip()
            if (holder.isdigit() and is_alive(int(holder))) or time.monotonic() > give_up:
                os.close(handle)
                raise AlreadyRunning(
                    f"Whitefelt already runs on the data folder {data} (process {holder or 'unknown'}). "
                    "Stop it first, or choose another folder."
                ) from None
            time.sleep(0.1)
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle


def fresh_log(data: Path, name: str) -> Path:
    """The log file for `name` in this start; those of earlier starts become `<name>.log.1` and so on."""
    folder = data / "logs"
    folder.mkdir(mode=0o700, exist_ok=True)
    log = folder / f"{name}.log"
    for number in range(KEPT_LOGS - 1, -1, -1):
        older = log.with_name(f"{log.name}.{number}") if number else log
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    return log

"""How other commands find the running platform: one private file in the data folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whitefelt.kernel.embedded.folder import write_private

from .errors import NotRunning
from .guardian import began_at, is_alive

FILE = "runtime.json"


def write(data: Path, facts: Mapping[str, Any]) -> None:
    """Says that this process runs the platform of `data`; adds `pid` to `facts`. Only the owner can read the file."""
    pid = os.getpid()
    content = {**facts, "pid": pid, "pid_began": began_at(pid)}
    write_private(Path(data) / FILE, json.dumps(content, indent=2) + "\n")


def read(data: Path) -> dict[str, Any]:
    """What the running platform of `data` said about itself. Raises `NotRunning` if there is none."""
    path = Path(data) / FILE
    start = f"Start it with: whitefelt demo --data {data}"
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise NotRunning(f"No Whitefelt runs on the data folder {data}. {start}") from None
    except PermissionError:
        raise NotRunning(f"The Whitefelt of the data folder {data} belongs to another user.") from None
    except ValueError:
        raise NotRunning(f"{path} is damaged. {start}") from None
    pid = int(content["pid"])
    if not is_alive(pid) or content["pid_began"] != began_at(pid):
        raise NotRunning(f"The Whitefelt of the data folder {data} (process {pid}) runs no more. {start}")
    return content


def remove(data: Path) -> None:
    """Takes back what this process wrote; a file of another process stays."""
    path = Path(data) / FILE
    try:
        written_by = json.loads(path.read_text("utf-8"))["pid"]
    except (OSError, ValueError, KeyError):
        return
    if written_by == os.getpid():
        path.unlink(missing_ok=True)

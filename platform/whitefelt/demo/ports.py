"""Ports that stay the same from start to start, as long as nobody else took them."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from whitefelt.kernel.embedded.folder import write_private
from whitefelt.supervisor import StartFailed

NAMES = ("studio", "psp", "eid", "mail", "smtp")
DEFAULT_WEB = 8000


def choose(data: Path, wanted: int | None) -> dict[str, int]:
    """A port for `web` and for each sandbox vendor; StartFailed when the wanted web port is taken."""
    path = data / "ports.json"
    known: dict[str, int] = json.loads(path.read_text()) if path.is_file() else {}
    chosen: dict[str, int] = {}
    if wanted is not None:
        if not _free(wanted):
            raise StartFailed(f"The port {wanted} is taken by another program: choose another with --port.")
        chosen["web"] = wanted
    else:
        chosen["web"] = _first_free(known.get("web", DEFAULT_WEB), set())
    for name in NAMES:
        chosen[name] = _first_free(known.get(name, 0), set(chosen.values()))
    write_private(path, json.dumps(chosen))
    return chosen


def _first_free(preferred: int, taken: set[int]) -> int:
    if preferred and preferred not in taken and _free(preferred):
        return preferred
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

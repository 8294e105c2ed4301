"""What can go wrong with a server that we run ourselves."""

from __future__ import annotations

from pathlib import Path


class ServerFailed(RuntimeError):
    """A server of our own did not start or cannot be used; the message is a sentence for the operator."""


def log_tail(log: Path, from_byte: int = 0, lines: int = 15) -> str:
    """The last `lines` lines that the server wrote to `log` after position `from_byte`."""
    try:
        with log.open("rb") as stream:
            stream.seek(from_byte)
            written = stream.read().decode("utf-8", "replace")
    except OSError as error:
        return f"(no log: {error})"
    tail = written.splitlines()[-lines:]
    return "\n".join(f"    {line}" for line in tail) if tail else "    (the server wrote nothing)"

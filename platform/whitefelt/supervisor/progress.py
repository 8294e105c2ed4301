"""What the operator sees on standard error: a line per part that says how far it is, and what the parts print.

All drawing is done by one thread from a bounded queue, so that a terminal that was stopped never stops the platform;
what does not fit is dropped and counted (the log files have it all).
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.table import Table

QUEUED_LINES = 5000
CLOSE_SECONDS = 1.0

WAITING, STARTING, READY, DONE = "waiting", "starting", "ready", "done"
RESTARTING, STOPPING, STOPPED, ENDED, FAILED = "restarting", "stopping", "stopped", "ended", "failed"

STYLES = {READY: "green", DONE: "green", STARTING: "yellow", RESTARTING: "red", FAILED: "bold red"}
PREFIX_STYLES = ("cyan", "magenta", "blue", "green", "yellow")


class Face(Protocol):
    """One way to show things."""

    def state(self, name: str, state: str, detail: str) -> None:
        """Shows that a part is in this state."""

    def line(self, name: str, text: str) -> None:
        """Shows a line that a part printed."""

    def settle(self) -> None:
        """Ends what moves; what follows is plain lines."""


class PlainFace:
    """One line per event: for logs, pipes and tests."""

    def __init__(self, stream: TextIO, names: Sequence[str]) -> None:
        self._stream = stream
        self._width = max(map(len, names), default=0)

    def state(self, name: str, state: str, detail: str) -> None:
        """Shows that a part is in this state."""
        if state != WAITING:
            self.line(name, f"* {state}{f' ({detail})' if detail else ''}")

    def line(self, name: str, text: str) -> None:
        """Shows a line that a part printed."""
        self._stream.write(f"{name:<{self._width}} | {text}\n")
        self._stream.flush()

    def settle(self) -> None:
        """Nothing moves here."""


class LiveFace:
    """A table that is drawn anew in place while things start; lines of the parts pass above it."""

    def __init__(self, stream: TextIO, names: Sequence[str]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=stream)
        self._states = {name: (WAITING, "", time.monotonic()) for name in names}
        self._width = max(map(len, names), default=0)
        self._live: Live | None = Live(
            get_renderable=self._table, console=self._console, refresh_per_second=8, redirect_stderr=False,
            redirect_stdout=False,
        )  # fmt: skip
        self._live.start()

    def state(self, name: str, state: str, detail: str) -> None:
        """Shows that a part is in this state."""
        self._states[name] = (state, detail, time.monotonic())
        if self._live is None:
            self._print(name, f"{state}{f' ({detail})' if detail else ''}", STYLES.get(state, "dim"))

    def line(self, name: str, text: str) -> None:
        """Shows a line that a part printed."""
        self._print(name, text, "")

    def settle(self) -> None:
        """Leaves the table as it is; what follows is plain lines."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print(self, name: str, text: str, style: str) -> None:
        from rich.text import Text

        position = list(self._states).index(name) if name in self._states else 0
        prefix = (f"{name:<{self._width}} | ", PREFIX_STYLES[position % len(PREFIX_STYLES)])
        self._console.print(Text.assemble(prefix, (text, style)), soft_wrap=True)

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for name, (state, detail, since) in self._states.items():
            if state in (STARTING, RESTARTING):
                detail = detail or f"{time.monotonic() - since:.0f} s"
            sign = {READY: "✓", DONE: "✓", FAILED: "✗", WAITING: "·"}.get(state, "…")
            style = STYLES.get(state, "dim")
            table.add_row(Text(sign, style), Text(name), Text(state, style), Text(detail, "dim"))
        return table


class Display:
    """The one thing that writes to the operator; every method returns at once and may be called from any thread."""

    def __init__(self, names: Sequence[str], *, echo: bool = True, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._names, self._echo = list(names), echo
        self._queue: queue.Queue[Callable[[Face], None] | None] = queue.Queue(QUEUED_LINES)
        self._dropped = 0
        self._thread = threading.Thread(target=self._draw, name="display", daemon=True)
        self._thread.start()

    def state(self, name: str, state: str, detail: str = "") -> None:
        """A part is in this state now."""
        self._put(lambda face: face.state(name, state, detail))

    def line(self, name: str, text: str) -> None:
        """A part printed a line; shown unless the display is told not to echo."""
        if self._echo:
            self._put(lambda face: face.line(name, text))

    def say(self, name: str, text: str) -> None:
        """A line of the supervisor's own about a part; always shown."""
        self._put(lambda face: face.line(name, text))

    def settle(self) -> None:
        """Everything is up (or is coming down): end the moving part, and wait until what was said is on the screen."""
        settled = threading.Event()

        def end(face: Face) -> None:
            face.settle()
            settled.set()

        self._put(end)
        settled.wait(CLOSE_SECONDS)

    def close(self) -> None:
        """Shows what is left, waiting a second at the most."""
        self.settle()
        with suppress(queue.Full):
            self._queue.put_nowait(None)
        self._thread.join(CLOSE_SECONDS)

    def _put(self, action: Callable[[Face], None]) -> None:
        try:
            self._queue.put_nowait(action)
        except queue.Full:
            self._dropped += 1

    def _draw(self) -> None:
        kind = LiveFace if self._stream.isatty() else PlainFace
        try:
            face: Face = kind(self._stream, self._names)
            while (action := self._queue.get()) is not None:
                action(face)
                dropped, self._dropped = self._dropped, 0
                if dropped:
                    face.line("", f"({dropped} lines not shown; see the log files)")
        except (OSError, ValueError):
            # The terminal is gone or closed. The platform goes on; its log files have everything.
            self._echo = False

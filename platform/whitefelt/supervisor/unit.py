"""The life of one part: wait for what it needs, start, watch, start again after a crash, end after its dependents."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import progress
from .bodies import Body
from .rules import pause_seconds
from .specs import ProcessSpec, Spec, TaskSpec

START_ATTEMPTS = 3
HEALTHY_AFTER_SECONDS = 60.0
TASK_PATIENCE_SECONDS = 3.0


@dataclass
class Deadlines:
    """By when, on the monotonic clock, programs and servers must have ended. Moved forward by impatience."""

    processes_at: float = float("inf")
    servers_at: float = float("inf")


class Unit(threading.Thread):
    """One part with a thread of its own."""

    def __init__(
        self,
        spec: Spec,
        body: Body,
        *,
        stopping: threading.Event,
        deadlines: Deadlines,
        display: progress.Display,
        on_ready: Callable[[], None],
        on_failure: Callable[[str], None],
    ) -> None:
        super().__init__(name=f"unit-{spec.name}", daemon=True)
        self.spec, self.body = spec, body
        self.ready, self.stopped = threading.Event(), threading.Event()
        self.needs: Sequence[Unit] = ()
        self.dependents: Sequence[Unit] = ()
        self._stopping, self._deadlines, self._display = stopping, deadlines, display
        self._on_ready, self._on_failure = on_ready, on_failure

    def run(self) -> None:
        """The whole life."""
        try:
            self._live()
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
        self._stopping.wait()
        try:
            self._wind_down()
        finally:
            self.stopped.set()

    def _live(self) -> None:
        self._state(progress.WAITING)
        for need in self.needs:
            while not need.ready.wait(0.05):
                if self._stopping.is_set():
                    return
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            trouble = self._one_life(began)
            if trouble is None or self._stopping.is_set():
                return
            failures = 1 if time.monotonic() - began > HEALTHY_AFTER_SECONDS else failures + 1
            if not self._worth_another_try(failures):
                self._fail(trouble)
                return
            pause = pause_seconds(failures)
            self._state(progress.RESTARTING, f"in {pause:g} s")
            self._display.say(self.spec.name, trouble)
            self._stopping.wait(pause)

    def _worth_another_try(self, failures: int) -> bool:
        """A part that was up once is always started again; one that never was only if trying may help."""
        if isinstance(self.spec, TaskSpec) or not self.spec.restart:
            return False
        if self.ready.is_set():
            return True
        # A server's own start function has tried already what can be tried.
        return isinstance(self.spec, ProcessSpec) and failures < START_ATTEMPTS

    def _one_life(self, began: float) -> str | None:
        """One start and what follows; returns what went wrong, or None if nothing did."""
        self._state(progress.STARTING)
        try:
            self.body.start()
        except Exception as error:
            return str(error)
        if self._stopping.is_set():
            return None
        state = progress.DONE if isinstance(self.spec, TaskSpec) else progress.READY
        self._state(state, f"{time.monotonic() - began:.1f} s")
        if not self.ready.is_set():
            self.ready.set()
            self._on_ready()
        return self.body.watch()

    def _wind_down(self) -> None:
        for dependent in self.dependents:
            patience = max(self._deadlines.processes_at - time.monotonic(), 0.0) + 1.0
            if isinstance(dependent.spec, TaskSpec):
                # A step in our own process cannot be ended from outside; it fails when what it uses is taken away.
                patience = min(patience, TASK_PATIENCE_SECONDS)
            dependent.stopped.wait(patience)
        if isinstance(self.spec, TaskSpec):
            return
        self._state(progress.STOPPING)
        own = isinstance(self.spec, ProcessSpec)
        ends_at = self._deadlines.processes_at if own else self._deadlines.servers_at
        self.body.stop(min(self.spec.stop_after_seconds, max(ends_at - time.monotonic(), 0.0)))
        self._state(progress.STOPPED)

    def _fail(self, trouble: str) -> None:
        self._state(progress.FAILED)
        self._on_failure(f"{self.spec.name} {trouble}")

    def _state(self, state: str, detail: str = "") -> None:
        self._display.state(self.spec.name, state, detail)

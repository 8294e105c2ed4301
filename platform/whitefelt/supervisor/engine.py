"""The supervisor: starts the parts, keeps them running, ends them all, and leaves nothing behind."""

from __future__ import annotations

import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self, TextIO

from . import runtime
from .bodies import MARKER, Body, ProcessBody, ServiceBody, Setting, TaskBody
from .errors import StartFailed
from .folder import fresh_log, take_folder
from .guardian import belonging, kill_all
from .progress import Display
from .rules import check_plan, dependents_of
from .specs import ProcessSpec, ServiceSpec, Spec, TaskSpec
from .unit import TASK_PATIENCE_SECONDS, Deadlines, Unit

GUARDIAN = Path(__file__).with_name("guardian.py")

# Ten seconds in all: programs first, then the servers that they use, then whatever still lives.
PROCESSES_END_WITHIN_SECONDS = 6.0
SERVERS_END_WITHIN_SECONDS = 7.0
ALL_END_WITHIN_SECONDS = 9.0


class Supervisor:
    """Runs parts on one data folder. Use as a context manager: leaving it ends everything.

    `echo` shows what the parts print; the log files in `data`/logs have it anyway. Entering raises `AlreadyRunning`
    if another supervisor holds the folder, `BadPlan` if the parts contradict one another.
    """

    def __init__(self, data: Path, specs: Sequence[Spec], *, echo: bool = True, stream: TextIO | None = None) -> None:
        self.data, self._specs = Path(data).absolute(), list(specs)
        self._echo, self._stream = echo, stream
        self._token = secrets.token_hex(12)
        self._events: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._deadlines = Deadlines()
        self._units: dict[str, Unit] = {}
        self._guardian_lock = threading.Lock()
        self._charge: list[str] = [f"marker {MARKER}={self._token}:"]

    def __enter__(self) -> Self:
        check_plan(self._specs)
        self._lock = take_folder(self.data)
        self._guardian_log = fresh_log(self.data, "guardian")
        self._guardian = self._start_guardian()
        self.display = Display([spec.name for spec in self._specs], echo=self._echo, stream=self._stream)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        runtime.remove(self.data)
        self._dismiss_guardian()
        self.display.close()
        os.close(self._lock)

    def start(self) -> None:
        """Starts all parts, each as soon as what it needs is ready; returns at once."""
        for spec in self._specs:
            self._units[spec.name] = self._unit(spec)
        for name, unit in self._units.items():
            unit.needs = [self._units[needed] for needed in unit.spec.depends_on]
            unit.dependents = [self._units[other] for other in dependents_of(name, self._specs)]
        for unit in self._units.values():
            unit.start()

    def run(self, on_ready: Callable[[], object] | None = None) -> None:
        """Starts all, calls `on_ready` once everything is up, and returns after SIGINT, SIGTERM or SIGHUP.

        Everything has ended when it returns or raises. A second signal ends the patience. Call it from the main
        thread. Raises `StartFailed` with the reason when a part does not come up or ends for good.
        """
        handlers = {number: signal.signal(number, self._note_signal) for number in _END_SIGNALS}
        try:
            self.start()
            if self._wait(lambda: all(unit.ready.is_set() for unit in self._units.values())):
                self.display.settle()
                if on_ready is not None:
                    on_ready()
                self._wait(self._stopping.is_set)
        finally:
            self.stop()
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Ends all parts, dependents first, within ten seconds; does nothing the second time."""
        if self._stopping.is_set():
            return
        now = time.monotonic()
        self._deadlines.processes_at = now + PROCESSES_END_WITHIN_SECONDS
        self._deadlines.servers_at = now + SERVERS_END_WITHIN_SECONDS
        self._stopping.set()
        self.display.settle()
        ends_at = now + ALL_END_WITHIN_SECONDS
        while time.monotonic() < ends_at and self._still_ending(now):
            if self._signalled_again():
                self.display.say("", "Second signal: killing what is left.")
                self._kill_processes()
            time.sleep(0.03)
        self._kill_processes()

    def _still_ending(self, since: float) -> bool:
        """Whether to wait on. A step in our own process cannot be ended: after a while we leave in spite of it."""
        waiting = [unit.spec for unit in self._units.values() if not unit.stopped.is_set()]
        patient = time.monotonic() < since + TASK_PATIENCE_SECONDS
        return (patient and bool(waiting)) or any(not isinstance(spec, TaskSpec) for spec in waiting)

    def _unit(self, spec: Spec) -> Unit:
        setting = Setting(
            token=self._token,
            log=fresh_log(self.data, spec.name),
            stopping=self._stopping,
            show=lambda line: self.display.line(spec.name, line),
            tell_guardian=self._tell_guardian,
        )
        body: Body
        if isinstance(spec, ProcessSpec):
            body = ProcessBody(spec, setting)
        elif isinstance(spec, ServiceSpec):
            body = ServiceBody(spec, setting)
        else:
            body = TaskBody(spec, setting)
        return Unit(
            spec,
            body,
            stopping=self._stopping,
            deadlines=self._deadlines,
            display=self.display,
            on_ready=lambda: self._events.put(("ready", spec.name)),
            on_failure=lambda trouble: self._events.put(("failed", trouble)),
        )

    def _wait(self, condition: Callable[[], bool]) -> bool:
        """Handles events until `condition` holds (true) or a signal asks for the end (false)."""
        while not condition():
            try:
                kind, what = self._events.get(timeout=1.0)
            except queue.Empty:
                self._check_guardian()
                continue
            if kind == "failed":
                raise StartFailed(what)
            if kind == "signal":
                return False
        return True

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        # A SimpleQueue may be used within a signal handler; an Event or a Queue might deadlock there.
        self._events.put(("signal", str(number)))

    def _signalled_again(self) -> bool:
        with suppress(queue.Empty):
            while True:
                if self._events.get_nowait()[0] == "signal":
                    return True
        return False

    def _kill_processes(self) -> None:
        kill_all(lambda: belonging(f"{MARKER}={self._token}:", ()), 0.5)

    def _start_guardian(self) -> subprocess.Popen[bytes]:
        """Starts the guardian, which shares the folder's lock, and tells it what there is so far."""
        log = os.open(self._guardian_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            guardian = subprocess.Popen(
                [sys.executable, "-I", "-S", str(GUARDIAN)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                pass_fds=(self._lock,),
            )
        finally:
            os.close(log)
        _send_lines(guardian.stdin, self._charge)
        return guardian

    def _tell_guardian(self, line: str) -> None:
        with self._guardian_lock:
            self._charge.append(line)
            _send_lines(self._guardian.stdin, [line])

    def _check_guardian(self) -> None:
        with self._guardian_lock:
            if self._guardian.poll() is not None:
                self._guardian = self._start_guardian()

    def _dismiss_guardian(self) -> None:
        self._tell_guardian("bye")
        if self._guardian.stdin is not None:
            with suppress(OSError):
                self._guardian.stdin.close()
        try:
            self._guardian.wait(3.0)
        except subprocess.TimeoutExpired:
            self._guardian.kill()
            self._guardian.wait()


_END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _send_lines(stream: IO[bytes] | None, lines: Sequence[str]) -> None:
    """Writes to the guardian; one that was killed is noticed and replaced elsewhere."""
    if stream is not None:
        with suppress(OSError, ValueError):
            stream.write("".join(f"{line}\n" for line in lines).encode())
            stream.flush()

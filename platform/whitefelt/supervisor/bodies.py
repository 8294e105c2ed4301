"""How each kind of part is brought up, watched and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from whitefelt.kernel.embedded.spawn import spawn

from .errors import StartFailed
from .guardian import belonging, kill_all
from .probe import is_ready
from .specs import ProcessSpec, Server, ServiceSpec, TaskSpec

MARKER = "WHITEFELT_SUPERVISED"
TAIL_LINES = 15
LONGEST_LINE_BYTES = 65_536
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Setting:
    """What a part needs of its surroundings."""

    token: str
    log: Path
    stopping: threading.Event
    show: Callable[[str], None]
    tell_guardian: Callable[[str], None]


class Body(Protocol):
    """A part that can be brought up, perhaps several times, and ended."""

    def start(self) -> None:
        """Brings it up and returns when it is ready, or when all is to stop. Raises when it cannot be."""

    def watch(self) -> str | None:
        """Returns None when all is to stop or there is nothing to watch; a sentence when it ended by itself."""

    def stop(self, patience_seconds: float) -> None:
        """Ends it and all that it started; by force after `patience_seconds`."""


class Log:
    """The log file of a part, the last lines of it in memory, and the operator's screen."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        handle = os.open(setting.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(handle, "a", encoding="utf-8", buffering=1)
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)

    def line(self, text: str) -> None:
        """Takes one line."""
        # A full disk must not end the part whose output we read.
        with suppress(OSError):
            self._file.write(text + "\n")
        self._tail.append(text)
        self._setting.show(text)

    def sentence(self, what: str) -> str:
        """`what`, followed by the last lines and where the rest is."""
        lines = "".join(f"\n    {line}" for line in list(self._tail))
        self._tail.clear()
        return f"{what}. Log: {self._setting.log}{lines}"


class ProcessBody:
    """A program of its own session; when it is gone, whatever it left behind is killed."""

    def __init__(self, spec: ProcessSpec, setting: Setting) -> None:
        self._spec, self._setting, self._log = spec, setting, Log(setting)
        self._marker = f"{MARKER}={setting.token}:{spec.name};"
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Starts the program and waits for its readiness."""
        self._process = process = self._spawn()
        self._setting.tell_guardian(f"session {process.pid}")
        give_up = time.monotonic() + self._spec.ready_within_seconds
        while not self._setting.stopping.is_set():
            if process.poll() is not None:
                raise StartFailed(self._describe_end(process))
            if self._spec.ready is None or is_ready(self._spec.ready):
                return
            if time.monotonic() > give_up:
                self.stop(1.0)
                raise StartFailed(self._log.sentence(f"was not ready within {self._spec.ready_within_seconds:.0f} s"))
            self._setting.stopping.wait(POLL_SECONDS)

    def watch(self) -> str | None:
        """Waits for the program's end or ours."""
        process = self._process
        while process is not None and not self._setting.stopping.is_set():
            try:
                process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return self._describe_end(process)
        return None

    def stop(self, patience_seconds: float) -> None:
        """Asks the program to end; kills it and its descendants after `patience_seconds`."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(self._spec.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(patience_seconds, 0.0))
        if process.poll() is None:
            self._log.line(f"(did not end within {patience_seconds:.1f} s and was killed)")
        self._sweep(process)

    def _spawn(self) -> subprocess.Popen[bytes]:
        spec = self._spec
        argv = spec.argv() if callable(spec.argv) else spec.argv
        added = spec.env() if callable(spec.env) else spec.env
        name, _, value = self._marker.partition("=")
        reading, writing = os.pipe()
        try:
            process = spawn(
                argv,
                env={"PYTHONUNBUFFERED": "1", **os.environ, **added, name: value},
                chdir=spec.chdir,
                death_signal=spec.stop_signal,
                output=writing,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        stream = os.fdopen(reading, "rb")
        self._reader = threading.Thread(target=self._read, args=(stream,), name=f"log-{spec.name}", daemon=True)
        self._reader.start()
        return process

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for raw in iter(lambda: stream.readline(LONGEST_LINE_BYTES), b""):
                self._log.line(raw.decode("utf-8", "replace").rstrip("\r\n"))

    def _describe_end(self, process: subprocess.Popen[bytes]) -> str:
        status = process.wait()
        self._sweep(process)
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        return self._log.sentence(how)

    def _sweep(self, process: subprocess.Popen[bytes]) -> None:
        """Kills what is left of the session and reads its last words."""
        kill_all(lambda: belonging(self._marker, {process.pid}))
        process.wait()
        self._setting.tell_guardian(f"gone {process.pid}")
        if self._reader is not None:
            self._reader.join(1.0)
        self._process = None


class ServiceBody:
    """A server that its own code starts and ends."""

    def __init__(self, spec: ServiceSpec, setting: Setting) -> None:
        self._spec, self._setting = spec, setting
        self._server: Server | None = None

    def start(self) -> None:
        """Calls the start function."""
        self._server = server = self._spec.start()
        self._setting.tell_guardian(f"server {server.pid}")

    def watch(self) -> str | None:
        """Waits for the server's end or ours."""
        server = self._server
        while server is not None and server.is_running():
            if self._setting.stopping.wait(POLL_SECONDS):
                return None
        if server is not None:
            self._setting.tell_guardian(f"gone {server.pid}")
        return None if self._setting.stopping.is_set() else "ended by itself"

    def stop(self, patience_seconds: float) -> None:
        """Ends the server in good order."""
        if self._server is not None:
            self._server.stop(max(patience_seconds, 0.0))
            self._setting.tell_guardian(f"gone {self._server.pid}")


class TaskBody:
    """A step that is done once, in our own process."""

    def __init__(self, spec: TaskSpec, setting: Setting) -> None:
        self._spec, self._log = spec, Log(setting)

    def start(self) -> None:
        """Does the step; the log keeps the whole story of a failure."""
        try:
            self._spec.run(self._log.line)
        except Exception as error:
            story = traceback.format_exc().rstrip().splitlines()
            for line in story:
                self._log.line(line)
            raise StartFailed(f"failed: {error}") from error

    def watch(self) -> str | None:
        """There is nothing to watch."""
        return None

    def stop(self, patience_seconds: float) -> None:
        """There is nothing to end."""

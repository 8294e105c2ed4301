"""A supervisor in a process of its own, with real children, for the tests to end and to kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import whitefelt.supervisor

SOURCES = Path(whitefelt.supervisor.__file__).parents[2]

# The children. Each writes its pid, and that of its grandchildren, into a folder that the test looks at.
CHILD = """
import os, signal, subprocess, sys, time
from pathlib import Path
folder, name, *ways = sys.argv[1:]
def note(kind, pid):
    path = Path(folder, kind)
    path.with_suffix(".new").write_text(str(pid))
    path.with_suffix(".new").rename(path)
if "stubborn" in ways:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if "family" in ways:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    sleeper = [sys.executable, "-c", deaf]
    note(name + "-plain", subprocess.Popen(sleeper).pid)
    note(name + "-group", subprocess.Popen(sleeper, process_group=0).pid)
    note(name + "-session", subprocess.Popen(sleeper, start_new_session=True).pid)
print("hello from", name, flush=True)
print("trouble of", name, file=sys.stderr, flush=True)
if "slow" in ways:
    time.sleep(0.7)
if "web" in ways:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
        def log_message(self, *args):
            pass
    server = HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page)
    note(name, os.getpid())
    server.serve_forever()
note(name, os.getpid())
if "fail" in ways:
    sys.exit(3)
while True:
    time.sleep(600)
"""

# A program around the supervisor, as the demo is: it says when everything is ready, then runs until it is told.
PROGRAM = """
import sys
from pathlib import Path
from whitefelt.kernel.embedded import start_postgres
from whitefelt.supervisor import AlreadyRunning, ProcessSpec, ServiceSpec, StartFailed, Supervisor, TaskSpec
from whitefelt.supervisor import runtime
data, folder, child = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def part(name, *ways, **more):
    return ProcessSpec(name, [sys.executable, "-c", child, folder, name, *ways], **more)
def file_of(name):
    return lambda: Path(folder, name).exists()
def ready():
    runtime.write(data, {"answer": 42})
    print("READY", flush=True)
try:
    with Supervisor(data, eval(sys.argv[4])) as supervisor:
        supervisor.run(ready)
except AlreadyRunning as refusal:
    print("REFUSED", refusal, flush=True)
    sys.exit(4)
except StartFailed as failure:
    print("FAILED", failure, flush=True)
    sys.exit(5)
"""


class Program:
    """A supervisor in a process of its own."""

    def __init__(self, data: Path, folder: Path, plan: str) -> None:
        self.data, self.folder = data, folder
        self.errors = folder / f"stderr-{time.monotonic_ns()}"
        with self.errors.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(data), str(folder), CHILD, plan],
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCES), *sys.path])},
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
            )

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def pid_of(self, name: str) -> int:
        return int((self.folder / name).read_text())

    def end(self, number: int = signal.SIGTERM) -> float:
        """Sends the signal and waits; returns the seconds until the process is gone."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(20)
        return time.monotonic() - began

    @staticmethod
    def is_alive(pid: int) -> bool:
        """Whether the process lives; one that only waits to be collected does not."""
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return state not in "ZX"

    def any_alive(self, *names: str) -> bool:
        """Whether any of the children with these names lives."""
        return any(self.is_alive(self.pid_of(name)) for name in names)

    def all_alive(self, *names: str) -> bool:
        """Whether all of the children with these names live."""
        return all(self.is_alive(self.pid_of(name)) for name in names)

    @staticmethod
    def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
        """Waits for `condition`, at most `seconds`."""
        give_up = time.monotonic() + seconds
        while not condition() and time.monotonic() < give_up:
            time.sleep(0.05)
        return condition()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts programs on one data folder (or on `data`) and ends those that still run."""
    made: list[Program] = []
    folder = tmp_path / "pids"
    folder.mkdir()

    def start(plan: str, data: Path | None = None) -> Program:
        made.append(Program(data or tmp_path / "data", folder, plan))
        return made[-1]

    yield start
    for program in made:
        if program.process.poll() is None:
            program.end()
        assert program.process.stdout is not None
        program.process.stdout.close()

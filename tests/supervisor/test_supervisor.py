"""The supervisor with real processes: order, readiness, crashes, the end, and what happens when it is killed."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import whitefelt.supervisor
from whitefelt.supervisor import BadPlan, NotRunning, ProcessSpec, Supervisor, TaskSpec, runtime

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
    sleeper = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"]
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

# A program around the supervisor, as the demo is: it says when everything is ready and then runs until it is told.
PROGRAM = """
import sys
from pathlib import Path
from whitefelt.supervisor import AlreadyRunning, ProcessSpec, StartFailed, Supervisor, TaskSpec, runtime
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


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    made: list[Program] = []
    folder = tmp_path / "pids"
    folder.mkdir()

    def start(plan: str) -> Program:
        made.append(Program(tmp_path / "data", folder, plan))
        return made[-1]

    yield start
    for program in made:
        if program.process.poll() is None:
            program.end()
        assert program.process.stdout is not None
        program.process.stdout.close()


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.05)
    return condition()


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


FAMILY = ("one", "one-plain", "one-group", "one-session")


def test_order_and_readiness(launch: Callable[..., Program]) -> None:
    port = free_port()
    program = launch(f"""[
        part("last", depends_on=["step"], ready=file_of("last")),
        TaskSpec("step", lambda say: say("first there: " + str(Path(folder, "first").exists())), depends_on=["first"]),
        part("first", "slow", "web", env={{"PORT": "{port}"}}, ready="http://x.localhost:{port}/any?q=1"),
        part("aside", ready=file_of("aside")),
    ]""")
    assert program.says() == "READY"
    shown = program.errors.read_text().splitlines()
    events = [line.split("(")[0].replace("|", "").split() for line in shown if "| * " in line]
    order = [
        ["first", "*", "starting"],
        ["first", "*", "ready"],
        ["step", "*", "done"],
        ["last", "*", "starting"],
        ["last", "*", "ready"],
    ]
    assert [event for event in events if event in order] == order
    # What depends on nothing does not wait for the slow one.
    assert events.index(["aside", "*", "ready"]) < events.index(["first", "*", "ready"])
    assert any("first there: True" in line for line in shown)
    pids = [program.pid_of(name) for name in ("first", "last", "aside")]
    assert all(map(is_alive, pids))
    assert program.end() < 10
    assert program.process.returncode == 0
    assert not any(map(is_alive, pids))
    shown = program.errors.read_text().splitlines()
    stops = [line.split()[0] for line in shown if "| * stopped" in line]
    assert stops.index("last") < stops.index("first")


def test_output_goes_to_screen_and_log(launch: Callable[..., Program]) -> None:
    for _ in range(2):
        program = launch('[part("one", ready=file_of("one"))]')
        assert program.says() == "READY"
        program.end(signal.SIGINT)
        assert program.process.returncode == 0
        shown = program.errors.read_text()
        assert "one | hello from one" in shown
        assert "one | trouble of one" in shown
        (program.folder / "one").unlink()
    logs = program.data / "logs"
    for name in ("one.log", "one.log.1"):
        assert (logs / name).read_text() == "hello from one\ntrouble of one\n"
        assert stat.S_IMODE((logs / name).stat().st_mode) == 0o600
    assert not (logs / "one.log.2").exists()


def test_crashed_part_is_started_again(launch: Callable[..., Program]) -> None:
    program = launch('[part("one", "family", ready=file_of("one"))]')
    assert program.says() == "READY"
    family = [program.pid_of(name) for name in FAMILY]
    (program.folder / "one").unlink()
    os.kill(family[0], signal.SIGKILL)
    assert wait_until(lambda: (program.folder / "one").exists(), 10)
    assert program.pid_of("one") != family[0]
    assert wait_until(lambda: program.errors.read_text().count("* ready") == 2, 5)
    shown = program.errors.read_text()
    assert "one | was ended by SIGKILL" in shown
    assert "* restarting (in 0.5 s)" in shown
    # What the dead one had started was ended with it: it could hold a port, or work twice.
    assert not any(map(is_alive, family))
    assert program.end() < 10


def test_part_that_never_starts_ends_everything(launch: Callable[..., Program]) -> None:
    program = launch('[part("good", ready=file_of("good")), part("bad", "fail", ready=lambda: False)]')
    said = program.says()
    assert said.startswith("FAILED bad ended with status 3")
    assert program.process.wait(15) == 5
    assert "trouble of bad" in program.errors.read_text()
    assert not is_alive(program.pid_of("good"))


def test_part_that_is_not_ready_in_time(launch: Callable[..., Program]) -> None:
    program = launch('[part("one", ready=lambda: False, ready_within_seconds=0.5, restart=False)]')
    assert program.says().startswith("FAILED one was not ready within 0 s")
    assert program.process.wait(15) == 5
    assert not is_alive(program.pid_of("one"))


def test_failed_step_is_told(launch: Callable[..., Program]) -> None:
    program = launch('[TaskSpec("step", lambda say: 1 // 0), part("one", depends_on=["step"])]')
    assert program.says() == "FAILED step failed: integer division or modulo by zero"
    assert program.process.wait(15) == 5
    assert "ZeroDivisionError" in (program.data / "logs" / "step.log").read_text()
    assert not (program.folder / "one").exists()


def test_stubborn_parts_end_within_ten_seconds(launch: Callable[..., Program]) -> None:
    program = launch("""[
        part("one", "stubborn", "family", ready=file_of("one")),
        part("two", "stubborn", ready=file_of("two"), depends_on=["one"]),
        part("three", "stubborn", ready=file_of("three"), depends_on=["two"]),
    ]""")
    assert program.says() == "READY"
    pids = [program.pid_of(name) for name in (*FAMILY, "two", "three")]
    assert all(map(is_alive, pids))
    seconds = program.end()
    assert 4 < seconds < 10
    assert not any(map(is_alive, pids))
    assert "was killed" in program.errors.read_text()


def test_second_signal_ends_the_patience(launch: Callable[..., Program]) -> None:
    program = launch('[part("one", "stubborn", ready=file_of("one"))]')
    assert program.says() == "READY"
    program.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert program.process.poll() is None
    assert program.end(signal.SIGINT) < 3
    assert not is_alive(program.pid_of("one"))


def test_signal_while_starting(launch: Callable[..., Program]) -> None:
    program = launch('[part("one", ready=lambda: False)]')
    assert wait_until(lambda: (program.folder / "one").exists(), 10)
    assert program.end() < 10
    assert program.says() == ""
    assert not is_alive(program.pid_of("one"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_killed_supervisor_leaves_nothing(launch: Callable[..., Program]) -> None:
    plan = """[
        part("one", "stubborn", "family", ready=file_of("one")),
        part("two", ready=file_of("two")),
    ]"""
    program = launch(plan)
    assert program.says() == "READY"
    pids = [program.pid_of(name) for name in (*FAMILY, "two")]
    assert all(map(is_alive, pids))
    program.process.kill()
    program.process.wait()
    assert wait_until(lambda: not any(map(is_alive, pids)), 8), [pid for pid in pids if is_alive(pid)]
    with pytest.raises(NotRunning, match="runs no more"):
        runtime.read(program.data)
    for name in (*FAMILY, "two"):
        (program.folder / name).unlink()
    # The next one waits until the guardian of the killed one is through, then runs.
    again = launch(plan)
    assert again.says() == "READY"
    assert runtime.read(again.data)["pid"] == again.process.pid


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_killed_guardian_is_replaced(launch: Callable[..., Program]) -> None:
    program = launch('[part("one", "stubborn", "family", ready=file_of("one"))]')
    assert program.says() == "READY"

    def guardians() -> list[int]:
        children = (
            Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children").read_text().split()
        )
        return [
            pid for pid in map(int, children) if b"guardian.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

    (first,) = guardians()
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: bool(guardians()) and guardians() != [first], 5)
    pids = [program.pid_of(name) for name in FAMILY]
    program.process.kill()
    program.process.wait()
    assert wait_until(lambda: not any(map(is_alive, pids)), 8)


def test_second_supervisor_is_refused(launch: Callable[..., Program]) -> None:
    first = launch('[part("one", ready=file_of("one"))]')
    assert first.says() == "READY"
    second = launch('[part("two", ready=file_of("two"))]')
    said = second.says()
    assert said.startswith("REFUSED Whitefelt already runs on the data folder")
    assert f"(process {first.process.pid})" in said
    assert second.process.wait(10) == 4
    assert is_alive(first.pid_of("one"))
    assert not (second.folder / "two").exists()
    first.end()
    third = launch('[part("two", ready=file_of("two"))]')
    assert third.says() == "READY"


def test_runtime_file(launch: Callable[..., Program], tmp_path: Path) -> None:
    data = tmp_path / "data"
    with pytest.raises(NotRunning, match=f"No Whitefelt runs on the data folder {data}"):
        runtime.read(data)
    program = launch('[part("one", ready=file_of("one"))]')
    assert program.says() == "READY"
    found = runtime.read(data)
    assert (found["answer"], found["pid"]) == (42, program.process.pid)
    assert stat.S_IMODE((data / "runtime.json").stat().st_mode) == 0o600
    program.end()
    with pytest.raises(NotRunning):
        runtime.read(data)


def test_runtime_file_of_a_reused_pid(tmp_path: Path) -> None:
    runtime.write(tmp_path, {"answer": 42})
    assert runtime.read(tmp_path)["answer"] == 42
    path = tmp_path / "runtime.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid_began": "1"}))
    with pytest.raises(NotRunning, match="runs no more"):
        runtime.read(tmp_path)


@pytest.mark.parametrize(
    ("specs", "sentence"),
    [
        ([ProcessSpec("a", ["true"]), ProcessSpec("a", ["true"])], "Two parts are called a"),
        ([ProcessSpec("a", ["true"], depends_on=["b"])], "a depends on b, which is not"),
        (
            [ProcessSpec("a", ["true"], depends_on=["b"]), TaskSpec("b", print, depends_on=["a"])],
            "in a circle: a, b",
        ),
        ([ProcessSpec("../a", ["true"])], "is no name for a part"),
    ],
)
def test_unsound_plan_is_refused(tmp_path: Path, specs: list[ProcessSpec | TaskSpec], sentence: str) -> None:
    with pytest.raises(BadPlan, match=sentence), Supervisor(tmp_path, specs):
        pass
    assert not (tmp_path / "supervisor.lock").exists()

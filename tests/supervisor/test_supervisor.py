"""The supervisor with real processes: order, readiness, crashes, and the end."""

from __future__ import annotations

import os
import signal
import socket
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from whitefelt.supervisor import BadPlan, ProcessSpec, Supervisor, TaskSpec

Launch = Callable[..., Any]
FAMILY = ("one", "one-plain", "one-group", "one-session")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_order_and_readiness(launch: Launch) -> None:
    port = free_port()
    program = launch(f"""[
        part("last", depends_on=["step"], ready=file_of("last")),
        TaskSpec("step", lambda say: say(f"first there: {{file_of('first')()}}"), depends_on=["first"]),
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
    assert all(map(program.is_alive, pids))
    assert program.end() < 10
    assert program.process.returncode == 0
    assert not any(map(program.is_alive, pids))
    shown = program.errors.read_text().splitlines()
    stops = [line.split()[0] for line in shown if "| * stopped" in line]
    assert stops.index("last") < stops.index("first")


def test_output_goes_to_screen_and_log(launch: Launch) -> None:
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


def test_crashed_part_is_started_again(launch: Launch) -> None:
    program = launch('[part("one", "family", ready=file_of("one"))]')
    assert program.says() == "READY"
    family = [program.pid_of(name) for name in FAMILY]
    (program.folder / "one").unlink()
    os.kill(family[0], signal.SIGKILL)
    assert program.wait_until(lambda: (program.folder / "one").exists(), 10)
    assert program.pid_of("one") != family[0]
    assert program.wait_until(lambda: program.errors.read_text().count("* ready") == 2, 5)
    shown = program.errors.read_text()
    assert "one | was ended by SIGKILL" in shown
    assert "* restarting (in 0.5 s)" in shown
    # What the dead one had started was ended with it: it could hold a port, or work twice.
    assert not any(map(program.is_alive, family))
    assert program.end() < 10


def test_part_that_never_starts_ends_everything(launch: Launch) -> None:
    program = launch('[part("good", ready=file_of("good")), part("bad", "fail", ready=lambda: False)]')
    said = program.says()
    assert said.startswith("FAILED bad ended with status 3")
    assert program.process.wait(15) == 5
    assert "trouble of bad" in program.errors.read_text()
    assert not program.is_alive(program.pid_of("good"))


def test_part_that_is_not_ready_in_time(launch: Launch) -> None:
    program = launch('[part("one", ready=lambda: False, ready_within_seconds=0.5, restart=False)]')
    assert program.says().startswith("FAILED one was not ready within 0 s")
    assert program.process.wait(15) == 5
    assert not program.is_alive(program.pid_of("one"))


def test_failed_step_is_told(launch: Launch) -> None:
    program = launch('[TaskSpec("step", lambda say: 1 // 0), part("one", depends_on=["step"])]')
    assert program.says() == "FAILED step failed: integer division or modulo by zero"
    assert program.process.wait(15) == 5
    assert "ZeroDivisionError" in (program.data / "logs" / "step.log").read_text()
    assert not (program.folder / "one").exists()


def test_stubborn_parts_end_within_ten_seconds(launch: Launch) -> None:
    program = launch("""[
        part("one", "stubborn", "family", ready=file_of("one")),
        part("two", "stubborn", ready=file_of("two"), depends_on=["one"]),
        part("three", "stubborn", ready=file_of("three"), depends_on=["two"]),
    ]""")
    assert program.says() == "READY"
    pids = [program.pid_of(name) for name in (*FAMILY, "two", "three")]
    assert all(map(program.is_alive, pids))
    seconds = program.end()
    assert 4 < seconds < 10
    assert not any(map(program.is_alive, pids))
    assert "was killed" in program.errors.read_text()


def test_second_signal_ends_the_patience(launch: Launch) -> None:
    program = launch('[part("one", "stubborn", ready=file_of("one"))]')
    assert program.says() == "READY"
    program.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert program.process.poll() is None
    assert program.end(signal.SIGINT) < 3
    assert not program.is_alive(program.pid_of("one"))


def test_signal_while_starting(launch: Launch) -> None:
    program = launch('[part("one", ready=lambda: False)]')
    assert program.wait_until(lambda: (program.folder / "one").exists(), 10)
    assert program.end() < 10
    assert program.says() == ""
    assert not program.is_alive(program.pid_of("one"))


def test_signal_while_a_step_is_at_work(launch: Launch) -> None:
    program = launch("""[
        part("one", ready=file_of("one")),
        TaskSpec("step", lambda say: (Path(folder, "begun").touch(), __import__("time").sleep(600)), ["one"]),
    ]""")
    assert program.wait_until(lambda: (program.folder / "begun").exists(), 10)
    assert program.end() < 8
    assert not program.is_alive(program.pid_of("one"))


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

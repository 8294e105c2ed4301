"""What is left when the supervisor, its guardian or the database is killed: nothing, or a new one."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from whitefelt.supervisor import NotRunning, runtime

Launch = Callable[..., Any]
FAMILY = ("one", "one-plain", "one-group", "one-session")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_killed_supervisor_leaves_nothing(launch: Launch) -> None:
    plan = """[
        part("one", "stubborn", "family", ready=file_of("one")),
        part("two", ready=file_of("two")),
    ]"""
    program = launch(plan)
    assert program.says() == "READY"
    pids = [program.pid_of(name) for name in (*FAMILY, "two")]
    assert all(map(program.is_alive, pids))
    program.process.kill()
    program.process.wait()
    assert program.wait_until(lambda: not any(map(program.is_alive, pids)), 8), [
        pid for pid in pids if program.is_alive(pid)
    ]
    with pytest.raises(NotRunning, match="runs no more"):
        runtime.read(program.data)
    for name in (*FAMILY, "two"):
        (program.folder / name).unlink()
    # The next one waits until the guardian of the killed one is through, then runs.
    again = launch('[part("two", ready=file_of("two"))]')
    assert again.says() == "READY"
    assert runtime.read(again.data)["pid"] == again.process.pid


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_killed_guardian_is_replaced(launch: Launch) -> None:
    program = launch('[part("one", "stubborn", "family", ready=file_of("one"))]')
    assert program.says() == "READY"

    def guardians() -> list[int]:
        children = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children").read_text().split()
        return [pid for pid in map(int, children) if b"guardian.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    (first,) = guardians()
    os.kill(first, signal.SIGKILL)
    assert program.wait_until(lambda: bool(guardians()) and guardians() != [first], 5)
    pids = [program.pid_of(name) for name in FAMILY]
    program.process.kill()
    program.process.wait()
    assert program.wait_until(lambda: not any(map(program.is_alive, pids)), 8)


DATABASE = """[ServiceSpec("postgres", lambda: start_postgres(data))]"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_database_is_restarted_and_ends_in_good_order(launch: Launch) -> None:
    # Not under pytest's own folder: it is closed to the user that the database runs as.
    data = Path(tempfile.mkdtemp(prefix="whitefelt-test-"))
    data.chmod(0o711)
    pid_file, log = data / "postgres/cluster/postmaster.pid", data / "postgres/postgres.log"

    def server() -> int:
        return int(pid_file.read_text().split()[0]) if pid_file.exists() else 0

    program = launch(DATABASE, data)
    try:
        assert program.says() == "READY"
        first = server()
        assert program.is_alive(first)
        os.kill(first, signal.SIGKILL)
        assert program.wait_until(lambda: program.errors.read_text().count("* ready") == 2, 15)
        second = server()
        assert second != first
        assert program.is_alive(second)
        before = log.read_text().count("database system is shut down")
        program.process.kill()
        program.process.wait()
        assert program.wait_until(lambda: not program.is_alive(second), 8)
        assert log.read_text().count("database system is shut down") == before + 1
    finally:
        program.process.kill()
        program.process.wait()
        program.wait_until(lambda: not program.is_alive(server()), 8)
        shutil.rmtree(data)

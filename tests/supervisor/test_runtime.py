"""One platform per data folder, and how others find it."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from whitefelt.supervisor import NotRunning, runtime

Launch = Callable[..., Any]


def test_second_supervisor_is_refused(launch: Launch) -> None:
    first = launch('[part("one", ready=file_of("one"))]')
    assert first.says() == "READY"
    second = launch('[part("two", ready=file_of("two"))]')
    said = second.says()
    assert said.startswith("REFUSED Whitefelt already runs on the data folder")
    assert f"(process {first.process.pid})" in said
    assert second.process.wait(10) == 4
    assert first.is_alive(first.pid_of("one"))
    assert not (second.folder / "two").exists()
    first.end()
    third = launch('[part("two", ready=file_of("two"))]')
    assert third.says() == "READY"


def test_runtime_file(launch: Launch, tmp_path: Path) -> None:
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

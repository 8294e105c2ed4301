"""The demo as one process tree for all journeys of a test process, started by its command, as a person would."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from journeys.browser import launched, visit  # noqa: F401

START_SECONDS = 90


@dataclass
class Running:
    """A started demo: the JSON object it printed, and its process."""

    facts: dict[str, Any]
    process: subprocess.Popen[bytes]
    data: Path
    log: Path

    def brand(self, name: str) -> dict[str, Any]:
        return next(one for one in self.facts["brands"] if one["brand"] == name)

    def office(self, tenant: str) -> dict[str, Any]:
        return next(one for one in self.facts["backoffice"] if one["tenant"] == tenant)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "whitefelt", *arguments, "--data", str(self.data)], capture_output=True, text=True,
            timeout=120, env=clean_environment(),
        )  # fmt: skip


def clean_environment() -> dict[str, str]:
    """Our environment without what would point a child at the servers of other tests."""
    return {
        key: value for key, value in os.environ.items()
        if not key.startswith("WHITEFELT_") and key not in ("DATABASE_URL", "REDIS_URL")
    }  # fmt: skip


def start_demo(data: Path, *arguments: str, **environment: str) -> Running:
    log = data.with_name(data.name + ".log")
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "whitefelt", "demo", "--data", str(data), "--json", *arguments],
            stdout=subprocess.PIPE, stderr=errors, env={**clean_environment(), **environment}, start_new_session=True,
        )  # fmt: skip
    assert process.stdout is not None
    until = time.monotonic() + START_SECONDS
    os.set_blocking(process.stdout.fileno(), False)
    told = b""
    while b"\n" not in told and process.poll() is None and time.monotonic() < until:
        told += process.stdout.read() or b""
        time.sleep(0.05)
    if b"\n" not in told:
        process.kill()
        raise AssertionError(f"the demo did not become ready:\n{log.read_text()[-4000:]}")
    return Running(json.loads(told), process, data, log)


def stop_demo(running: Running) -> float:
    """End it as Ctrl-C does; how many seconds that took."""
    began = time.monotonic()
    running.process.send_signal(signal.SIGINT)
    try:
        running.process.wait(30)
    except subprocess.TimeoutExpired:
        running.process.kill()
        raise
    return time.monotonic() - began


def fresh_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="whitefelt-demo-"))
    folder.chmod(0o755)
    return folder / "data"


@pytest.fixture(scope="session")
def demo() -> Iterator[Running]:
    data = fresh_folder()
    running = start_demo(data, "--port", str(free_port()))
    yield running
    stop_demo(running)
    shutil.rmtree(data.parent, ignore_errors=True)


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Client:
    """A plain HTTP client that knows nothing of Whitefelt: it connects to 127.0.0.1 and sets the Host header."""

    base: str
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        parts = urlsplit(self.base)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=30)
        sent = {"Host": parts.netloc, "Accept": "application/json", **self.headers, **headers}
        raw = None
        if body is not None:
            raw, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        connection.request(method, path, raw, sent)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if "json" in (answer.getheader("Content-Type") or ""):
            return answer.status, json.loads(content) if content else None
        return answer.status, content

    def get(self, path: str) -> Any:
        status, told = self.call("GET", path)
        assert status == 200, (path, status, told)
        return told

    def post(self, path: str, body: Any = None, expect: int | None = None, **headers: str) -> Any:
        status, told = self.call("POST", path, body if body is not None else {}, **headers)
        assert status == expect if expect else 200 <= status < 300, (path, status, told)
        return told


def eventually(check: Callable[[], Any], seconds: float = 10, what: str = "") -> Any:
    """The first true answer of `check` within that time."""
    until = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < until, f"not within {seconds} s: {what or check}"
        time.sleep(0.05)

"""Starting sandbox vendors as the processes they are, and talking to them over HTTP."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PLATFORM = Path(__file__).resolve().parents[2] / "platform"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(found: Callable[[], Any], seconds: float = 8, what: str = "it") -> Any:
    """The first truthy answer of ``found``; a failure with words when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.03)
    raise AssertionError(f"waited {seconds} s for {what}")


def call(port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """One request: (status, JSON or text). ``bytes`` go as they are."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    try:
        connection.request(method, path, raw, {"Content-Type": "application/json", **(headers or {})})
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    try:
        return response.status, json.loads(text)
    except ValueError:
        return response.status, text


class Vendor:
    """One vendor process with its own folder; it can be killed and started again on the same books."""

    def __init__(self, name: str, folder: Path, config: dict[str, Any] | None = None, *more: str) -> None:
        self.name, self.folder, self.more = name, folder, more
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self.config_path = folder / f"{name}.json"
        if config is not None:
            self.configure(config)
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def configure(self, config: dict[str, Any]) -> None:
        self.config_path.write_text(json.dumps(config), "utf-8")

    def start(self) -> None:
        command = [sys.executable, "-m", f"whitefelt.sandbox.{self.name}", "--port", str(self.port)]
        command += ["--data", str(self.folder), "--config", str(self.config_path), *self.more]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log, env=environment())
        wait_for(self._healthy, 10, f"{self.name} to answer; its log: {self.folder / 'log'}")

    def _healthy(self) -> bool:
        try:
            return call(self.port, "GET", "/healthz")[0] == 200
        except OSError:
            return False

    def kill(self) -> None:
        """kill -9: no farewell."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(5)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(5)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        return call(self.port, "GET", path, None, headers)

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        return call(self.port, "POST", path, {} if body is None else body, headers)


def environment(**more: str) -> dict[str, str]:
    base = {name: value for name, value in os.environ.items() if name != "WHITEFELT_ENV"}
    return {**base, "PYTHONPATH": str(PLATFORM), **more}

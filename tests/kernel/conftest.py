"""A tenant of its own for facts and jobs, so that processes started here relay nothing of anybody else's tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from kernel import lab
from whitefelt.kernel import clock, drain, outbox, queue, settings
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.embedded import Valkey, start_valkey
from whitefelt.kernel.outbox_models import DeliveryRow

ROOT = Path(__file__).resolve().parents[2]


class Lab:
    """The lab's tenant, its own Valkey, and the processes that a test started."""

    def __init__(self, tenant: TenantRef, data: Path) -> None:
        self.tenant = tenant
        self.data = data
        self.valkey: Valkey = start_valkey(data)
        self.processes: list[subprocess.Popen[str]] = []
        self.standing: list[subprocess.Popen[str]] = []

    def start(self, *kinds: str, **variables: str) -> list[subprocess.Popen[str]]:
        """Processes relay, worker or cron, ready."""
        made = [self._spawn(kind, variables) for kind in kinds]
        for process, log in made:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert "ready" in said, (process.args, said, log.read_text())
        return [process for process, _ in made]

    def _spawn(self, kind: str, variables: dict[str, str]) -> tuple[subprocess.Popen[str], Path]:
        environment = {
            **os.environ,
            **variables,
            "LAB_TENANT": f"{self.tenant.id}:{self.tenant.schema}",
            "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT / 'tests'}",
        }
        log = (self.data / f"{kind}-{len(self.processes)}.log").open("w")
        process = subprocess.Popen(
            [sys.executable, str(Path(lab.__file__)), kind],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        log.close()
        self.processes.append(process)
        return process, Path(log.name)

    def crew(self) -> tuple[list[subprocess.Popen[str]], list[subprocess.Popen[str]]]:
        """A relay and two workers that earlier tests may have used already; started anew where they were killed."""
        wanted = ["relay", "worker", "worker"]
        for process in self.standing:
            if process.poll() is None:
                wanted.remove(process.args[-1])  # type: ignore[index]
        self.standing = [one for one in self.standing if one.poll() is None] + self.start(*wanted)
        by_kind = [[one for one in self.standing if one.args[-1] == kind] for kind in ("relay", "worker")]  # type: ignore[index]
        return by_kind[0], by_kind[1]

    def stop(self) -> None:
        """End every process that still runs, in good order, and say which of them did not manage within 5 s."""
        late = []
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                late.append(process.args)
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self.processes.clear()
        assert not late, f"did not end within 5 s of SIGTERM: {late}"

    def kill_valkey(self) -> None:
        """Kill Valkey with SIGKILL and lose everything it kept."""
        os.kill(self.valkey.pid, signal.SIGKILL)
        wait_until(lambda: not self.valkey.is_running())
        shutil.rmtree(self.data / "valkey" / "files")

    def restart_valkey(self) -> None:
        """Start it again, empty, at the same address."""
        before = self.valkey.url
        self.valkey = start_valkey(self.data)
        assert self.valkey.url == before
        assert queue.connection().dbsize() >= 0

    def effects(self, consumer: str, key: str | None = None) -> list[tuple[str, int]]:
        """Committed effects as (key, n), in the order they were made."""
        query = "SELECT key, n FROM lab_effects WHERE consumer = :consumer ORDER BY id"
        with unit_of_work(self.tenant) as work:
            rows = work.session.execute(text(query), {"consumer": consumer})
            return [(row.key, row.n) for row in rows if key in (None, row.key)]

    def tell(self, key: str, what: str) -> None:
        """Tell every handler what to do with that key; empty: its work."""
        query = "INSERT INTO lab_orders VALUES (:key, :what) ON CONFLICT (key) DO UPDATE SET what = excluded.what"
        with unit_of_work(self.tenant) as work:
            work.session.execute(text(query), {"key": key, "what": what})

    def note(self, subject: str, *numbers: int) -> None:
        """Record one fact per number, each in a transaction of its own."""
        for n in numbers:
            with unit_of_work(self.tenant) as work:
                outbox.record(work, lab.Noted(subject, n))

    def drain(self, *subjects: str, consumer: str = "lab.inside") -> list[int]:
        """Drain those subjects here and now; how many deliveries each."""
        return [drain.drain(self.tenant, consumer, f"subject:{subject}") for subject in subjects]

    def owed(self, consumer: str = "lab.inside") -> list[tuple[str, int, str]]:
        """Every delivery to that consumer as (key, n, state), in order."""
        with unit_of_work(self.tenant) as work:
            query = select(DeliveryRow).where(DeliveryRow.consumer == consumer).order_by(DeliveryRow.id)
            return [(row.key, row.body["n"], row.state) for row in work.session.scalars(query)]

    def due_now(self) -> None:
        """Let no delivery wait for its pause or lease."""
        with unit_of_work(self.tenant) as work:
            work.session.execute(update(DeliveryRow).values(next_at=clock.now() - timedelta(seconds=5)))

    def clear(self) -> None:
        """Forget facts, deliveries, cursors and effects."""
        with unit_of_work(self.tenant) as work:
            for name in ("lab_effects", "lab_orders", "lab_rows", "outbox", "deliveries"):
                work.session.execute(text(f"DELETE FROM {name}"))
        from whitefelt.tenancy.provision import admin_connection

        with admin_connection(self.tenant.alias) as connection:
            for name in ("relay_cursors", "relay_subscriptions"):
                connection.exec_driver_sql(f"DELETE FROM {self.tenant.schema}.{name}")
            for name in ("outbox", "lab_rows"):
                connection.exec_driver_sql(f"ALTER TABLE {self.tenant.schema}.{name} ALTER COLUMN id RESTART")


def wait_until(is_true: Callable[[], Any], seconds: float = 15.0) -> None:
    """Wait for it; fail when it does not come."""
    give_up = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < give_up, f"did not happen within {seconds} s"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def _lab(platform: Any) -> Iterator[Lab]:
    from whitefelt import tenancy
    from whitefelt.tenancy.provision import admin_connection

    tenant = tenancy.provision(lab.SLUG, "Lab", "Europe/Malta")
    with admin_connection(tenant.alias) as connection:
        connection.exec_driver_sql(lab.TABLES.format(schema=tenant.schema, app=tenant.app_role))
    data = Path(tempfile.mkdtemp(prefix="whitefelt-test-"))
    data.chmod(0o711)
    before = os.environ["REDIS_URL"]
    made = Lab(tenant, data)
    _use_valkey(made.valkey.url)
    lab.register_streams()
    yield made
    made.stop()
    del outbox.STREAMS["lab_rows"], outbox.FOLDS["lab.fold"]
    _use_valkey(before)
    made.valkey.stop()
    shutil.rmtree(data, ignore_errors=True)
    # Nobody else's test finds a third operator.
    with admin_connection(tenant.alias) as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {tenant.schema} CASCADE")
        connection.exec_driver_sql("DELETE FROM platform.tenants WHERE id = %s", (tenant.id,))


def _use_valkey(url: str) -> None:
    os.environ["REDIS_URL"] = url
    settings.current.cache_clear()
    queue.dispose()


@pytest.fixture
def floor(_lab: Lab) -> Lab:
    """The lab as it is, for tests with subjects of their own and processes that stay."""
    return _lab


@pytest.fixture
def bench(_lab: Lab) -> Iterator[Lab]:
    """The lab, empty; every process that a test starts ends with it, and must end promptly."""
    _lab.clear()
    yield _lab
    _lab.stop()

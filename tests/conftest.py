"""Shared fixtures: real embedded servers per test process, a platform with two operators that always exist.

Every test file has a database of its own, copied from one that holds the two operators. Within a file nothing is rolled
back between tests: money moves on connections of its own, as in life. Tests make their own players.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from whitefelt.kernel import bootstrap, db, queue, schedules, settings
from whitefelt.kernel.context import TenantRef

FOLDERS = Path(__file__).parent / "tenants"


class Servers:
    """The embedded servers of this test process and the folder they live in."""

    def __init__(self, data: Path) -> None:
        from whitefelt.kernel.embedded import start_postgres, start_valkey

        self.data = data
        self.postgres = start_postgres(data)
        self.valkey = start_valkey(data)


@dataclass(frozen=True)
class FloorDatabase:
    """The database of one test file: its URLs for the owner and for the superuser."""

    admin_url: str
    superuser_url: str


@dataclass(frozen=True)
class Floor:
    """What a test file stands on."""

    data: Path
    postgres: FloorDatabase
    valkey: Any


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    data = Path(tempfile.mkdtemp(prefix="whitefelt-test-"))
    data.chmod(0o755)
    running = Servers(data)
    os.environ.update(
        WHITEFELT_ENV="test", WHITEFELT_DATA=str(data), DATABASE_URL=running.postgres.admin_url,
        REDIS_URL=running.valkey.url, WHITEFELT_SECRET_KEY="test-secret-key-of-forty-characters-0123",
    )  # fmt: skip
    settings.current.cache_clear()
    yield running
    db.dispose()
    queue.dispose()
    running.valkey.stop()
    running.postgres.stop()
    running.postgres.destroy()
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def template(servers: Servers) -> str:
    """The database that every test file's is copied from: the platform's schema, both operators from tests/tenants."""
    from whitefelt import tenancy

    tenancy.upgrade_platform()
    variables = {
        "sandbox_studio": "http://127.0.0.1:9", "sandbox_psp": "http://127.0.0.1:9", "sandbox_eid": "http://127.0.0.1:9",
        "sandbox_smtp_port": "9",
    }  # fmt: skip
    for slug in ("alpha", "bravo"):
        tenancy.apply_folder(FOLDERS / slug, variables)
    return servers.postgres.admin_url


@pytest.fixture(scope="module")
def platform(servers: Servers, template: str) -> Iterator[Floor]:
    """A database of this test file's own, so that no file meets what another has left behind; Valkey is empty, too."""
    name = f"file_{next(_numbers)}"
    server, _, original = template.rpartition("/")
    _move_to(f"{server}/{original}")
    maintenance = f"{servers.postgres.superuser_url.rpartition('/')[0]}/postgres"
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {original} OWNER {urlsplit(template).username}")
    _move_to(f"{server}/{name}")
    bootstrap.bootstrap()
    queue.connection().flushall()
    superuser = f"{servers.postgres.superuser_url.rpartition('/')[0]}/{name}"
    yield Floor(servers.data, FloorDatabase(f"{server}/{name}", superuser), servers.valkey)
    _move_to(template)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _move_to(url: str) -> None:
    """Let everything that follows in this process use that database."""
    from whitefelt import tenancy

    db.dispose()
    queue.dispose()
    os.environ["DATABASE_URL"] = url
    settings.current.cache_clear()
    tenancy.forget()
    schedules._resting.clear()


@pytest.fixture(scope="module")
def alpha(platform: Floor) -> TenantRef:
    from whitefelt import tenancy

    return tenancy.tenant_by_slug("alpha")


@pytest.fixture(scope="module")
def bravo(platform: Floor) -> TenantRef:
    from whitefelt import tenancy

    return tenancy.tenant_by_slug("bravo")

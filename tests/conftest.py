"""Shared fixtures: real embedded servers per test process, a platform with two operators that always exist.

Nothing is rolled back between tests: money moves on connections of its own, as in life. Tests make their own players.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from whitefelt.kernel import db, queue, settings
from whitefelt.kernel.context import TenantRef

FOLDERS = Path(__file__).parent / "tenants"


class Servers:
    """The embedded servers of this test process and the folder they live in."""

    def __init__(self, data: Path) -> None:
        from whitefelt.kernel.embedded import start_postgres, start_valkey

        self.data = data
        self.postgres = start_postgres(data)
        self.valkey = start_valkey(data)


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
def platform(servers: Servers) -> Servers:
    """The platform schema, and both operators provisioned from tests/tenants."""
    from whitefelt import tenancy

    tenancy.upgrade_platform()
    variables = {
        "sandbox_studio": "http://127.0.0.1:9", "sandbox_psp": "http://127.0.0.1:9", "sandbox_eid": "http://127.0.0.1:9",
        "sandbox_smtp_port": "9",
    }  # fmt: skip
    for slug in ("alpha", "bravo"):
        tenancy.apply_folder(FOLDERS / slug, variables)
    return servers


@pytest.fixture(scope="session")
def alpha(platform: Servers) -> TenantRef:
    from whitefelt import tenancy

    return tenancy.tenant_by_slug("alpha")


@pytest.fixture(scope="session")
def bravo(platform: Servers) -> TenantRef:
    from whitefelt import tenancy

    return tenancy.tenant_by_slug("bravo")

"""The application on a real socket, the vendors' processes, and the two operators that are asked for each other's things."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from werkzeug.serving import make_server

from cashier.desk import Desk, Psp, Quiet
from isolation.world import Site, World, supplier_caller, with_second_brand
from sandbox.vendors import Vendor, free_port
from whitefelt import tenancy
from whitefelt.app import create_app
from whitefelt.kernel import settings
from whitefelt.kernel.context import TenantRef


@pytest.fixture(scope="module")
def site(platform: Any) -> Iterator[Site]:
    """The application; vendors reach it at the callback address."""
    app = create_app()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    before = os.environ.get("WHITEFELT_CALLBACK_BASE")
    os.environ["WHITEFELT_CALLBACK_BASE"] = f"http://127.0.0.1:{server.server_port}"
    settings.current.cache_clear()
    yield Site(app)
    server.shutdown()
    thread.join(5)
    os.environ.pop("WHITEFELT_CALLBACK_BASE")
    if before is not None:
        os.environ["WHITEFELT_CALLBACK_BASE"] = before
    settings.current.cache_clear()


@pytest.fixture(scope="module")
def worlds(
    site: Site, alpha: TenantRef, bravo: TenantRef, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, World]]:
    """Both operators by name, each with two brands, connected to the sandbox's processes."""
    folder = tmp_path_factory.mktemp("isolation")
    ports = {name: free_port() for name in ("studio", "psp", "eid")}
    variables = {f"sandbox_{name}": f"http://127.0.0.1:{port}" for name, port in ports.items()}
    tenants = [
        tenancy.apply_folder(with_second_brand(slug, folder), {**variables, "sandbox_smtp_port": "9"})
        for slug in ("alpha", "bravo")
    ]
    tenancy.forget()
    vendors = [start(name, ports[name], folder / name, config) for name, config in configs(tenants).items()]
    psp = Psp(variables["sandbox_psp"], folder / "psp" / "psp.json", vendors[0].process)  # type: ignore[arg-type]
    supplier = supplier_caller()
    made = {tenant.slug: World(tenant.slug, tenant, _desk(tenant, psp), supplier, site) for tenant in tenants}
    tell_numbers_apart(tenants)
    for world in made.values():
        world.prepare()
    yield made
    for vendor in vendors:
        vendor.end()


def tell_numbers_apart(tenants: list[TenantRef]) -> None:
    """Count deliveries of each operator from another number: both have a delivery 1, and asking for it would prove nothing."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        for place, tenant in enumerate(tenants, 1):
            connection.execute(
                f"ALTER TABLE {tenant.schema}.deliveries ALTER COLUMN id RESTART WITH {place * 7_000_000}"
            )


def _desk(tenant: TenantRef, psp: Psp) -> Desk:
    return Desk(tenant, f"{tenant.slug}.localhost", psp, tenancy.integrations_of(tenant, "pay")[0])


def configs(tenants: list[TenantRef]) -> dict[str, dict[str, Any]]:
    """What each vendor must know of each operator, as a contract would say."""
    told: dict[str, dict[str, Any]] = {
        "psp": {"merchants": []},
        "eid": {"relying_parties": []},
        "studio": {"wallets": []},
    }
    for tenant in tenants:
        for one in tenancy.integrations_of(tenant):
            if one.kind == "pay":
                told["psp"]["merchants"].append({"name": tenant.slug, **one.secrets})
            elif one.kind == "kyc":
                told["eid"]["relying_parties"].append({"name": tenant.slug, "key": one.secrets["relying_party_key"]})
            elif one.kind == "play":
                base = settings.current().callback_base
                told["studio"]["wallets"].append(
                    {"callback_url": f"{base}/callbacks/play/{one.public_id}", **one.secrets}
                )
    return told


class Placed(Vendor):
    """A vendor on a port that is known before it starts."""

    wanted = 0

    def start(self) -> None:
        self.port = self.wanted or self.port
        try:
            super().start()
        except AssertionError:
            # A machine with too much to do: once more, and nothing is left running.
            self.end()
            super().start()


def start(name: str, port: int, folder: Path, config: dict[str, Any]) -> Vendor:
    placed = type("Placed", (Placed,), {"wanted": port})
    return placed(name, folder, json.loads(json.dumps(config)))

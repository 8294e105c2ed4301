"""A real payment provider in a process of its own, our callback address on a real socket, and an operator's desk."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from cashier.desk import FOLDERS, Callbacks, Desk, Psp, Quiet, free_port
from whitefelt import tenancy
from whitefelt.kernel import settings
from whitefelt.kernel.context import TenantRef


@pytest.fixture(scope="module")
def callbacks(platform: Any) -> Iterator[Callbacks]:
    running = Callbacks("")
    server = make_server("127.0.0.1", 0, running, threaded=True, request_handler=Quiet)
    running.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    before = os.environ.get("WHITEFELT_CALLBACK_BASE")
    os.environ["WHITEFELT_CALLBACK_BASE"] = running.base
    settings.current.cache_clear()
    yield running
    server.shutdown()
    thread.join(5)
    os.environ.pop("WHITEFELT_CALLBACK_BASE")
    if before is not None:
        os.environ["WHITEFELT_CALLBACK_BASE"] = before
    settings.current.cache_clear()


@pytest.fixture(scope="module")
def psp(platform: Any, callbacks: Callbacks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Psp]:
    data = tmp_path_factory.mktemp("psp")
    origin = f"http://127.0.0.1:{free_port()}"
    running = Psp(origin, data / "config.json", None)  # type: ignore[arg-type]
    variables = {
        "sandbox_studio": "http://127.0.0.1:9", "sandbox_psp": origin, "sandbox_eid": "http://127.0.0.1:9",
        "sandbox_smtp_port": "9",
    }  # fmt: skip
    merchants = []
    for slug in ("alpha", "bravo"):
        tenant = tenancy.apply_folder(FOLDERS / slug, variables)
        for one in tenancy.integrations_of(tenant, "pay"):
            merchants.append({"name": slug, **one.secrets})
    running.config.write_text(json.dumps({"merchants": merchants}))
    running.begin(data)
    yield running
    running.stop()


@pytest.fixture
def desk(alpha: TenantRef, psp: Psp) -> Iterator[Desk]:
    psp.mode()
    yield Desk(alpha, "alpha.localhost", psp, tenancy.integrations_of(alpha, "pay")[0])
    psp.mode()

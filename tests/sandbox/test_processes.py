"""What every vendor has in common: it starts quickly, ends quickly, keeps to loopback, and refuses production."""

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from sandbox.vendors import Vendor, environment, free_port

VENDORS = ("studio", "psp", "eid", "mail")


@pytest.mark.parametrize("name", VENDORS)
def test_vendors_start_answer_and_end(start_vendor: Callable[..., Vendor], name: str) -> None:
    more = ("--smtp-port", str(free_port())) if name == "mail" else ()
    vendor = start_vendor(name, {}, *more)
    assert vendor.get("/healthz") == (200, {"status": "ok"})
    assert vendor.get("/no-such-page")[0] == 404
    started = time.monotonic()
    assert vendor.stop() == 0
    assert time.monotonic() - started < 2
    assert "Traceback" not in (vendor.folder / "log").read_text()


@pytest.mark.parametrize("name", VENDORS)
def test_vendors_refuse_production(tmp_path: object, name: str) -> None:
    command = [sys.executable, "-m", f"whitefelt.sandbox.{name}", "--port", "0", "--data", str(tmp_path)]
    found = subprocess.run(
        command, env=environment(WHITEFELT_ENV="production"), capture_output=True, text=True, timeout=10, check=False
    )
    assert found.returncode == 1 and "do not start in production" in found.stderr

"""What every vendor has in common: it starts quickly, ends quickly, keeps to loopback, and refuses production."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

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


def test_vendors_refuse_production(tmp_path: Path) -> None:
    def begin(name: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", f"whitefelt.sandbox.{name}", "--port", "0", "--data", str(tmp_path)]
        production = environment(WHITEFELT_ENV="production")
        return subprocess.Popen(command, env=production, stderr=subprocess.PIPE, text=True)

    for process in [begin(name) for name in VENDORS]:
        said = process.communicate(timeout=10)[1]
        assert process.returncode == 1 and "do not start in production" in said

"""Starting, configuring and stopping a vendor process."""

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response
from werkzeug.serving import WSGIRequestHandler, make_server

log = logging.getLogger("sandbox")


def refuse_production() -> None:
    """End the process in production: a sandbox vendor moves no real money and proves nobody's identity."""
    if os.environ.get("WHITEFELT_ENV", "").strip().lower() == "production":
        raise SystemExit("The sandbox vendors do not start in production (WHITEFELT_ENV=production).")


def arguments(vendor: str, **more: str) -> argparse.Namespace:
    """The command line that all vendors share, plus whole-number options named in ``more`` (name -> help)."""
    refuse_production()
    parser = argparse.ArgumentParser(prog=f"python -m whitefelt.sandbox.{vendor}")
    parser.add_argument("--port", type=int, required=True, help="HTTP port on 127.0.0.1 (0 picks a free one)")
    parser.add_argument("--data", type=Path, required=True, help="folder of the books")
    parser.add_argument("--config", type=Path, help="JSON configuration, read again whenever it changes")
    for name, text in more.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, required=True, help=text)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=f"%(asctime)s {vendor} %(levelname)s %(message)s")
    return parser.parse_args()


class Config:
    """A JSON file that may be replaced while the vendor runs: tenants are provisioned at any time.

    A missing file is an empty configuration; an unreadable one leaves the last good state in force.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._value: dict[str, Any] = {}
        self._lock = threading.Lock()

    def read(self) -> dict[str, Any]:
        """The configuration as it is now."""
        if self._path is None:
            return self._value
        with self._lock:
            try:
                facts = self._path.stat()
                stamp = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
                if stamp != self._stamp:
                    value = json.loads(self._path.read_text("utf-8"))
                    if not isinstance(value, dict):
                        raise ValueError("the configuration must be a JSON object")
                    self._value, self._stamp = value, stamp
            except FileNotFoundError:
                pass
            except (OSError, ValueError) as error:
                log.warning("configuration %s not read: %s", self._path, error)
            return self._value

    def title_of(self, name: str, partner: str) -> str:
        """How a partner of the list ``name`` wants to be called in front of people: its ``title``, else its name."""
        for entry in self.entries(name, "name", "title"):
            if entry["name"] == partner:
                return str(entry["title"])
        return partner

    def entries(self, name: str, *required: str) -> list[dict[str, Any]]:
        """The list ``name`` without entries that lack one of the ``required`` texts."""
        found = self.read().get(name)
        entries = found if isinstance(found, list) else []
        return [
            entry
            for entry in entries
            if isinstance(entry, dict) and all(isinstance(entry.get(key), str) and entry[key] for key in required)
        ]


class _Handler(WSGIRequestHandler):
    """HTTP/1.1 with keep-alive, a limit for idle connections, and one quiet log line a request."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if self.path.split("?")[0] != "/healthz":
            log.info("%s %s %s", self.command, self.path.split("?")[0], getattr(code, "value", code))

    def version_string(self) -> str:
        return "sandbox"


def serve(app: Flask, port: int, stop: Callable[[], None] = lambda: None) -> None:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT, then call ``stop``. One thread per connection."""

    @app.get("/healthz")
    def healthz() -> Response:
        return Response('{"status": "ok"}\n', mimetype="application/json")

    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Handler)
    server.daemon_threads = True  # type: ignore[attr-defined]
    server.block_on_close = False  # type: ignore[attr-defined]

    def end(*_: object) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    log.info("listening on http://127.0.0.1:%s", server.server_port)
    server.serve_forever(poll_interval=0.1)
    stop()
    log.info("ended")
    logging.shutdown()
    # Threads that wait for a slow partner must not keep the process: the books already hold what they were doing.
    os._exit(0)

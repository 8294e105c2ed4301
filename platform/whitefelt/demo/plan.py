"""The demo's processes and steps, in order of need, for the supervisor."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from whitefelt.demo import people, ports, vendors
from whitefelt.kernel import settings
from whitefelt.kernel.embedded import start_postgres, start_valkey
from whitefelt.kernel.embedded.folder import write_private
from whitefelt.kernel.paths import TENANTS
from whitefelt.supervisor import ProcessSpec, ServiceSpec, Spec, StartFailed, TaskSpec, runtime

OPERATORS = ("solstice", "polaris")
SUPPLIER_HOST = "supplier.localhost"

Say = Callable[[str], None]


class Demo:
    """One run of the demo on a data folder: its environment, its parts, and what is told when ready."""

    def __init__(self, data: Path, port: int | None, workers: int) -> None:
        if os.environ.get("WHITEFELT_ENV") == "production":
            raise StartFailed("The demo does not start in production (WHITEFELT_ENV=production).")
        self.data = data
        self.workers = workers
        data.mkdir(parents=True, exist_ok=True)
        self._wanted_port = port
        self.ports: dict[str, int] = {}
        self.env: dict[str, str] = {"WHITEFELT_DATA": str(data), "WHITEFELT_ENV": "development"}
        self.facts: dict[str, Any] = {}

    def specs(self) -> list[Spec]:
        """Every part, each after what it needs."""
        return [
            TaskSpec("prepare", self._prepare),
            *self._servers(),
            TaskSpec("migrate", self._migrate, depends_on=("database", "valkey")),
            TaskSpec("operators", self._operators, depends_on=("migrate",)),
            *(self._vendor(name) for name in ("studio", "psp", "eid", "mail")),
            self._own("web", ["web", "--workers", str(self.workers)], ready=self._web_ready),
            self._own("relay", ["relay"]),
            # Slow mail servers must not hold up money: only one of the two carries mails.
            self._own("worker-1", ["worker", "--queues", "money,default"]),
            self._own("worker-2", ["worker", "--queues", "default,mail,money"]),
            self._own("cron", ["cron"]),
            TaskSpec("people", self._people, depends_on=("web", "relay", "worker-1", "studio", "psp", "eid", "mail")),
        ]

    def _prepare(self, say: Say) -> None:
        self.ports = ports.choose(self.data, self._wanted_port)
        key = self.data / "secret.key"
        if not os.environ.get("WHITEFELT_SECRET_KEY") and not key.is_file():
            write_private(key, secrets.token_urlsafe(48) + "\n")
        self.env["WHITEFELT_PORT"] = str(self.ports["web"])
        self.env["WHITEFELT_CALLBACK_BASE"] = f"http://127.0.0.1:{self.ports['web']}"
        for name in ("DATABASE_URL", "REDIS_URL", "WHITEFELT_SECRET_KEY", "WHITEFELT_DB_PREFIX"):
            if os.environ.get(name):
                self.env[name] = os.environ[name]
        say(f"data in {self.data}")

    def _servers(self) -> list[Spec]:
        """Our own servers, unless the environment names others."""

        def database() -> Any:
            server = start_postgres(self.data)
            self.env["DATABASE_URL"] = server.admin_url
            return server

        def valkey() -> Any:
            server = start_valkey(self.data)
            self.env["REDIS_URL"] = server.url
            return server

        def given(name: str) -> Callable[[Say], None]:
            return lambda say: say(f"using {name} of the environment")

        return [
            TaskSpec("database", given("DATABASE_URL"), depends_on=("prepare",))
            if os.environ.get("DATABASE_URL")
            else ServiceSpec("database", database, depends_on=("prepare",)),
            TaskSpec("valkey", given("REDIS_URL"), depends_on=("prepare",))
            if os.environ.get("REDIS_URL")
            else ServiceSpec("valkey", valkey, depends_on=("prepare",)),
        ]

    def _migrate(self, say: Say) -> None:
        os.environ.update(self.env)
        settings.current.cache_clear()
        from whitefelt import tenancy

        say(f"platform schema at {tenancy.upgrade_platform()}")
        # From here on other commands find this platform; they need no more than the addresses.
        runtime.write(self.data, {"environment": self.env})

    def _operators(self, say: Say) -> None:
        from whitefelt import tenancy

        variables = vendors.variables(self.ports)
        refs = []
        for slug in OPERATORS:
            ref = tenancy.apply_folder(TENANTS / slug, variables)
            refs.append(ref)
            say(f"{slug} in schema {ref.schema}")
        tenancy.supplier_site(SUPPLIER_HOST)
        vendors.write_configs(self.data, self.ports, refs)

    def _vendor(self, name: str) -> Spec:
        def argv() -> list[str]:
            folder = self.data / "sandbox" / name
            folder.mkdir(parents=True, exist_ok=True)
            more = ["--smtp-port", str(self.ports["smtp"])] if name == "mail" else []
            return [
                sys.executable, "-m", f"whitefelt.sandbox.{name}", "--port", str(self.ports[name]), "--data", str(folder),
                "--config", str(vendors.config_path(self.data, name)), *more,
            ]  # fmt: skip

        def ready() -> bool:
            return vendors.answers(self.ports[name])

        return ProcessSpec(name, argv, env=self._environment, ready=ready, depends_on=("operators",))

    def _own(self, name: str, arguments: list[str], ready: Callable[[], bool] | None = None) -> Spec:
        argv = [sys.executable, "-m", "whitefelt", *arguments]
        return ProcessSpec(
            name, argv, env=self._environment, ready=ready, depends_on=("operators",), stop_after_seconds=6
        )

    def _environment(self) -> Mapping[str, str]:
        return self.env

    def _web_ready(self) -> bool:
        return vendors.answers(self.ports["web"])

    def _people(self, say: Say) -> None:
        people.sync_games(say)
        self.facts = people.settle(self.data, self.ports, say)

    def ready(self) -> dict[str, Any]:
        """What `--json` prints and the table shows."""
        told = settings.current()
        return {
            "ready": True, "pid": os.getpid(), "data": str(self.data), **self.facts,
            "sandbox": vendors.urls(self.ports), "database_url": told.login_url("audit"), "redis_url": told.redis_url,
        }  # fmt: skip

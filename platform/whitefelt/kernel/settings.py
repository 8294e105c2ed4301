"""The process's configuration: environment variables, typed, every fault listed at start.

| variable | meaning |
|---|---|
| `WHITEFELT_ENV` | `development` (default), `test` or `production` |
| `WHITEFELT_DATA` | data folder of the embedded servers and of generated secrets (default `.whitefelt`) |
| `DATABASE_URL` | administrative login (owner of the database, CREATEROLE, no superuser); unset: embedded |
| `WHITEFELT_DATABASES` | JSON object of further database aliases to such URLs |
| `REDIS_URL` | Valkey or Redis; unset: embedded |
| `WHITEFELT_SECRET_KEY` | at least 32 characters; passwords of database logins, cookies and stored secrets derive from it |
| `WHITEFELT_DB_PREFIX` | prefix of the login names (default `wf`), so that two platforms can share a server |
| `WHITEFELT_PORT` | port of the web server |
| `WHITEFELT_PUBLIC_SCHEME` | `http` or `https`: how browsers reach the sites |
| `WHITEFELT_CALLBACK_BASE` | origin that vendors' servers call; default `http://127.0.0.1:<port>` |
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

ENVIRONMENTS = ("development", "test", "production")


class SettingsError(Exception):
    """The environment cannot be used as it is; the message lists every fault."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process was told. URLs of databases carry the administrative login; use `login_url` for the others."""

    env: str
    data: Path
    databases: Mapping[str, str]
    redis_url: str
    secret_key: str = field(repr=False)
    db_prefix: str = "wf"
    port: int = 8000
    scheme: str = "http"
    callback_base: str = "http://127.0.0.1:8000"

    @property
    def production(self) -> bool:
        return self.env == "production"

    def login(self, name: str) -> str:
        """Name of the database login `app`, `money` or `audit` (or of the group role `platform`)."""
        return f"{self.db_prefix}_{name}"

    def login_password(self, name: str) -> str:
        """That login's password: derived, so that it need not be stored, and rotated with the secret key."""
        return self.derive(f"database-login:{self.login(name)}").hex()[:48]

    def login_url(self, name: str, alias: str = "default") -> str:
        """The URL of database `alias` for that login."""
        parts = urlsplit(self.databases[alias])
        host = parts.hostname or "127.0.0.1"
        host = f"[{host}]" if ":" in host else host
        port = f":{parts.port}" if parts.port else ""
        user = f"{quote(self.login(name))}:{quote(self.login_password(name))}"
        return urlunsplit((parts.scheme, f"{user}@{host}{port}", parts.path, parts.query, ""))

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, from the secret key by HMAC-SHA256."""
        return hmac.new(self.secret_key.encode(), purpose.encode(), hashlib.sha256).digest()


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment; SettingsError lists all faults at once. The secret key may lie in the data folder."""
    env = os.environ if environ is None else environ
    faults: list[str] = []
    kind = env.get("WHITEFELT_ENV", "development")
    if kind not in ENVIRONMENTS:
        faults.append(f"WHITEFELT_ENV is {kind!r}; it must be one of {', '.join(ENVIRONMENTS)}.")
    data = Path(env.get("WHITEFELT_DATA", ".whitefelt")).expanduser().absolute()
    databases = _databases(env, faults)
    redis_url = env.get("REDIS_URL", "")
    if not redis_url:
        faults.append("REDIS_URL is not set (`whitefelt demo` sets it for the servers it starts).")
    secret = env.get("WHITEFELT_SECRET_KEY", "") or _secret_on_file(data)
    if len(secret) < 32:
        faults.append("WHITEFELT_SECRET_KEY is missing or shorter than 32 characters.")
    port = _port(env, faults)
    scheme = env.get("WHITEFELT_PUBLIC_SCHEME", "https" if kind == "production" else "http")
    if scheme not in ("http", "https"):
        faults.append("WHITEFELT_PUBLIC_SCHEME must be http or https.")
    if kind == "production" and scheme != "https":
        faults.append("Production refuses plain HTTP: set WHITEFELT_PUBLIC_SCHEME=https.")
    if faults:
        raise SettingsError("The configuration cannot be used:\n- " + "\n- ".join(faults))
    return Settings(
        env=kind, data=data, databases=databases, redis_url=redis_url, secret_key=secret,
        db_prefix=env.get("WHITEFELT_DB_PREFIX", "wf"), port=port, scheme=scheme,
        callback_base=env.get("WHITEFELT_CALLBACK_BASE", f"http://127.0.0.1:{port}").rstrip("/"),
    )  # fmt: skip


@lru_cache(maxsize=1)
def current() -> Settings:
    """The settings of this process, read once."""
    return load()


def _databases(env: Mapping[str, str], faults: list[str]) -> dict[str, str]:
    main = env.get("DATABASE_URL", "")
    if not main:
        faults.append("DATABASE_URL is not set (`whitefelt demo` sets it for the servers it starts).")
    try:
        further = json.loads(env.get("WHITEFELT_DATABASES", "{}"))
        assert isinstance(further, dict)
    except (ValueError, AssertionError):
        faults.append("WHITEFELT_DATABASES is not a JSON object of alias to URL.")
        further = {}
    found = {"default": main, **{str(k): str(v) for k, v in further.items()}}
    return {alias: url.replace("postgres://", "postgresql://", 1) for alias, url in found.items() if url}


def _port(env: Mapping[str, str], faults: list[str]) -> int:
    text = env.get("WHITEFELT_PORT", "8000")
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    faults.append("WHITEFELT_PORT is not a port number.")
    return 0


def _secret_on_file(data: Path) -> str:
    path = data / "secret.key"
    return path.read_text().strip() if path.is_file() else ""

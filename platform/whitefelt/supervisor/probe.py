"""Is it ready? One attempt, quick, without raising."""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlsplit

from .specs import Probe

PROBE_TIMEOUT_SECONDS = 2.0


def is_ready(probe: Probe) -> bool:
    """Whether the probe succeeds now: a URL answers below 500, a port accepts, a function returns true."""
    try:
        if callable(probe):
            return bool(probe())
        parts = urlsplit(probe)
        if parts.scheme == "tcp":
            return _accepts(parts.hostname or "127.0.0.1", parts.port or 0)
        return _answers(parts.scheme, parts.hostname or "", parts.port, parts.path or "/", parts.query)
    except (OSError, http.client.HTTPException):
        return False


def _accepts(host: str, port: int) -> bool:
    socket.create_connection((host, port), timeout=PROBE_TIMEOUT_SECONDS).close()
    return True


def _answers(scheme: str, host: str, port: int | None, path: str, query: str) -> bool:
    """Asks once. Names under `localhost` are ours by definition, whatever the machine's resolver says."""
    address = "127.0.0.1" if host == "localhost" or host.endswith(".localhost") else host
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    connection = kind(address, port, timeout=PROBE_TIMEOUT_SECONDS)
    try:
        target = f"{path}?{query}" if query else path
        connection.request("GET", target, headers={"Host": f"{host}:{port}" if port else host})
        return connection.getresponse().status < 500
    finally:
        connection.close()

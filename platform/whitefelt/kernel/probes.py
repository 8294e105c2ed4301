"""Probes for machines: is the process alive, and can it serve?"""

from __future__ import annotations

from typing import Any

import psycopg
import redis
from psycopg_pool import PoolTimeout

from whitefelt.kernel import db, queue


def health() -> tuple[int, dict[str, Any]]:
    """200 as long as the process answers at all."""
    return 200, {"status": "ok"}


def readiness() -> tuple[int, dict[str, Any]]:
    """200 when the database answers; Valkey is told but does not decide, because play goes on without it."""
    told = {"database": _database(), "valkey": _valkey()}
    ready = told["database"] == "ok"
    return (200 if ready else 503), {"status": "ok" if ready else "unavailable", **told}


def _database() -> str:
    try:
        with db.money_pool().connection(timeout=2) as connection:
            connection.execute("SELECT 1")
    except (psycopg.OperationalError, PoolTimeout):
        return "unreachable"
    return "ok"


def _valkey() -> str:
    try:
        queue.connection().ping()
    except redis.RedisError:
        return "unreachable"
    return "ok"

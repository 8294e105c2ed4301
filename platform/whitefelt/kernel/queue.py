"""The connection to Valkey (or Redis). Nothing whose loss would matter lives only there."""

from __future__ import annotations

import threading

import redis

from whitefelt.kernel import settings

_lock = threading.Lock()
_connection: redis.Redis | None = None


def connection() -> redis.Redis:
    """This process's connection pool; short time-outs, because every caller can do without."""
    global _connection
    with _lock:
        if _connection is None:
            _connection = redis.Redis.from_url(
                settings.current().redis_url, socket_timeout=2, socket_connect_timeout=1, health_check_interval=15
            )
        return _connection


def dispose() -> None:
    """Forget the connection: after a fork, or when the address changes in a test."""
    global _connection
    with _lock:
        if _connection is not None:
            _connection.close()
        _connection = None

"""Rate limits: fixed windows counted in Valkey; when it is out of reach, counted in this process, never refused for that."""

from __future__ import annotations

import logging
import threading

import redis

from whitefelt.kernel import clock, errors, queue
from whitefelt.kernel.errors import Problem

log = logging.getLogger("whitefelt.rate")
_local: dict[str, int] = {}
_lock = threading.Lock()


def check(name: str, key: str, limit: int, seconds: int) -> None:
    """Count one use of `name` by `key`; `rate_limited` beyond `limit` uses within a window of `seconds`."""
    window = int(clock.now().timestamp()) // seconds
    slot = f"rate:{name}:{key}:{window}"
    try:
        pipe = queue.connection().pipeline(transaction=False)
        pipe.incr(slot)
        pipe.expire(slot, seconds * 2)
        used = int(pipe.execute()[0])
    except redis.RedisError as error:
        log.warning("rate limits counted locally: %s", type(error).__name__)
        used = _count_locally(slot)
    if used > limit:
        raise Problem(errors.RATE_LIMITED, retry_after_seconds=seconds)


def _count_locally(slot: str) -> int:
    with _lock:
        if len(_local) > 10_000:
            _local.clear()
        _local[slot] = _local.get(slot, 0) + 1
        return _local[slot]

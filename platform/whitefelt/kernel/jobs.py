"""Background work: RQ's jobs and worker, and `schedule`, which declares what recurs. See also `kernel.outbox`.

RQ carries wake-ups; what is to be done, in which order and whether again is in the database (`kernel.drain`). The worker
does not fork for each job: a fork would cost the database connections each time. The hard limit holds all the same: RQ's
alarm after `JOB_SECONDS`, and for code that an alarm cannot stop, the end of the process a little later; the supervisor
starts another, and the attempt counts as failed.
"""

from __future__ import annotations

import faulthandler
import logging
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import redis
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from whitefelt.kernel import (
    db,
    drain,
    retention,  # noqa: F401  (its schedules belong to every worker)
    schedules,
    settings,
    wakeups,
)
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.relay import Directory
from whitefelt.kernel.schedules import schedule

__all__ = ["Worker", "drain_key", "fold_stream", "schedule", "tick", "use_directory", "worker_main"]

log = logging.getLogger("whitefelt.jobs")

#: The process ends when a job runs this much longer than its limit.
_GRACE_SECONDS = 15
#: How long a worker waits for a job before it shows that it lives; half of it is lost when a job's arrival goes unseen.
_WORKER_TTL_SECONDS = 30
_FRESH_SECONDS = 5.0

_tenants: Directory | None = None
_known: dict[int, tuple[float, TenantRef]] = {}
_worker: Worker | None = None


def use_directory(tenants: Directory) -> None:
    """Say where tenants are looked up; the composition root's `tenancy.tenants`."""
    global _tenants
    _tenants = tenants
    _known.clear()


def drain_key(tenant_id: int, consumer: str, key: str) -> None:
    """RQ job: drain that key. Tenant 0 is the platform; a tenant that is no longer active keeps what it is owed."""
    wakeups.started("drain_key", (tenant_id, consumer, key))
    tenant = _tenant(tenant_id) if tenant_id else None
    if tenant is not None or tenant_id == 0:
        drain.drain(tenant, consumer, key, _keep_going)


def fold_stream(tenant_id: int, consumer: str) -> None:
    """RQ job: run that fold."""
    wakeups.started("fold_stream", (tenant_id, consumer))
    tenant = _tenant(tenant_id)
    if tenant is not None:
        drain.fold(tenant, consumer, _keep_going)


def tick() -> None:
    """RQ job: decide what schedules are due."""
    wakeups.started("tick", ())
    assert _tenants is not None, "this process has no directory of tenants"
    schedules.tick(_tenants)


def _tenant(tenant_id: int) -> TenantRef | None:
    assert _tenants is not None, "this process has no directory of tenants"
    fresh_until, found = _known.get(tenant_id, (0.0, None))
    if found is not None and fresh_until > time.monotonic():
        return found
    page = _tenants(tenant_id - 1, 1)
    if not page or page[0].id != tenant_id:
        _known.pop(tenant_id, None)
        return None
    _known[tenant_id] = (time.monotonic() + _FRESH_SECONDS, page[0])
    return page[0]


def _keep_going() -> bool:
    return _worker is None or not _worker.asked_to_stop


class Worker(SimpleWorker):
    """RQ's worker without forks, remote commands and long waits for a Valkey that comes back."""

    max_connection_wait_time = 2.0
    log_result_lifespan = False

    def __init__(self, *args: Any, announce: Callable[[str], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked_to_stop = False
        self._announce = announce

    def bootstrap(self, *args: Any, **kwargs: Any) -> None:
        super().bootstrap(*args, **kwargs)
        self._announce(f"worker ready on {', '.join(self.queue_names())}")

    def subscribe(self) -> None:
        """No remote commands: nothing that Valkey says stops a worker."""

    def execute_job(self, job: Any, queue: Any) -> None:
        faulthandler.dump_traceback_later(wakeups.JOB_SECONDS + _GRACE_SECONDS, exit=True)
        try:
            super().execute_job(job, queue)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def request_stop(self, signum: int, frame: Any) -> None:
        """End after the delivery in hand, or at once when there is none; a second signal ends the process."""
        if self.asked_to_stop:
            raise SystemExit(0)
        self.asked_to_stop = self._stop_requested = True
        if self.get_state() != "busy":
            raise StopRequested


def worker_main(queues: Sequence[str], tenants: Directory, announce: Callable[[str], None] = log.info) -> None:
    """Run a worker on those queues until SIGTERM or SIGINT; Valkey and the database may come and go."""
    global _worker
    use_directory(tenants)
    said = False

    def say_once(message: str) -> None:
        nonlocal said
        if not said:
            said = True
            announce(message)

    pause = 0.25
    while True:
        signal.signal(signal.SIGTERM, _leave)
        signal.signal(signal.SIGINT, _leave)
        began = time.monotonic()
        connection = _connection()
        try:
            _worker = Worker(
                [wakeups.rq_queue(name, connection) for name in queues], connection=connection, announce=say_once,
                serializer=JSONSerializer, worker_ttl=_WORKER_TTL_SECONDS, log_job_description=False,
            )  # fmt: skip
            _worker.work(logging_level="WARNING")
        except (redis.RedisError, OSError, StopRequested) as error:
            log.warning("the worker starts anew: %s", type(error).__name__)
        finally:
            connection.close()
        if _worker is not None and _worker.asked_to_stop:
            db.dispose()
            return
        pause = 0.25 if time.monotonic() - began > 10 else min(pause * 2, 5.0)
        time.sleep(pause)


def _connection() -> redis.Redis:
    """A connection of the worker's own: it waits long for jobs, which the shared one must not."""
    return redis.Redis.from_url(
        settings.current().redis_url, socket_connect_timeout=2, socket_keepalive=True, health_check_interval=15
    )


def _leave(*_: object) -> None:
    sys.exit(0)

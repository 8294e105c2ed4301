"""Wake-ups through Valkey: a nudge for the relay, an RQ job for a worker. Best effort: losing one only costs time.

A wake-up for a key that is already waiting in its queue is not sent twice: a token per key lies beside the queue, and
the job takes it away before it looks at the database, so that what comes later gets a job of its own.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import redis
from rq import Queue
from rq.serializers import JSONSerializer

from whitefelt.kernel import clock, db, queue, settings
from whitefelt.kernel.db import Work

log = logging.getLogger("whitefelt.wakeups")

#: Every queue that a subscription or schedule may name; workers name those that they serve.
QUEUES = ("money", "default", "mail")
#: The wake-up that means "relay, look at this tenant".
RELAY = ("relay", "")
#: A job is stopped after this; what it had in hand is tried again.
JOB_SECONDS = 60
#: A token that outlives its job (a worker killed between taking the job and starting it) silences its key this long.
TOKEN_SECONDS = 15
#: After Valkey failed, commits do not try it again for this long.
_PAUSE_SECONDS = 2.0
_BETWEEN = "\x1f"

_paused_until = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """A function of `kernel.jobs` to be run on a queue, and the arguments that also identify it among waiting jobs."""

    queue: str
    function: str
    arguments: tuple[int | str, ...]


def drain_job(queue: str, tenant_id: int, consumer: str, key: str) -> Job:
    """Have a worker drain that consumer's key; tenant 0 is the platform."""
    return Job(queue, "drain_key", (tenant_id, consumer, key))


def direct(queue: str, consumer: str, key: str) -> tuple[str, str]:
    """What a unit of work that wrote a delivery itself appends to its wake-ups."""
    return queue, f"{consumer}{_BETWEEN}{key}"


def rq_queue(name: str, connection: redis.Redis | None = None) -> Queue:
    """The RQ queue of that name. Jobs are JSON, never pickles: whoever writes to Valkey cannot run code of theirs."""
    prefix = settings.current().db_prefix
    return Queue(f"{prefix}-{name}", connection=connection or queue.connection(), serializer=JSONSerializer)


def send(jobs: Sequence[Job]) -> int:
    """Put the jobs on their queues, but for those that wait there already; returns how many. May raise RedisError."""
    if not jobs:
        return 0
    connection = queue.connection()
    tokens = connection.pipeline(transaction=False)
    for job in jobs:
        tokens.set(_token(job), 1, nx=True, ex=TOKEN_SECONDS)
    fresh = [job for job, is_new in zip(jobs, tokens.execute(), strict=True) if is_new]
    for name in sorted({job.queue for job in fresh}):
        rq_queue(name).enqueue_many(
            Queue.prepare_data(
                f"whitefelt.kernel.jobs.{job.function}", args=list(job.arguments), timeout=JOB_SECONDS, result_ttl=0,
                failure_ttl=3600, description=job.function,
            )
            for job in fresh if job.queue == name
        )  # fmt: skip
    return len(fresh)


def try_send(jobs: Sequence[Job]) -> bool:
    """As `send`; False when Valkey is out of reach: then the relay's sweep sends them later."""
    if not jobs or _is_paused():
        return not jobs
    try:
        send(jobs)
    except (redis.RedisError, OSError) as error:
        _pause(error)
        return False
    return True


def started(function: str, arguments: tuple[int | str, ...]) -> None:
    """The job begins: whatever happens from now on needs another wake-up."""
    try:
        queue.connection().delete(_token(Job("", function, arguments)))
    except (redis.RedisError, OSError) as error:
        log.warning("a token stays until it expires: %s", type(error).__name__)


def nudge(tenant_id: int) -> None:
    """Have the relay look at that tenant now. RedisError when Valkey is out of reach."""
    queue.connection().zadd(nudges_key(), {str(tenant_id): clock.now().timestamp()})


def nudges_key() -> str:
    """Where tenants wait that the relay should look at: a sorted set, so that many nudges are one."""
    return f"{settings.current().db_prefix}:relay:nudges"


def _token(job: Job) -> str:
    parts = _BETWEEN.join(str(part) for part in (job.function, *job.arguments))
    return f"{settings.current().db_prefix}:woken:{hashlib.sha256(parts.encode()).hexdigest()[:40]}"


def _after_commit(work: Work) -> None:
    if not work.wakeups or _is_paused():
        return
    tenant_id = work.tenant.id if work.tenant is not None else 0
    try:
        if RELAY in work.wakeups:
            nudge(tenant_id)
        send(list(_direct_jobs(work, tenant_id)))
    except (redis.RedisError, OSError) as error:
        _pause(error)


def _is_paused() -> bool:
    return time.monotonic() < _paused_until


def _pause(error: Exception) -> None:
    global _paused_until
    _paused_until = time.monotonic() + _PAUSE_SECONDS
    log.warning("wake-ups are left to the relay's next look: %s", type(error).__name__)


def _direct_jobs(work: Work, tenant_id: int) -> Iterable[Job]:
    for name, target in work.wakeups:
        if (name, target) != RELAY:
            consumer, _, key = target.partition(_BETWEEN)
            yield drain_job(name, tenant_id, consumer, key)


db.after_commit_hooks.append(_after_commit)

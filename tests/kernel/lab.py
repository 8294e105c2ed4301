"""Facts and handlers made to fail on command, and the real processes that relay and drain them.

Every handler writes one row per attempt that is committed, without any unique constraint: whatever is done twice shows.
What a handler shall do is in the database, so that all processes are told at once.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import text

from whitefelt.kernel import outbox, schedules
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work, unit_of_work
from whitefelt.kernel.outbox import Batch, Fact

SLUG = "lab"
TABLES = """
CREATE TABLE {schema}.lab_effects (id bigint GENERATED ALWAYS AS IDENTITY, consumer text, key text, n integer, pid integer);
CREATE TABLE {schema}.lab_orders (key text PRIMARY KEY, what text);
CREATE TABLE {schema}.lab_rows (id bigint GENERATED ALWAYS AS IDENTITY, n integer);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.lab_effects, {schema}.lab_orders, {schema}.lab_rows TO {app};
"""


@dataclass(frozen=True, slots=True)
class Noted(Fact):
    """Something happened to `subject` for the n-th time."""

    NAME: ClassVar[str] = "lab.noted"

    subject: str
    n: int

    @property
    def key(self) -> str:
        return f"subject:{self.subject}"


@dataclass(frozen=True, slots=True)
class Charged(Fact):
    """A fact for a handler that works without a transaction."""

    NAME: ClassVar[str] = "lab.charged"

    subject: str
    n: int

    @property
    def key(self) -> str:
        return f"subject:{self.subject}"


@dataclass(frozen=True, slots=True)
class Counted(Fact):
    """A row of a table that is itself a stream."""

    NAME: ClassVar[str] = "lab.counted"

    row_id: int
    n: int

    @property
    def key(self) -> str:
        return "rows"


def effect(work: Work, consumer: str, key: str, n: int) -> None:
    work.session.execute(
        text("INSERT INTO lab_effects (consumer, key, n, pid) VALUES (:consumer, :key, :n, :pid)"),
        {"consumer": consumer, "key": key, "n": n, "pid": os.getpid()},
    )


def order(work: Work, key: str) -> str:
    """What handlers are told to do with that key: nothing special, or what `obey` knows."""
    return work.session.scalar(text("SELECT what FROM lab_orders WHERE key = :key"), {"key": key}) or ""


def obey(told: str) -> None:
    if told == "fail":
        raise ValueError("a message with a name in it: Ada Lovelace")
    if told == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if told == "hang":
        time.sleep(30)
    if told == "stick":
        # As code that no alarm reaches: a library that holds on to the interpreter.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        time.sleep(30)
    if told in ("nap", "blink"):
        time.sleep(0.2 if told == "nap" else 0.01)


@outbox.subscribe(Noted, "lab.inside")
def on_noted(work: Work, fact: Noted) -> None:
    effect(work, "lab.inside", fact.key, fact.n)
    obey(order(work, fact.key))


@outbox.subscribe(Charged, "lab.outside", outside=True, queue="money")
def on_charged(tenant: TenantRef, fact: Charged) -> None:
    with unit_of_work(tenant) as work:
        effect(work, "lab.outside", fact.key, fact.n)
        told = order(work, fact.key)
    obey(told)


@schedules.schedule("lab.beat", every_seconds=1, catch_up="each")
def on_beat(tenant: TenantRef, due_at: datetime) -> None:
    with unit_of_work(tenant) as work:
        effect(work, "lab.beat", due_at.isoformat(), 0)


def read_rows(work: Work, after_id: int, limit: int) -> list[tuple[int, Fact | None]]:
    """Rows as facts; those with a negative number are none, as refusals in a journal."""
    rows = work.session.execute(
        text("SELECT id, n FROM lab_rows WHERE id > :after ORDER BY id LIMIT :limit"),
        {"after": after_id, "limit": limit},
    )
    return [(row.id, Counted(row.id, row.n) if row.n >= 0 else None) for row in rows]


def fold_rows(work: Work, batch: Batch) -> None:
    for _, fact in batch:
        assert isinstance(fact, Counted)
        effect(work, "lab.fold", "rows", fact.n)
    obey(order(work, "fold"))


def register_streams() -> None:
    """Only where the lab's tenant alone is relayed: other tenants have no such table."""
    outbox.add_stream("lab_rows", read_rows, Counted)
    outbox.add_fold("lab_rows", "lab.fold", fold_rows)


def the_lab(after_id: int, limit: int) -> list[TenantRef]:
    """The directory of tenants of these processes: the lab alone."""
    name, schema = os.environ["LAB_TENANT"].split(":")
    ref = TenantRef(int(name), SLUG, schema)
    return [ref] if after_id < ref.id else []


def main(kind: str) -> None:
    """One real process: relay, worker or cron."""
    from whitefelt.kernel import jobs, relay, wakeups

    if "LAB_JOB_SECONDS" in os.environ:
        wakeups.JOB_SECONDS = int(os.environ["LAB_JOB_SECONDS"])
        jobs._GRACE_SECONDS = 1

    def announce(message: str) -> None:
        print(message, flush=True)

    register_streams()
    if kind == "relay":
        relay.main(the_lab, announce)
    elif kind == "worker":
        jobs.worker_main(["money", "default", "mail"], the_lab, announce)
    else:
        schedules.cron_main(announce)


if __name__ == "__main__":
    # As a module of its own name, so that facts and handlers exist once.
    from kernel import lab

    lab.main(sys.argv[1])

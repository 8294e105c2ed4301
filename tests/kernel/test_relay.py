"""Relay, workers and cron as real processes that are killed, starved and cut off: every effect happens exactly once."""

from __future__ import annotations

import os
import signal
import time
from datetime import datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import select, text

from kernel.conftest import Lab, wait_until
from kernel.lab import Charged, Noted
from whitefelt.kernel import outbox, wakeups
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.outbox_models import DeliveryRow, ScheduleRow


def numbers(floor: Lab, subject: str, consumer: str = "lab.inside") -> list[int]:
    return [n for _, n in floor.effects(consumer, f"subject:{subject}")]


def delivery(floor: Lab, subject: str, consumer: str = "lab.inside") -> DeliveryRow:
    """The first delivery of that subject."""
    with unit_of_work(floor.tenant) as work:
        query = select(DeliveryRow).where(DeliveryRow.consumer == consumer, DeliveryRow.key == f"subject:{subject}")
        row = work.session.scalars(query.order_by(DeliveryRow.id).limit(1)).one()
        work.session.expunge(row)
        return row


def test_a_fact_is_handled_soon_after_it_is_recorded(floor: Lab) -> None:
    floor.crew()
    floor.note("first", 1)
    wait_until(lambda: numbers(floor, "first"))
    took = []
    for n in range(5):
        # At rest: longer than the relay's own turn after activity.
        time.sleep(0.6)
        began = time.monotonic()
        floor.note("soon", n)
        wait_until(lambda n=n: n in numbers(floor, "soon"))
        took.append(time.monotonic() - began)
    # The second best of five: what the machine does meanwhile is not the relay's; waiting for its turn would show in all.
    assert sorted(took)[1] < 0.5, took


def test_an_empty_valkey_loses_nothing(floor: Lab) -> None:
    """Killed with facts unrelayed, jobs in queues and jobs in hand; facts are recorded while it is away."""
    subjects = [f"s{number}" for number in range(6)]
    for subject in subjects:
        floor.tell(f"subject:{subject}", "nap")
    floor.crew()

    def effects() -> list[tuple[str, int]]:
        return [one for one in floor.effects("lab.inside") if one[0].removeprefix("subject:") in subjects]

    for subject in subjects:
        floor.note(subject, 1, 2)
    wait_until(effects)
    assert len(effects()) < 12
    floor.kill_valkey()
    began = time.monotonic()
    for subject in subjects:
        floor.note(subject, 3)
    with unit_of_work(floor.tenant) as work:
        outbox.record(work, Charged("s0", 1))
    assert time.monotonic() - began < 2, "commits must not wait for a queue that is away"
    floor.restart_valkey()
    for subject in subjects:
        floor.note(subject, 4)
        floor.tell(f"subject:{subject}", "")
    wait_until(lambda: len(effects()) >= 24 and floor.effects("lab.outside"), 20)
    time.sleep(0.5)
    assert {subject: numbers(floor, subject) for subject in subjects} == {one: [1, 2, 3, 4] for one in subjects}
    assert numbers(floor, "s0", "lab.outside") == [1]


def test_two_workers_keep_the_order_of_every_key(floor: Lab) -> None:
    _, workers = floor.crew()
    subjects = ("a", "b", "c", "d")
    for subject in subjects:
        floor.tell(f"subject:{subject}", "blink")
    for n in range(15):
        for subject in subjects:
            floor.note(subject, n)
    wait_until(lambda: sum(len(numbers(floor, subject)) for subject in subjects) == 60)
    for subject in subjects:
        assert numbers(floor, subject) == list(range(15))
    with unit_of_work(floor.tenant) as work:
        query = text("SELECT DISTINCT pid FROM lab_effects WHERE key = ANY (:keys)")
        at_work = set(work.session.scalars(query, {"keys": [f"subject:{subject}" for subject in subjects]}))
    assert at_work == {worker.pid for worker in workers}, "both take part"


def test_a_poisoned_fact_blocks_its_key_only(floor: Lab) -> None:
    floor.tell("subject:bad", "fail")
    floor.crew()
    floor.note("bad", 1, 2)
    floor.note("good", 1, 2)
    wait_until(lambda: numbers(floor, "good") == [1, 2])
    # It is tried again by itself, after growing pauses, and its followers wait.
    wait_until(lambda: delivery(floor, "bad").attempts >= 2)
    assert numbers(floor, "bad") == []
    floor.tell("subject:bad", "")
    wait_until(lambda: numbers(floor, "bad") == [1, 2])


def test_a_worker_killed_in_the_middle_is_followed_by_another(floor: Lab) -> None:
    floor.tell("subject:cut", "hang")
    _, workers = floor.crew()
    floor.note("cut", 1, 2)
    wait_until(lambda: attempts(floor, "cut") == 1)
    time.sleep(0.2)
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    assert numbers(floor, "cut") == []
    floor.tell("subject:cut", "")
    floor.crew()
    wait_until(lambda: numbers(floor, "cut") == [1, 2])
    time.sleep(0.5)
    assert numbers(floor, "cut") == [1, 2]
    assert attempts(floor, "cut") == 2


def attempts(floor: Lab, subject: str) -> int:
    """How often the subject's first delivery was tried; 0 while there is none."""
    with unit_of_work(floor.tenant) as work:
        query = text("SELECT max(attempts) FROM deliveries WHERE key = :key")
        return work.session.scalar(query, {"key": f"subject:{subject}"}) or 0


def test_a_fact_that_kills_its_worker_is_seen_to_fail(floor: Lab) -> None:
    floor.tell("subject:deadly", "die")
    _, workers = floor.crew()
    floor.note("deadly", 1)
    wait_until(lambda: [worker for worker in workers if worker.poll() == -signal.SIGKILL])
    row = delivery(floor, "deadly")
    floor.tell("subject:deadly", "")
    assert row.attempts == row.failures > 0
    assert row.last_error == "the attempt did not end"
    assert numbers(floor, "deadly") == []
    floor.crew()
    wait_until(lambda: numbers(floor, "deadly") == [1])


def test_a_handler_that_hangs_is_ended_and_its_worker_too_if_need_be(floor: Lab) -> None:
    floor.tell("subject:slow", "hang")
    floor.tell("subject:stuck", "stick")
    floor.stop()
    _, worker = floor.start("relay", "worker", LAB_JOB_SECONDS="1")
    floor.note("slow", 1)
    wait_until(lambda: attempts(floor, "slow") and "JobTimeoutException" in str(delivery(floor, "slow").last_error))
    floor.tell("subject:slow", "")
    floor.note("quick", 1)
    wait_until(lambda: numbers(floor, "quick") == [1] and numbers(floor, "slow") == [1])
    assert worker.poll() is None
    # One that no alarm reaches: the worker ends, the attempt counts, the next worker goes on.
    floor.note("stuck", 1)
    assert worker.wait(10) == 1
    assert delivery(floor, "stuck").last_error == "the attempt did not end"
    floor.tell("subject:stuck", "")
    floor.stop()
    floor.crew()
    wait_until(lambda: numbers(floor, "stuck") == [1])


def test_a_late_commit_is_delivered_by_the_running_relay(floor: Lab) -> None:
    floor.crew()
    with unit_of_work(floor.tenant) as work:
        outbox.record(work, Noted("late", 1))
        floor.note("after", 1)
        time.sleep(1)
        assert numbers(floor, "after") == []
    wait_until(lambda: numbers(floor, "after") == [1] and numbers(floor, "late") == [1])


def test_wake_ups_for_nothing_and_in_plenty_do_nothing(floor: Lab) -> None:
    floor.crew()
    floor.note("plenty", 1)
    wait_until(lambda: numbers(floor, "plenty") == [1])
    job = wakeups.drain_job("default", floor.tenant.id, "lab.inside", "subject:plenty")
    assert wakeups.send([job, job]) == 1
    waiting = wakeups.rq_queue("default")
    for _ in range(30):
        waiting.enqueue(
            "whitefelt.kernel.jobs.drain_key", floor.tenant.id, "lab.inside", "subject:plenty", result_ttl=0
        )
    floor.note("plenty", 2)
    wait_until(lambda: numbers(floor, "plenty") == [1, 2] and waiting.count == 0)
    time.sleep(0.3)
    assert numbers(floor, "plenty") == [1, 2]


def test_lost_database_connections_lose_nothing(floor: Lab, servers: Any) -> None:
    floor.crew()
    floor.note("lost", 1)
    wait_until(lambda: numbers(floor, "lost") == [1])
    for n in (2, 3):
        with psycopg.connect(servers.postgres.superuser_url, autocommit=True) as connection:
            cut = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'whitefelt' AND pid <> pg_backend_pid()"
            ).fetchone()
        assert cut is not None
        assert cut[0] >= 2
        floor.note("lost", n)
        wait_until(lambda n=n: n in numbers(floor, "lost"))
    assert numbers(floor, "lost") == [1, 2, 3]


def test_cron_ticks_and_catches_up_through_real_processes(floor: Lab) -> None:
    def beats() -> list[datetime]:
        return [datetime.fromisoformat(key) for key, _ in floor.effects("lab.beat")]

    _, workers = floor.crew()
    cron = floor.start("cron")
    wait_until(lambda: len(beats()) >= 2)
    for process in [*workers, *cron]:
        process.terminate()
        assert process.wait(5) == 0
    floor.kill_valkey()
    seen = max(beats())
    time.sleep(2)
    floor.restart_valkey()
    floor.crew()
    floor.start("cron")
    wait_until(lambda: len([one for one in beats() if one > seen]) >= 4)
    found = beats()
    # Every second had its run, in order, once, also those when nothing ran.
    assert found == [found[0] + timedelta(seconds=number) for number in range(len(found))]
    with unit_of_work(floor.tenant) as work:
        assert work.session.get_one(ScheduleRow, "lab.beat").last_due_at >= found[-1]

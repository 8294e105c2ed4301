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
from kernel.lab import Charged
from whitefelt.kernel import outbox, queue, wakeups
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.outbox_models import DeliveryRow, ScheduleRow


def numbers(bench: Lab, subject: str, consumer: str = "lab.inside") -> list[int]:
    return [n for _, n in bench.effects(consumer, f"subject:{subject}")]


def delivery(bench: Lab, subject: str, consumer: str = "lab.inside") -> DeliveryRow:
    """The first delivery of that subject."""
    with unit_of_work(bench.tenant) as work:
        query = select(DeliveryRow).where(DeliveryRow.consumer == consumer, DeliveryRow.key == f"subject:{subject}")
        row = work.session.scalars(query.order_by(DeliveryRow.id).limit(1)).one()
        work.session.expunge(row)
        return row


def test_a_fact_is_handled_soon_after_it_is_recorded(bench: Lab) -> None:
    bench.start("relay", "worker")
    bench.note("first", 1)
    wait_until(lambda: numbers(bench, "first"))
    took = []
    for n in range(5):
        # At rest: longer than the relay's own turn after activity.
        time.sleep(0.6)
        began = time.monotonic()
        bench.note("soon", n)
        wait_until(lambda n=n: n in numbers(bench, "soon"))
        took.append(time.monotonic() - began)
    assert sorted(took)[2] < 0.5, took


def test_an_empty_valkey_loses_nothing(bench: Lab) -> None:
    """Killed with facts unrelayed, jobs in queues and jobs in hand; facts are recorded while it is away."""
    subjects = [f"s{number}" for number in range(6)]
    for subject in subjects:
        bench.tell(f"subject:{subject}", "nap")
    bench.start("relay", "worker", "worker")
    for subject in subjects:
        bench.note(subject, 1, 2)
    wait_until(lambda: bench.effects("lab.inside"))
    assert len(bench.effects("lab.inside")) < 12
    bench.kill_valkey()
    began = time.monotonic()
    for subject in subjects:
        bench.note(subject, 3)
    with unit_of_work(bench.tenant) as work:
        outbox.record(work, Charged("s0", 1))
    assert time.monotonic() - began < 2, "commits must not wait for a queue that is away"
    bench.restart_valkey()
    for subject in subjects:
        bench.note(subject, 4)
        bench.tell(f"subject:{subject}", "")
    wait_until(lambda: len(bench.effects("lab.inside")) >= 24 and bench.effects("lab.outside"), 20)
    time.sleep(0.5)
    assert {subject: numbers(bench, subject) for subject in subjects} == {one: [1, 2, 3, 4] for one in subjects}
    assert numbers(bench, "s0", "lab.outside") == [1]


def test_two_workers_keep_the_order_of_every_key(bench: Lab) -> None:
    workers = bench.start("relay", "worker", "worker")[1:]
    for n in range(15):
        for subject in ("a", "b", "c", "d"):
            bench.note(subject, n)
    wait_until(lambda: len(bench.effects("lab.inside")) == 60)
    for subject in ("a", "b", "c", "d"):
        assert numbers(bench, subject) == list(range(15))
    with unit_of_work(bench.tenant) as work:
        at_work = set(work.session.scalars(text("SELECT DISTINCT pid FROM lab_effects")))
    assert at_work <= {worker.pid for worker in workers}


def test_a_poisoned_fact_blocks_its_key_only(bench: Lab) -> None:
    bench.tell("subject:bad", "fail")
    bench.start("relay", "worker")
    bench.note("bad", 1, 2)
    bench.note("good", 1, 2)
    wait_until(lambda: numbers(bench, "good") == [1, 2])
    # It is tried again by itself, after growing pauses, and its followers wait.
    wait_until(lambda: delivery(bench, "bad").attempts >= 2)
    assert numbers(bench, "bad") == []
    bench.tell("subject:bad", "")
    wait_until(lambda: numbers(bench, "bad") == [1, 2])


def test_a_worker_killed_in_the_middle_is_followed_by_another(bench: Lab) -> None:
    bench.tell("subject:a", "hang")
    _, worker = bench.start("relay", "worker")
    bench.note("a", 1, 2)
    wait_until(lambda: delivery_exists(bench) and delivery(bench, "a").attempts == 1)
    time.sleep(0.2)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    assert numbers(bench, "a") == []
    bench.tell("subject:a", "")
    bench.start("worker")
    wait_until(lambda: numbers(bench, "a") == [1, 2])
    time.sleep(0.5)
    assert numbers(bench, "a") == [1, 2]
    assert delivery(bench, "a").attempts == 2


def delivery_exists(bench: Lab) -> bool:
    with unit_of_work(bench.tenant) as work:
        return work.session.scalar(select(DeliveryRow.id).limit(1)) is not None


def test_a_fact_that_kills_its_worker_is_seen_to_fail(bench: Lab) -> None:
    bench.tell("subject:a", "die")
    _, worker = bench.start("relay", "worker")
    bench.note("a", 1)
    assert worker.wait(10) == -signal.SIGKILL
    row = delivery(bench, "a")
    assert (row.attempts, row.failures, row.last_error) == (1, 1, "the attempt did not end")
    assert numbers(bench, "a") == []


def test_a_handler_that_hangs_is_ended(bench: Lab) -> None:
    bench.tell("subject:slow", "hang")
    bench.start("relay", "worker", LAB_JOB_SECONDS="1")
    # Recorded without a wake-up of our own, so that the limit is the relay's.
    bench.note("slow", 1)
    wait_until(lambda: "JobTimeoutException" in str(delivery_exists(bench) and delivery(bench, "slow").last_error))
    bench.note("quick", 1)
    wait_until(lambda: numbers(bench, "quick") == [1])


def test_a_handler_that_no_alarm_reaches_ends_its_worker(bench: Lab) -> None:
    bench.tell("subject:stuck", "stick")
    _, worker = bench.start("relay", "worker", LAB_JOB_SECONDS="1")
    bench.note("stuck", 1)
    assert worker.wait(10) == 1
    assert delivery(bench, "stuck").last_error == "the attempt did not end"
    bench.tell("subject:stuck", "")
    bench.start("worker")
    wait_until(lambda: numbers(bench, "stuck") == [1])


def test_a_late_commit_is_delivered_by_the_running_relay(bench: Lab) -> None:
    bench.start("relay", "worker")
    from kernel.lab import Noted

    with unit_of_work(bench.tenant) as work:
        outbox.record(work, Noted("late", 1))
        bench.note("after", 1)
        time.sleep(1)
        assert numbers(bench, "after") == []
    wait_until(lambda: numbers(bench, "after") == [1] and numbers(bench, "late") == [1])


def test_wake_ups_for_nothing_and_in_plenty_do_nothing(bench: Lab) -> None:
    bench.start("relay", "worker", "worker")
    bench.note("a", 1)
    wait_until(lambda: numbers(bench, "a") == [1])
    job = wakeups.drain_job("default", bench.tenant.id, "lab.inside", "subject:a")
    assert wakeups.send([job, job]) == 1
    waiting = wakeups.rq_queue("default")
    for _ in range(30):
        waiting.enqueue("whitefelt.kernel.jobs.drain_key", bench.tenant.id, "lab.inside", "subject:a", result_ttl=0)
    bench.note("a", 2)
    wait_until(lambda: numbers(bench, "a") == [1, 2] and waiting.count == 0)
    time.sleep(0.3)
    assert numbers(bench, "a") == [1, 2]


def test_lost_database_connections_lose_nothing(bench: Lab, servers: Any) -> None:
    bench.start("relay", "worker")
    bench.note("a", 1)
    wait_until(lambda: numbers(bench, "a") == [1])
    for n in (2, 3):
        with psycopg.connect(servers.postgres.superuser_url, autocommit=True) as connection:
            cut = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'whitefelt' AND pid <> pg_backend_pid()"
            ).fetchone()
        assert cut is not None
        assert cut[0] >= 2
        bench.note("a", n)
        wait_until(lambda n=n: n in numbers(bench, "a"))
    assert numbers(bench, "a") == [1, 2, 3]


def test_cron_ticks_and_catches_up_through_real_processes(bench: Lab) -> None:
    def beats() -> list[datetime]:
        return [datetime.fromisoformat(key) for key, _ in bench.effects("lab.beat")]

    processes = bench.start("relay", "worker", "cron")
    wait_until(lambda: len(beats()) >= 2)
    for process in processes:
        process.terminate()
        process.wait(5)
    bench.kill_valkey()
    seen = max(beats())
    time.sleep(2)
    bench.restart_valkey()
    bench.start("relay", "worker", "cron")
    wait_until(lambda: len([one for one in beats() if one > seen]) >= 4)
    found = beats()
    # Every second had its run, in order, once, also those when nothing ran.
    assert found == [found[0] + timedelta(seconds=number) for number in range(len(found))]
    with unit_of_work(bench.tenant) as work:
        assert work.session.get_one(ScheduleRow, "lab.beat").last_due_at >= found[-1]
    assert queue.connection().ping()

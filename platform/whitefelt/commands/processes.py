"""The long-running processes: web, relay, worker, cron. The supervisor (or yours) starts them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from whitefelt.commands._connect import connect, data_option


def _announce(message: str) -> None:
    """Say on standard error that the process is ready."""
    click.echo(message, err=True)


@click.command()
@data_option
def relay(data: Path) -> None:
    """Carry facts from every tenant's journal and outbox to those who react."""
    connect(data)
    from whitefelt import tenancy
    from whitefelt.app import wire
    from whitefelt.kernel import relay as kernel_relay

    wire()
    kernel_relay.main(tenancy.tenants, _announce)


@click.command()
@click.option("--queues", default="money,default,mail", show_default=True, help="Queues in order of urgency.")
@data_option
def worker(queues: str, data: Path) -> None:
    """React to facts: drain the keys that have deliveries waiting."""
    connect(data)
    from whitefelt import tenancy
    from whitefelt.app import wire
    from whitefelt.kernel import jobs

    wire()
    jobs.worker_main(queues.split(","), tenancy.tenants, _announce)


@click.command()
@data_option
def cron(data: Path) -> None:
    """Tick: find what is due in the schedules and hand it to the workers."""
    connect(data)
    from whitefelt.app import wire
    from whitefelt.kernel import schedules

    wire()
    schedules.cron_main(_announce)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--threads", default=12, show_default=True, help="Requests that one worker serves at the same time.")
@data_option
def web(host: str, workers: int, threads: int, data: Path) -> None:
    """Serve every site, the API and the vendors' callbacks."""
    told = connect(data)
    granian = Path(sys.executable).with_name("granian")
    # Replaces this process, so that whoever supervises it supervises the server itself.
    os.execv(granian, [  # noqa: S606
        str(granian), "--interface", "wsgi", "--host", host, "--port", str(told.port), "--workers", str(workers),
        "--blocking-threads", str(threads), "--backpressure", "256", "--respawn-failed-workers", "--respawn-interval", "1",
        "--workers-kill-timeout", "5", "--log-level", "warning", "--no-ws", "--http", "1", "--factory",
        "whitefelt.app:create_app",
    ])  # fmt: skip

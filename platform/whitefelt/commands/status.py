"""`whitefelt status`: what runs, and what waits."""

from __future__ import annotations

import json
from pathlib import Path

import click

from whitefelt.commands._connect import connect, data_option


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@data_option
def status(as_json: bool, data: Path) -> None:
    """Tell whether database and queue answer, and what each operator has waiting."""
    connect(data)
    from whitefelt.app import every_tenant, wire
    from whitefelt.kernel import deliveries, probes
    from whitefelt.kernel.db import unit_of_work

    wire()
    code, told = probes.readiness()
    waiting = {}
    for ref in every_tenant():
        with unit_of_work(ref) as work:
            waiting[ref.slug] = {
                one.consumer: {"pending": one.pending, "blocked": one.blocked} for one in deliveries.backlog(work)
            }
    if as_json:
        click.echo(json.dumps({"ready": code == 200, **told, "deliveries": waiting}))
        return
    click.echo(f"database {told['database']}, valkey {told['valkey']}")
    for slug, counts in waiting.items():
        click.echo(f"{slug}: {json.dumps(counts)}")

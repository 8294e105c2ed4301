"""`whitefelt demo`: the whole platform with sandbox vendors, two operators and people to play with, by one command."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from whitefelt.commands._connect import data_option


@click.command()
@data_option
@click.option(
    "--port", type=click.IntRange(1, 65535), default=None, help="Port of the web server (default: 8000 or a free one)."
)
@click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON object on standard output when ready.")
@click.option("--workers", default=2, show_default=True, help="Processes of the web server.")
def demo(data: Path, port: int | None, as_json: bool, workers: int) -> None:
    """Start everything and stay until Ctrl-C or SIGTERM. A second start on the same folder keeps all data."""
    from whitefelt.demo import Demo
    from whitefelt.supervisor import Supervisor

    plan = Demo(data.expanduser().absolute(), port, workers)
    verbose = as_json or not sys.stderr.isatty()
    with Supervisor(plan.data, plan.specs(), echo=verbose) as supervisor:
        supervisor.run(lambda: _tell(plan.ready(), as_json))


def _tell(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts))
    else:
        _table(facts)
    sys.stdout.flush()


def _table(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title="Whitefelt is ready", title_justify="left", show_lines=False)
    for name in ("what", "address", "sign in with", "password"):
        table.add_column(name, overflow="fold")
    for brand in facts["brands"]:
        for number, player in enumerate(brand["players"]):
            what = f"{brand['brand'].title()} · {brand['jurisdiction']} · {brand['currency']}" if not number else ""
            table.add_row(what, brand["url"] if not number else "", player["email"], player["password"])
    for office in facts["backoffice"]:
        for number, staff in enumerate(office["staff"]):
            what = f"Back office of {office['tenant']}" if not number else ""
            table.add_row(
                what, office["url"] if not number else "", f"{staff['email']} ({staff['role']})", staff["password"]
            )
    for staff in facts["supplier"]["staff"]:
        table.add_row("Supplier console", facts["supplier"]["url"], staff["email"], staff["password"])
    for name, url in facts["sandbox"].items():
        table.add_row(f"Sandbox {name}", url, "", "")
    console.print(table)
    console.print("Ctrl-C ends everything; the data stays in", facts["data"])

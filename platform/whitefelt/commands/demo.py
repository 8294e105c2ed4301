"""`whitefelt demo`: the whole platform with sandbox vendors, two operators and people to play with, by one command."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from whitefelt.commands._connect import data_option

_VENDORS = {"studio": "game studio", "psp": "payment provider", "eid": "electronic id", "mail": "mail that was sent"}


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
    """Every address with its logins below it; two columns, so that nothing wraps on a terminal of 80."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for _ in range(2):
        table.add_column(overflow="fold")

    def place(what: str, url: str, people: Sequence[dict[str, str]] = ()) -> None:
        table.add_row(f"[bold]{what}[/]", f"[cyan]{url}[/]")
        for one in people:
            table.add_row(f"  {one['email']}", one["password"])

    for brand in facts["brands"]:
        name = f"{brand['brand'].title()} · {brand['jurisdiction']} · {brand['currency']}"
        place(name, brand["url"], brand["players"])
    for office in facts["backoffice"]:
        place(f"Back office of {office['tenant'].title()}", office["url"], office["staff"])
    place("Supplier console", facts["supplier"]["url"], facts["supplier"]["staff"])
    for name, url in facts["sandbox"].items():
        place(f"Sandbox: {_VENDORS.get(name, name)}", url)
    console.print("\n[bold]Whitefelt is ready.[/] Below each address: who signs in there, and the password.\n")
    console.print(table)
    console.print(f"\nCtrl-C ends everything; the data stays in {facts['data']}", soft_wrap=True)

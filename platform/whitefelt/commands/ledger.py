"""`whitefelt ledger verify`: recompute everything, name every fault."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from whitefelt.commands._connect import connect, data_option


@click.group()
def ledger() -> None:
    """The ledger."""


@ledger.command()
@click.option("--tenant", "slug", default=None, help="Only this operator (its slug).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@data_option
def verify(slug: str | None, as_json: bool, data: Path) -> None:
    """Recompute balances, chains, folds, pending, escrow and facts; exit code 1 when anything is wrong."""
    connect(data)
    from whitefelt import tenancy
    from whitefelt.app import every_tenant, wire
    from whitefelt.proof import prove

    wire()
    chosen = [tenancy.tenant_by_slug(slug)] if slug else every_tenant()
    results = [prove(ref) for ref in chosen]
    clean = all(not result.faults for result in results)
    if as_json:
        click.echo(json.dumps({"ok": clean, "tenants": [asdict(result) for result in results]}))
    else:
        for result in results:
            _tell(result)
    sys.exit(0 if clean else 1)


def _tell(result: Any) -> None:
    click.echo(f"{result.tenant}: {result.postings} postings, {result.operations} operations, {result.rounds} rounds")
    for row in result.figures:
        shown = ", ".join(f"{name} {value}" for name, value in row.items() if name != "currency")
        click.echo(f"  {row['currency']} (ledger units): {shown}")
    for fault in result.faults:
        click.echo(f"  FAULT {fault.code}: {fault.subject}: {fault.detail}")
    click.echo("  clean" if not result.faults else f"  {len(result.faults)} faults")

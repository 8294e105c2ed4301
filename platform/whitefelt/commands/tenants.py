"""`whitefelt tenant`: apply a tenant's folder, list who there is."""

from __future__ import annotations

from pathlib import Path

import click

from whitefelt.commands._connect import connect, data_option


@click.group()
def tenant() -> None:
    """Operators."""


@tenant.command("apply")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="Value for `{NAME}` in the folder's files.")
@data_option
def apply_command(folder: Path, pairs: tuple[str, ...], data: Path) -> None:
    """Create or change the operator that FOLDER describes (its name is the operator's slug)."""
    connect(data)
    from whitefelt import tenancy

    variables = dict(pair.partition("=")[::2] for pair in pairs)
    ref = tenancy.apply_folder(folder, variables)
    click.echo(f"{ref.slug}: schema {ref.schema}, sites {', '.join(site.host for site in tenancy.sites_of(ref))}")


@tenant.command("list")
@data_option
def list_command(data: Path) -> None:
    """List the operators, their schemas and sites."""
    connect(data)
    from whitefelt import tenancy
    from whitefelt.app import every_tenant

    for ref in every_tenant():
        click.echo(f"{ref.slug}\t{ref.schema}\t{ref.alias}\t{' '.join(site.host for site in tenancy.sites_of(ref))}")

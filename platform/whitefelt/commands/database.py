"""`whitefelt db`: bring the platform's and every tenant's schema to the newest revision."""

from __future__ import annotations

from pathlib import Path

import click

from whitefelt.commands._connect import connect, data_option


@click.group()
def db() -> None:
    """The database."""


@db.command()
@data_option
def upgrade(data: Path) -> None:
    """Upgrade the platform schema, then every tenant's."""
    connect(data)
    from whitefelt import tenancy
    from whitefelt.app import every_tenant

    click.echo(f"platform: {tenancy.upgrade_platform()}")
    for tenant in every_tenant():
        click.echo(f"{tenant.slug}: {tenancy.upgrade_tenant(tenant)}")

"""The command line: `whitefelt <family> <command>`."""

from __future__ import annotations

import logging
import sys

import click

from whitefelt import __version__
from whitefelt.commands import database, demo, ledger, processes, status, tenants, theme
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.settings import SettingsError
from whitefelt.supervisor import SupervisorError


@click.group()
@click.version_option(__version__)
def cli() -> None:
    """Whitefelt: an open-source iGaming platform."""


for family in (
    database.db, demo.demo, ledger.ledger, tenants.tenant, theme.theme, status.status, processes.relay, processes.worker,
    processes.cron, processes.web,
):  # fmt: skip
    cli.add_command(family)


def main() -> None:
    """Run a command; what people can do something about is told in a sentence, not in a traceback."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        cli(standalone_mode=True)
    except (SettingsError, SupervisorError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except Problem as problem:
        click.echo(f"{problem.code.name}: {problem.detail}", err=True)
        sys.exit(1)

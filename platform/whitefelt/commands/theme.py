"""`whitefelt theme`: check a theme before anyone sees it."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.group()
def theme() -> None:
    """Themes."""


@theme.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def check(folder: Path) -> None:
    """Check the theme in FOLDER: it compiles, keeps every legal slot, is readable, loads nothing from elsewhere."""
    from whitefelt import theming

    findings = theming.check(folder)
    for finding in findings:
        click.echo(str(finding))
    click.echo(f"{len(findings)} findings" if findings else "nothing to mend")
    if any(finding.blocks for finding in findings):
        sys.exit(1)

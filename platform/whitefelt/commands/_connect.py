"""Finding the platform that a command speaks to: the environment, or what runs on a data folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from whitefelt.kernel import settings
from whitefelt.supervisor import runtime


def data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--data DIR`, by default WHITEFELT_DATA or `.whitefelt`."""
    return click.option(
        "--data", type=click.Path(file_okay=False, path_type=Path), envvar="WHITEFELT_DATA", default=Path(".whitefelt"),
        show_default=True, help="Data folder of the running platform.",
    )(command)  # fmt: skip


def connect(data: Path) -> settings.Settings:
    """The settings of the running platform: from DATABASE_URL and REDIS_URL when both are set, else from `data`."""
    os.environ["WHITEFELT_DATA"] = str(data.expanduser().absolute())
    if not (os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")):
        os.environ.update(runtime.read(data)["environment"])
    settings.current.cache_clear()
    return settings.current()

"""Schedules of the platform itself and their runs."""

from whitefelt.kernel.migration import run_sql

revision = "p0002"
down_revision = "p0001"


def upgrade() -> None:
    run_sql(__file__)

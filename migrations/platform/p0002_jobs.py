"""Schedules of the platform and which tenants have facts waiting."""

from whitefelt.kernel.migration import run_sql

revision = "p0002"
down_revision = "p0001"


def upgrade() -> None:
    run_sql(__file__)

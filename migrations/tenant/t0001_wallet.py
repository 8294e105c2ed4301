"""Pockets, journal, holds, counters and the functions that move money."""

from whitefelt.kernel.migration import run_sql

revision = "t0001"
down_revision = None


def upgrade() -> None:
    run_sql(__file__)

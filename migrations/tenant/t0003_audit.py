"""Append-only, hash-chained audit log."""

from whitefelt.kernel.migration import run_sql

revision = "t0003"
down_revision = "t0002"


def upgrade() -> None:
    run_sql(__file__)

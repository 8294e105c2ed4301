"""Limits, exclusions and identity cases."""

from whitefelt.kernel.migration import run_sql

revision = "t0005"
down_revision = "t0004"


def upgrade() -> None:
    run_sql(__file__)

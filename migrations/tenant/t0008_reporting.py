"""Daily totals."""

from whitefelt.kernel.migration import run_sql

revision = "t0008"
down_revision = "t0007"


def upgrade() -> None:
    run_sql(__file__)

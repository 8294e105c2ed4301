"""Play sessions."""

from whitefelt.kernel.migration import run_sql

revision = "t0006"
down_revision = "t0005"


def upgrade() -> None:
    run_sql(__file__)

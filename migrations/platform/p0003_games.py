"""The game library: studios and titles."""

from whitefelt.kernel.migration import run_sql

revision = "p0003"
down_revision = "p0002"


def upgrade() -> None:
    run_sql(__file__)

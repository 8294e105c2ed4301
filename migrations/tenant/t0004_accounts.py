"""Players, staff, credentials, sessions and consents."""

from whitefelt.kernel.migration import run_sql

revision = "t0004"
down_revision = "t0003"


def upgrade() -> None:
    run_sql(__file__)

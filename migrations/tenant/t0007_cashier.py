"""Deposits, withdrawals and the inbox of payment notifications."""

from whitefelt.kernel.migration import run_sql

revision = "t0007"
down_revision = "t0006"


def upgrade() -> None:
    run_sql(__file__)

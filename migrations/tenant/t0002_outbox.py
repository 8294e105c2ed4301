"""Outbox, deliveries, relay cursors and schedules."""

from whitefelt.kernel.migration import run_sql

revision = "t0002"
down_revision = "t0001"


def upgrade() -> None:
    run_sql(__file__)

"""Tenants, brands, domains, integrations, supplier staff."""

from whitefelt.kernel.migration import run_sql

revision = "p0001"
down_revision = None


def upgrade() -> None:
    run_sql(__file__)

"""What has been written in two operators' schemas: a count and a checksum per table."""

from __future__ import annotations

import os

import psycopg

from whitefelt.kernel.context import TenantRef

#: What being asked may write by itself: when a session was last used, that somebody tried to sign in.
COUNTED_ONLY = {"player_sessions", "staff_sessions"}
IGNORED = {"sign_in_attempts", "alembic_version"}


class Written:
    """Reads every table of the given operators, as the owner of the database."""

    def __init__(self, *tenants: TenantRef) -> None:
        self.url = os.environ["DATABASE_URL"]
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(
                "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY (%s)",
                ([t.schema for t in tenants],),
            ).fetchall()
        parts = []
        for schema, table in rows:
            if table in IGNORED:
                continue
            checksum = "0" if table in COUNTED_ONLY else "coalesce(sum(hashtextextended(t::text, 0)), 0)"
            parts.append(f"SELECT '{schema}.{table}', count(*), {checksum}::text FROM {schema}.{table} t")
        assert len(parts) > 20 * len(tenants), len(parts)
        self.query = " UNION ALL ".join(parts)

    def now(self) -> dict[str, tuple[int, str]]:
        """Rows and checksum of every table."""
        with psycopg.connect(self.url) as connection:
            return {name: (count, checksum) for name, count, checksum in connection.execute(self.query)}

    def since(self, before: dict[str, tuple[int, str]]) -> dict[str, tuple[object, object]]:
        """Tables that differ, with both values."""
        after = self.now()
        return {name: (before[name], told) for name, told in after.items() if before[name] != told}

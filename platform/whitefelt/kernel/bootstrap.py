"""The database before any table: logins, groups and the two shared schemas. Safe to run at every start.

Run with the administrative login (owner of the database, CREATEROLE, no superuser needed). Logins:
`app` and `money` inherit nothing and have an empty search path; `audit` reads, and can do nothing else; `platform` is a
group that `app` may step into. Passwords derive from the secret key.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from whitefelt.kernel import settings

#: Any constant: one bootstrap or provisioning at a time per database server, since roles belong to the server.
ROLE_LOCK = 7_305_811_220


def bootstrap(alias: str = "default") -> None:
    """Create or repair logins, groups and shared schemas on that database alias; idempotent."""
    told = settings.current()
    with psycopg.connect(told.databases[alias], connect_timeout=10) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (ROLE_LOCK,))
        _group(connection, told.login("platform"))
        for name in ("app", "money", "audit"):
            _login(connection, told.login(name), told.login_password(name))
        _run(connection, "GRANT {platform} TO {app}")
        _run(connection, "ALTER ROLE {audit} SET default_transaction_read_only = on")
        # The money functions' statements never profit from a plan made for one call, and planning anew costs more than
        # running them.
        _run(connection, "ALTER ROLE {money} SET plan_cache_mode = force_generic_plan")
        database = connection.info.dbname
        _run(connection, "REVOKE ALL ON DATABASE {db} FROM PUBLIC", db=sql.Identifier(database))
        _run(connection, "GRANT CONNECT ON DATABASE {db} TO {app}, {money}, {audit}", db=sql.Identifier(database))
        for schema in ("platform", "extensions"):
            _run(connection, "CREATE SCHEMA IF NOT EXISTS {schema}", schema=sql.Identifier(schema))
        _run(connection, "GRANT USAGE ON SCHEMA platform TO {platform}, {audit}")


def _login(connection: psycopg.Connection, name: str, password: str) -> None:
    role = sql.Identifier(name)
    if not _exists(connection, name):
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT").format(role))
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(password)))
    connection.execute(sql.SQL("ALTER ROLE {} SET search_path = ''").format(role))


def _group(connection: psycopg.Connection, name: str) -> None:
    if not _exists(connection, name):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))


def _exists(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is not None


def _run(connection: psycopg.Connection, statement: str, **names: sql.Composable) -> None:
    told = settings.current()
    logins = {name: sql.Identifier(told.login(name)) for name in ("app", "money", "audit", "platform")}
    connection.execute(sql.SQL(statement).format(**logins, **names))  # type: ignore[arg-type]

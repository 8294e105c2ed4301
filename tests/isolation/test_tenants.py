"""Every table of both operators, by name and by pin: what the database itself refuses, whatever the code above it does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors as refusals
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from whitefelt.kernel import context, db, settings
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import money_work, platform_work, snapshot_work, unit_of_work


@pytest.fixture(scope="module")
def owner(platform: Any) -> Iterator[psycopg.Connection]:
    """The owner of the database, who sees everything: to know which tables there are."""
    with psycopg.connect(platform.postgres.admin_url, autocommit=True) as connection:
        yield connection


def tables(owner: psycopg.Connection, tenant: TenantRef) -> list[str]:
    query = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'v', 'm') ORDER BY 1"
    return [str(row[0]) for row in owner.execute(query, (tenant.schema,))]


def grants(owner: psycopg.Connection, tenant: TenantRef, right: str) -> set[str]:
    """Tables on which the operator's own role has that right."""
    query = "SELECT table_name FROM information_schema.role_table_grants WHERE table_schema = %s AND grantee = %s AND privilege_type = %s"
    return {str(row[0]) for row in owner.execute(query, (tenant.schema, f"{tenant.schema}_app", right))}


def refused_by(work: db.Work, statement: str) -> type[Exception] | None:
    """What the database answers to a statement, None if it does it; nothing stays."""
    savepoint = work.session.begin_nested()
    try:
        work.session.execute(text(statement))
        return None
    except ProgrammingError as error:
        return type(error.orig) if error.orig else None
    finally:
        savepoint.rollback()


WORKS: dict[str, Callable[[TenantRef], Any]] = {
    "unit_of_work": unit_of_work,
    "money_work": money_work,
    "snapshot_work": snapshot_work,
}


@pytest.mark.parametrize("opened", WORKS)
def test_no_pin_reaches_another_operators_tables(
    owner: psycopg.Connection, alpha: TenantRef, bravo: TenantRef, opened: str
) -> None:
    """Reading every one of bravo's tables by its full name, pinned to alpha; and alpha's own, which can be read."""
    found = tables(owner, bravo)
    assert found == tables(owner, alpha) and len(found) > 15
    readable = grants(owner, alpha, "SELECT")
    assert len(readable) > 15, readable
    for mine, theirs in ((alpha, bravo), (bravo, alpha)):
        with WORKS[opened](mine) as work:
            for table in found:
                # Not even which columns it has.
                assert (
                    refused_by(work, f"SELECT count(*) FROM {theirs.schema}.{table}") is refusals.InsufficientPrivilege
                ), table
                own = refused_by(work, f"SELECT 1 FROM {table} LIMIT 1")
                assert own is None if table in readable else own is refusals.InsufficientPrivilege, (table, own)


@pytest.mark.parametrize("opened", ["unit_of_work", "money_work"])
def test_no_pin_writes_to_another_operators_tables(
    owner: psycopg.Connection, alpha: TenantRef, bravo: TenantRef, opened: str
) -> None:
    deletable = grants(owner, alpha, "DELETE")
    with WORKS[opened](alpha) as work:
        for table in tables(owner, bravo):
            for statement in ("DELETE FROM {0}", "TRUNCATE {0}", "INSERT INTO {0} DEFAULT VALUES", "DROP TABLE {0}"):
                answer = refused_by(work, statement.format(f"{bravo.schema}.{table}"))
                assert answer in (refusals.InsufficientPrivilege, refusals.WrongObjectType), (statement, table, answer)
        twins = [table for table in deletable if refused_by(work, f"DELETE FROM {table} WHERE false") is None]
        assert twins and set(twins) == deletable, "the twin: what alpha's role may delete, it can"


@pytest.mark.parametrize("login", ["app", "money"])
def test_a_forgotten_pin_sees_nothing(owner: psycopg.Connection, alpha: TenantRef, login: str) -> None:
    """The login by itself: names resolve to nothing, full names are refused, other roles cannot be looked into."""
    with psycopg.connect(settings.current().login_url(login), autocommit=True) as connection:
        row = connection.execute("SELECT current_setting('search_path')").fetchone()
        assert row is not None and row[0] in ("", '""')
        for table in tables(owner, alpha):
            with pytest.raises(refusals.UndefinedTable):
                connection.execute(f"SELECT * FROM {table}")
            with pytest.raises(refusals.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {alpha.schema}.{table}")
        with pytest.raises(refusals.InsufficientPrivilege):
            connection.execute("SELECT * FROM platform.tenants")
    with unit_of_work(alpha) as work:
        assert work.session.execute(text("SELECT count(*) FROM players")).scalar() is not None


def test_an_engine_used_without_a_pin_sees_nothing(alpha: TenantRef) -> None:
    """Also through our own pool, also right after somebody else's pinned transaction on the same connection."""
    for _ in range(3):
        with unit_of_work(alpha) as work:
            assert work.session.execute(text("SELECT current_setting('role')")).scalar() == f"{alpha.schema}_app"
        assert context.pin.get() is None
        with db.engine("app").connect() as connection:
            assert connection.execute(text("SELECT current_setting('role')")).scalar() == "none"
            with pytest.raises(ProgrammingError, match="does not exist"):
                connection.execute(text("SELECT count(*) FROM players"))


def test_a_thread_that_comes_late_has_no_pin(alpha: TenantRef) -> None:
    """A thread started inside a unit of work does not inherit it, and one with a unit of its own sees its own."""
    told: dict[str, Any] = {}

    def late() -> None:
        with db.engine("app").connect() as connection:
            try:
                told["late"] = connection.execute(text("SELECT count(*) FROM players")).scalar()
            except ProgrammingError as error:
                told["late"] = type(error.orig)

    def own() -> None:
        with unit_of_work(alpha) as work:
            told["own"] = work.session.execute(text("SELECT count(*) FROM players")).scalar()

    with unit_of_work(alpha) as work:
        for job in (late, own):
            thread = threading.Thread(target=job)
            thread.start()
            thread.join(10)
        assert told["late"] is refusals.UndefinedTable
        assert told["own"] == work.session.execute(text("SELECT count(*) FROM players")).scalar()


def test_the_platforms_work_sees_no_operators_tables(owner: psycopg.Connection, alpha: TenantRef) -> None:
    with platform_work() as work:
        for table in tables(owner, alpha):
            assert refused_by(work, f"SELECT 1 FROM {alpha.schema}.{table}") is refusals.InsufficientPrivilege, table
        assert refused_by(work, "SELECT 1 FROM platform.tenants") is None
    with unit_of_work(alpha) as work:
        assert refused_by(work, "SELECT 1 FROM platform.integrations") is refusals.InsufficientPrivilege


def test_no_role_can_step_into_another_operators(alpha: TenantRef, bravo: TenantRef) -> None:
    """A role that holds one operator's rights holds no other's: not by membership, not by owning anything there."""
    with psycopg.connect(settings.current().databases["default"]) as connection:

        def may(role: str, schema: str) -> bool:
            row = connection.execute("SELECT has_schema_privilege(%s, %s, 'USAGE')", (role, schema)).fetchone()
            return bool(row and row[0])

        for mine, theirs in ((alpha, bravo), (bravo, alpha)):
            for role in (f"{mine.schema}_app", mine.schema):
                assert may(role, mine.schema) and not may(role, theirs.schema), role
                member = connection.execute(
                    "SELECT pg_has_role(%s, %s, 'MEMBER')", (role, f"{theirs.schema}_app")
                ).fetchone()
                assert member == (False,), role

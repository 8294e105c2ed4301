"""The rules of the house for tables, asked of the catalogue of a freshly provisioned operator."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, text
from sqlalchemy.engine import Connection

import whitefelt
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import PlatformBase, TenantBase

if TYPE_CHECKING:
    from conftest import Floor

MAX_TENANT_TABLES = 120
SCRATCH = "house_scratch"


@pytest.fixture(scope="module")
def catalogue(platform: Floor) -> Iterator[psycopg.Connection]:
    with psycopg.connect(platform.postgres.admin_url, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def scratch(catalogue: psycopg.Connection) -> Iterator[str]:
    """A schema with one fault of every kind, to show that each rule finds its own."""
    catalogue.execute(f"CREATE SCHEMA {SCRATCH}")
    catalogue.execute(f"""
        CREATE TYPE {SCRATCH}.colour AS ENUM ('red');
        CREATE TABLE {SCRATCH}.parents (id bigint PRIMARY KEY);
        CREATE TABLE {SCRATCH}.children (parent_id bigint REFERENCES {SCRATCH}.parents (id), brand_id bigint, made timestamp,
            CONSTRAINT fk_children_brand_id FOREIGN KEY (brand_id) REFERENCES platform.brands (id));
        CREATE TABLE {SCRATCH}.prices (id bigint PRIMARY KEY, price_units numeric(12, 2), stake double precision)""")
    yield SCRATCH
    catalogue.execute(f"DROP SCHEMA {SCRATCH} CASCADE")


def names(catalogue: psycopg.Connection, query: str, schema: str) -> list[str]:
    return sorted(str(row[0]) for row in catalogue.execute(query, {"schema": schema}))  # type: ignore[call-overload]


TABLES = "SELECT relname FROM pg_class WHERE relnamespace = %(schema)s::regnamespace AND relkind IN ('r', 'p')"
KEYLESS = TABLES + " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = pg_class.oid AND contype = 'p')"
ENUMS = "SELECT typname FROM pg_type WHERE typnamespace = %(schema)s::regnamespace AND typtype = 'e'"
CROSSING = """
    SELECT conname FROM pg_constraint JOIN pg_class target ON target.oid = confrelid
    WHERE contype = 'f' AND connamespace = %(schema)s::regnamespace AND target.relnamespace <> connamespace"""
#: A foreign key is indexed when some index begins with its columns, in any order among themselves.
UNINDEXED = """
    SELECT conrelid::regclass || '.' || conname FROM pg_constraint
    WHERE contype = 'f' AND connamespace = %(schema)s::regnamespace AND NOT EXISTS (
        SELECT FROM pg_index WHERE indrelid = conrelid AND indpred IS NULL
        AND (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey)"""
ZONELESS = """
    SELECT table_name || '.' || column_name FROM information_schema.columns
    WHERE table_schema = %(schema)s AND data_type = 'timestamp without time zone'"""
#: Amounts are bigint, sums of them numeric(38, 0); a column whose name says units or minor is one, nothing is a float.
INEXACT = """
    SELECT table_name || '.' || column_name FROM information_schema.columns JOIN information_schema.tables
        USING (table_schema, table_name)
    WHERE table_schema = %(schema)s AND table_type = 'BASE TABLE' AND (data_type IN ('double precision', 'real', 'money')
        OR (column_name ~ '_(units|minor)$' AND data_type <> 'bigint' AND NOT (data_type = 'numeric' AND numeric_scale = 0)))"""
UNNAMED = """
    SELECT conrelid::regclass || '.' || conname FROM pg_constraint
    WHERE connamespace = %(schema)s::regnamespace AND contype IN ('p', 'u', 'f', 'c')
    AND conname !~ CASE contype WHEN 'p' THEN '^pk_' WHEN 'u' THEN '^uq_' WHEN 'f' THEN '^fk_' ELSE '^ck_' END
    AND conrelid <> 0"""


def test_an_operator_costs_few_tables(catalogue: psycopg.Connection, alpha: TenantRef, record_property: object) -> None:
    found = names(catalogue, TABLES, alpha.schema)
    record_property("tenant_tables", len(found))  # type: ignore[operator]
    print(f"tables per operator: {len(found)} (at most {MAX_TENANT_TABLES})")
    assert 15 < len(found) <= MAX_TENANT_TABLES


@pytest.mark.parametrize(("query", "planted"), [
    (KEYLESS, ["children"]),
    (ENUMS, ["colour"]),
    (CROSSING, ["fk_children_brand_id"]),
    (UNINDEXED, ["house_scratch.children.children_parent_id_fkey", "house_scratch.children.fk_children_brand_id"]),
    (ZONELESS, ["children.made"]),
    (INEXACT, ["prices.price_units", "prices.stake"]),
    (UNNAMED, ["house_scratch.children.children_parent_id_fkey", "house_scratch.parents.parents_pkey", "house_scratch.prices.prices_pkey"]),
], ids=["keyless", "enums", "crossing", "unindexed", "zoneless", "inexact", "unnamed"])  # fmt: skip
def test_no_table_breaks_a_rule(
    catalogue: psycopg.Connection, alpha: TenantRef, scratch: str, query: str, planted: list[str]
) -> None:
    """Neither an operator's schema nor the platform's; the scratch schema breaks each."""
    assert names(catalogue, query, scratch) == planted
    for schema in (alpha.schema, "platform"):
        found = [name for name in names(catalogue, query, schema) if "alembic_version" not in name]
        assert not found, (schema, found)


# --- models and migrations ---------------------------------------------------------------------------------------------


def load_models() -> None:
    """Import every file that declares tables, so that the metadata are whole."""
    for found in pkgutil.walk_packages(whitefelt.__path__, "whitefelt."):
        if found.name.endswith(("models", ".directory")) and "sandbox" not in found.name:
            importlib.import_module(found.name)


def differences(connection: Connection, schema: str, metadata: MetaData) -> list[str]:
    """What alembic would change to make that schema equal to the models.

    Indexes, unique constraints and checks are declared once, in the migrations: a model may name one (then it must exist),
    and need not.
    """
    load_models()
    own = schema == "platform"
    context = MigrationContext.configure(connection, opts={
        "compare_type": True, "include_schemas": own,
        "include_name": lambda name, kind, _: name == (schema if own else None) if kind == "schema" else name != "alembic_version",
    })  # fmt: skip
    found = [
        item
        for group in compare_metadata(context, metadata)
        for item in (group if isinstance(group, list) else [group])
    ]
    return [short(item) for item in found if item[0] not in ("remove_index", "remove_constraint")]


def short(difference: tuple[object, ...]) -> str:
    """`add_column deposits.note` instead of the whole table."""
    kind, *rest = difference
    words = [getattr(item, "name", item) for item in rest]
    table = getattr(getattr(rest[-1], "table", None), "name", "")
    return " ".join(str(word) for word in (kind, table, *words) if word not in (None, ""))


@pytest.mark.parametrize("tree", ["platform", "tenant"])
def test_models_mirror_the_migrations(platform: Floor, alpha: TenantRef, tree: str) -> None:
    schema, metadata = (
        ("platform", PlatformBase.metadata) if tree == "platform" else (alpha.schema, TenantBase.metadata)
    )
    path = {"options": f"-c search_path={schema if tree == 'tenant' else ''}"}
    url = platform.postgres.admin_url.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, connect_args=path)
    try:
        with engine.connect() as connection:
            found = differences(connection, schema, metadata)
            assert not found, f"{len(found)} differences:\n  " + "\n  ".join(found)
            table = sorted(metadata.tables.values(), key=lambda table: table.name)[0]
            connection.execute(text(f'ALTER TABLE {schema}."{table.name}" ADD COLUMN surprise text'))
            assert any("surprise" in difference for difference in differences(connection, schema, metadata))
            connection.rollback()
    finally:
        engine.dispose()

"""Provisioning: a tenant's schema, roles and tables; and `tenants/<slug>/` folders applied as desired state.

Runs with the administrative login. Every step may be repeated: a provisioning that was cut off is finished by the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import NullPool, create_engine, select
from sqlalchemy.engine import Connection

from whitefelt.kernel import ids, migration, settings
from whitefelt.kernel.bootstrap import ROLE_LOCK, bootstrap
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import platform_work
from whitefelt.tenancy import desired
from whitefelt.tenancy.directory import forget, tenant_by_slug
from whitefelt.tenancy.models import TenantRow


@contextmanager
def admin_connection(alias: str) -> Iterator[Connection]:
    """One administrative transaction on that database; commits at the end."""
    url = settings.current().databases[alias].replace("postgresql://", "postgresql+psycopg://", 1)
    made = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 10})
    try:
        with made.begin() as connection:
            yield connection
    finally:
        made.dispose()


def upgrade_platform() -> str:
    """Bootstrap logins and schemas on every alias and bring the platform schema to its head; returns the revision."""
    for alias in settings.current().databases:
        bootstrap(alias)
    with admin_connection("default") as connection:
        _run(connection, f"SELECT pg_advisory_xact_lock({ROLE_LOCK})")
        return migration.upgrade(connection, "platform", "platform")


def provision(
    slug: str, name: str, timezone: str, *, alias: str = "default", legal: Mapping[str, object] | None = None
) -> TenantRef:
    """Create the tenant, or finish one that was cut off, or upgrade an existing one; returns it, active."""
    with platform_work() as work:
        row = work.session.scalar(select(TenantRow).where(TenantRow.slug == slug).with_for_update())
        if row is None:
            schema = f"t_{ids.base32(12)}"
            row = TenantRow(slug=slug, name=name, schema=schema, alias=alias, timezone=timezone, status="provisioning")
            work.session.add(row)
        row.name, row.timezone, row.legal = name, timezone, dict(legal or {})
        work.session.flush()
        ref = TenantRef(row.id, slug, row.schema, row.alias, timezone)
    revision = _build(ref)
    with platform_work() as work:
        row = work.session.get_one(TenantRow, ref.id)
        row.schema_revision = revision
        if row.status == "provisioning":
            row.status = "active"
    forget()
    return ref


def upgrade_tenant(ref: TenantRef) -> str:
    """Bring an existing tenant's schema to the head; returns the revision."""
    revision = _build(ref)
    with platform_work() as work:
        work.session.get_one(TenantRow, ref.id).schema_revision = revision
    return revision


def _build(ref: TenantRef) -> str:
    """Roles, schema, rights and tables, in one transaction."""
    told = settings.current()
    logins = ", ".join(told.login(name) for name in ("app", "money"))
    with admin_connection(ref.alias) as connection:
        _run(connection, f"SELECT pg_advisory_xact_lock({ROLE_LOCK})")
        for role in (ref.schema, ref.app_role):
            exists = connection.exec_driver_sql("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).first()
            if not exists:
                _run(connection, f"CREATE ROLE {role} NOLOGIN")
        # The migrator must be able to hand functions over to the schema's role; nobody else becomes it.
        _run(connection, f"GRANT {ref.schema} TO CURRENT_USER")
        _run(connection, f"GRANT {ref.app_role} TO {logins}")
        _run(connection, f"CREATE SCHEMA IF NOT EXISTS {ref.schema}")
        _run(connection, f"GRANT USAGE, CREATE ON SCHEMA {ref.schema} TO {ref.schema}")
        readers = f"{ref.app_role}, {told.login('money')}, {told.login('audit')}"
        _run(connection, f"GRANT USAGE ON SCHEMA {ref.schema} TO {readers}")
        revision = migration.upgrade(connection, "tenant", ref.schema)
        _run(connection, f"REVOKE CREATE ON SCHEMA {ref.schema} FROM {ref.schema}")
        return revision


def _run(connection: Connection, statement: str) -> None:
    # Names in these statements are made by us (ids.base32, the settings' prefix), never by a user.
    connection.exec_driver_sql(statement)


def supplier_site(host: str) -> None:
    """The host of the supplier's console."""
    with platform_work() as work:
        desired.domain(work, host, kind="supplier", tenant_id=None)
    forget()


def apply_folder(folder: Path, variables: Mapping[str, str] | None = None) -> TenantRef:
    """Bring the platform to what `folder` says: tenant, brands, sites, integrations. Errors: `desired_state_invalid`.

    `variables` fill `{name}` in hosts and integration settings, so that one folder serves several installations.
    """
    wanted = desired.read(folder, variables or {})
    ref = provision(wanted.slug, wanted.name, wanted.timezone, alias=wanted.alias, legal=wanted.legal)
    with platform_work() as work:
        desired.reconcile(work, ref, wanted)
    forget()
    return tenant_by_slug(wanted.slug)

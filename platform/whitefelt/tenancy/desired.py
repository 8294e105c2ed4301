"""A tenant's folder as desired state: read, checked, reconciled with the platform's rows.

    tenants/<slug>/tenant.toml          name, timezone, legal entity and licences, database alias
    tenants/<slug>/brands/<brand>.toml  name, theme, preset, look, locales and one [[site]] per jurisdiction
    tenants/<slug>/integrations.toml    one [[integration]] per vendor: kind, vendor, name, config, secrets

A secret is `generate` (made here once, kept sealed), or `env:NAME` (taken from the environment at apply).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from whitefelt.kernel import ids, secrets
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work
from whitefelt.kernel.errors import Problem
from whitefelt.tenancy.errors import DESIRED_STATE_INVALID
from whitefelt.tenancy.models import BrandRow, DomainRow, IntegrationRow


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a tenant's folder says."""

    slug: str
    name: str
    timezone: str
    alias: str
    backoffice_host: str
    legal: dict[str, Any]
    brands: tuple[dict[str, Any], ...]
    integrations: tuple[dict[str, Any], ...]


def read(folder: Path, variables: Mapping[str, str]) -> Wanted:
    """Read and check a folder; `desired_state_invalid` names the file and the missing or unknown key."""
    top = _load(folder / "tenant.toml", {"name", "timezone", "backoffice_host"}, variables)
    brands = []
    for path in sorted((folder / "brands").glob("*.toml")):
        brand = _load(path, {"name", "theme", "preset", "locales", "site"}, variables)
        for site in brand["site"]:
            _need(path, site, {"host", "jurisdiction", "currency"})
        brands.append({"slug": path.stem, **brand})
    integrations: list[dict[str, Any]] = []
    path = folder / "integrations.toml"
    if path.exists():
        integrations = _load(path, {"integration"}, variables)["integration"]
        for one in integrations:
            _need(path, one, {"kind", "vendor", "name"})
    return Wanted(
        slug=folder.name, name=top["name"], timezone=top["timezone"], alias=top.get("database", "default"),
        backoffice_host=top["backoffice_host"], legal=top.get("legal", {}), brands=tuple(brands),
        integrations=tuple(integrations),
    )  # fmt: skip


def _load(path: Path, needed: set[str], variables: Mapping[str, str]) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Problem(DESIRED_STATE_INVALID, f"{path.name}: {error}") from error
    _need(path, found, needed)
    filled: dict[str, Any] = _fill(path, found, variables)
    return filled


def _need(path: Path, table: Mapping[str, Any], keys: set[str]) -> None:
    missing = sorted(keys - table.keys())
    if missing:
        raise Problem(DESIRED_STATE_INVALID, f"{path.name}: missing {', '.join(missing)}")


def _fill(path: Path, value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _fill(path, inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(path, inner, variables) for inner in value]
    if isinstance(value, str) and "{" in value:
        try:
            return value.format_map(variables)
        except (KeyError, ValueError, IndexError) as error:
            raise Problem(DESIRED_STATE_INVALID, f"{path.name}: unknown variable in {value!r}") from error
    return value


def reconcile(work: Work, ref: TenantRef, wanted: Wanted) -> None:
    """Bring brands, sites and integrations to what is wanted. What is no longer wanted is closed, never deleted."""
    hosts = {wanted.backoffice_host}
    domain(work, wanted.backoffice_host, kind="backoffice", tenant_id=ref.id)
    for brand in wanted.brands:
        row = _brand(work, ref, brand)
        for site in brand["site"]:
            hosts.add(site["host"])
            domain(
                work, site["host"], kind="brand", tenant_id=ref.id, brand_id=row.id,
                jurisdiction=site["jurisdiction"], currency=site["currency"],
            )  # fmt: skip
    for known in work.session.scalars(select(DomainRow).where(DomainRow.tenant_id == ref.id)):
        known.status = "active" if known.host in hosts else "closed"
    kept = {_integration(work, ref, one).id for one in wanted.integrations}
    for held in work.session.scalars(select(IntegrationRow).where(IntegrationRow.tenant_id == ref.id)):
        held.status = "active" if held.id in kept else "stopped"


def domain(work: Work, host: str, **columns: Any) -> None:
    """Create or change a host's row; a host of someone else is refused."""
    host = host.lower().rstrip(".")
    row = work.session.scalar(select(DomainRow).where(DomainRow.host == host))
    if row is None:
        row = DomainRow(host=host, kind=columns["kind"])
        work.session.add(row)
    elif row.tenant_id != columns["tenant_id"]:
        raise Problem(DESIRED_STATE_INVALID, f"the host {host} belongs to someone else")
    for name, value in columns.items():
        setattr(row, name, value)
    work.session.flush()


def _brand(work: Work, ref: TenantRef, brand: Mapping[str, Any]) -> BrandRow:
    row = work.session.scalar(select(BrandRow).where(BrandRow.tenant_id == ref.id, BrandRow.slug == brand["slug"]))
    if row is None:
        row = BrandRow(tenant_id=ref.id, slug=brand["slug"])
        work.session.add(row)
    row.name, row.theme, row.preset = brand["name"], brand["theme"], brand["preset"]
    row.look, row.locales = brand.get("look", {}), list(brand["locales"])
    work.session.flush()
    return row


def _integration(work: Work, ref: TenantRef, one: Mapping[str, Any]) -> IntegrationRow:
    row = work.session.scalar(
        select(IntegrationRow).where(
            IntegrationRow.tenant_id == ref.id, IntegrationRow.kind == one["kind"], IntegrationRow.name == one["name"]
        )
    )
    if row is None:
        row = IntegrationRow(
            tenant_id=ref.id, kind=one["kind"], name=one["name"], public_id=ids.base32(16), sealed_secrets=""
        )
        work.session.add(row)
    purpose = f"integration:{row.public_id}"
    held = secrets.unseal(row.sealed_secrets, purpose) if row.sealed_secrets else {}
    row.vendor, row.config = one["vendor"], dict(one.get("config", {}))
    row.sealed_secrets = secrets.seal(
        {name: _secret(name, told, held) for name, told in one.get("secrets", {}).items()}, purpose
    )
    work.session.flush()
    return row


def _secret(name: str, told: str, held: Mapping[str, Any]) -> Any:
    if told == "generate":
        return held.get(name) or ids.token()
    if told.startswith("env:"):
        value = os.environ.get(told[4:])
        if not value:
            raise Problem(DESIRED_STATE_INVALID, f"the secret {name} needs the environment variable {told[4:]}")
        return value
    raise Problem(DESIRED_STATE_INVALID, f"the secret {name} must be `generate` or `env:NAME`")

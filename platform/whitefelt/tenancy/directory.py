"""Look-ups by host, slug and integration id, remembered briefly in the process: ids and plain data, never rows.

A change is seen everywhere within `FRESH_SECONDS`; the process that made it forgets at once (`forget`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from whitefelt.kernel import secrets
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import platform_work
from whitefelt.kernel.errors import HOST_UNKNOWN, Problem
from whitefelt.tenancy.errors import INTEGRATION_UNKNOWN, TENANT_SUSPENDED, TENANT_UNKNOWN
from whitefelt.tenancy.models import BrandRow, DomainRow, IntegrationRow, TenantRow

FRESH_SECONDS = 1.0
_MAX_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand: `look` holds the brand's own values over its theme's preset."""

    id: int
    tenant: TenantRef
    slug: str
    name: str
    theme: str
    preset: str
    look: dict[str, Any]
    locales: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """What a host stands for. `kind`: brand, backoffice or supplier; a brand's site has jurisdiction and currency."""

    host: str
    kind: str
    tenant: TenantRef | None = None
    tenant_name: str = ""
    brand: Brand | None = None
    jurisdiction: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Integration:
    """A tenant's way to a vendor: `id` is the journal's source, `public_id` the opaque part of callback addresses.

    `active` False: switched off. No new business goes that way, but what is owed is still heard and paid.
    """

    id: int
    public_id: str
    tenant: TenantRef
    kind: str
    vendor: str
    name: str
    config: dict[str, Any]
    secrets: dict[str, Any] = field(repr=False)
    active: bool = True


_remembered: dict[tuple[str, Any], tuple[float, Any]] = {}


def forget() -> None:
    """Drop everything remembered in this process (after a change, after a fork, between tests)."""
    _remembered.clear()


def _fresh(kind: str, key: Any, load: Any) -> Any:
    found = _remembered.get((kind, key))
    if found is not None and found[0] > time.monotonic():
        return found[1]
    value = load()
    if len(_remembered) > _MAX_REMEMBERED:
        _remembered.clear()
    _remembered[(kind, key)] = (time.monotonic() + FRESH_SECONDS, value)
    return value


def site_of(host: str) -> Site:
    """The site at that host (lower case, no port). `host_unknown` (421) or `tenant_suspended` (503)."""
    found: Site | None = _fresh("host", host, lambda: _load_site(host))
    if found is None:
        raise Problem(HOST_UNKNOWN)
    if isinstance(found, str):
        raise Problem(TENANT_SUSPENDED)
    return found


def _load_site(host: str) -> Site | str | None:
    with platform_work() as work:
        row = work.session.execute(
            select(DomainRow, TenantRow, BrandRow)
            .outerjoin(TenantRow, TenantRow.id == DomainRow.tenant_id)
            .outerjoin(BrandRow, BrandRow.id == DomainRow.brand_id)
            .where(DomainRow.host == host, DomainRow.status == "active")
        ).one_or_none()
        if row is None:
            return None
        domain, tenant, brand = row
        if tenant is not None and tenant.status != "active":
            return "suspended"
        ref = _ref(tenant) if tenant is not None else None
        return Site(
            host=host, kind=domain.kind, tenant=ref, tenant_name=tenant.name if tenant else "",
            brand=_brand(brand, ref) if brand is not None and ref is not None else None,
            jurisdiction=domain.jurisdiction or "", currency=domain.currency or "",
        )  # fmt: skip


def tenant_by_slug(slug: str) -> TenantRef:
    """The tenant of that slug, also a suspended one; `tenant_unknown`."""
    with platform_work() as work:
        row = work.session.scalar(select(TenantRow).where(TenantRow.slug == slug))
        if row is None:
            raise Problem(TENANT_UNKNOWN)
        return _ref(row)


def tenants(after_id: int = 0, limit: int = 500) -> list[TenantRef]:
    """Active tenants by id, a page at a time."""
    with platform_work() as work:
        rows = work.session.scalars(
            select(TenantRow).where(TenantRow.status == "active", TenantRow.id > after_id)
            .order_by(TenantRow.id).limit(limit)
        )  # fmt: skip
        return [_ref(row) for row in rows]


def brand_by_id(brand_id: int) -> Brand:
    """A brand by id (jobs, mails); KeyError if there is none."""

    def load() -> Brand | None:
        with platform_work() as work:
            row = work.session.execute(
                select(BrandRow, TenantRow).join(TenantRow, TenantRow.id == BrandRow.tenant_id)
                .where(BrandRow.id == brand_id)
            ).one_or_none()  # fmt: skip
            return _brand(row[0], _ref(row[1])) if row else None

    found: Brand | None = _fresh("brand", brand_id, load)
    if found is None:
        raise KeyError(brand_id)
    return found


def brands_of(tenant: TenantRef) -> list[Brand]:
    """The tenant's brands, by slug."""
    with platform_work() as work:
        rows = work.session.scalars(select(BrandRow).where(BrandRow.tenant_id == tenant.id).order_by(BrandRow.slug))
        return [_brand(row, tenant) for row in rows]


def sites_of(tenant: TenantRef | None) -> list[Site]:
    """Every active site of that tenant; None: the supplier's own."""
    with platform_work() as work:
        same = DomainRow.tenant_id.is_(None) if tenant is None else DomainRow.tenant_id == tenant.id
        hosts = work.session.scalars(
            select(DomainRow.host).where(same, DomainRow.status == "active").order_by(DomainRow.id)
        ).all()
    return [site for site in (_load_site(host) for host in hosts) if isinstance(site, Site)]


def integration(public_id: str) -> Integration:
    """The integration of that public id, also one that was switched off: its vendor may still owe us an answer, and we
    the vendor's players their wins. `integration_unknown`; `tenant_suspended` (503: the vendor tries again later)."""
    found: Integration | str | None = None
    # What we never gave out (ids.base32) is neither looked up nor remembered: anyone may write anything into a path.
    if 0 < len(public_id) <= 64 and public_id.isascii() and public_id.isalnum():
        found = _fresh("integration", public_id, lambda: _load_integration(public_id))
    if found is None:
        raise Problem(INTEGRATION_UNKNOWN)
    if isinstance(found, str):
        raise Problem(TENANT_SUSPENDED)
    return found


def _load_integration(public_id: str) -> Integration | str | None:
    with platform_work() as work:
        row = work.session.execute(
            select(IntegrationRow, TenantRow).join(TenantRow, TenantRow.id == IntegrationRow.tenant_id)
            .where(IntegrationRow.public_id == public_id)
        ).one_or_none()  # fmt: skip
        if row is None:
            return None
        return _integration(row[0], _ref(row[1])) if row[1].status == "active" else "suspended"


def integrations_of(tenant: TenantRef, kind: str | None = None) -> list[Integration]:
    """The tenant's active integrations, all or of one kind (play, pay, kyc, message), by id."""

    def load() -> list[Integration]:
        with platform_work() as work:
            rows = work.session.scalars(
                select(IntegrationRow).where(IntegrationRow.tenant_id == tenant.id, IntegrationRow.status == "active")
                .order_by(IntegrationRow.id)
            )  # fmt: skip
            return [_integration(row, tenant) for row in rows]

    every: list[Integration] = _fresh("integrations", tenant.id, load)
    return [one for one in every if kind is None or one.kind == kind]


def legal_of(tenant: TenantRef) -> dict[str, Any]:
    """What the operator's folder says of its legal entity and licences: plain data for footers and seals."""

    def load() -> dict[str, Any]:
        with platform_work() as work:
            return dict(work.session.get_one(TenantRow, tenant.id).legal)

    found: dict[str, Any] = _fresh("legal", tenant.id, load)
    return found


def every_integration_of(tenant: TenantRef) -> list[Integration]:
    """The tenant's integrations of all times, stopped ones too: whose references its journal may hold."""
    with platform_work() as work:
        rows = work.session.scalars(
            select(IntegrationRow).where(IntegrationRow.tenant_id == tenant.id).order_by(IntegrationRow.id)
        )
        return [_integration(row, tenant) for row in rows]


def _ref(row: TenantRow) -> TenantRef:
    return TenantRef(row.id, row.slug, row.schema, row.alias, row.timezone)


def _brand(row: BrandRow, tenant: TenantRef) -> Brand:
    return Brand(row.id, tenant, row.slug, row.name, row.theme, row.preset, row.look, tuple(row.locales))


def _integration(row: IntegrationRow, tenant: TenantRef) -> Integration:
    opened = secrets.unseal(row.sealed_secrets, f"integration:{row.public_id}")
    return Integration(
        row.id, row.public_id, tenant, row.kind, row.vendor, row.name, row.config, opened, row.status == "active"
    )

"""What the console tells about operators: who they are, where they live, how their facts flow. Never their players."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import OperationalError as DriverError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from whitefelt import reporting, tenancy
from whitefelt.kernel import db, migration, web
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.settings import current
from whitefelt.surfaces.console import span
from whitefelt.tenancy import Operator

#: Operators on one page: each one's health is a transaction of its own.
PAGE_SIZE = 25
LAG_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Health:
    """How an operator is, in words; `kind` decides colour and shape."""

    kind: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list."""

    slug: str
    name: str
    brands: tuple[str, ...]
    sites: int
    integrations: int
    revision: str
    current: bool
    alias: str
    health: Health


@dataclass(frozen=True, slots=True)
class SiteLine:
    """One site of one brand."""

    host: str
    url: str
    brand: str
    jurisdiction: str
    currency: str
    look: str


@dataclass(frozen=True, slots=True)
class IntegrationLine:
    """One connector in use."""

    kind: str
    vendor: str
    name: str
    public_id: str


@dataclass(frozen=True, slots=True)
class OnePage:
    """Everything about one operator."""

    name: str
    slug: str
    status: Health
    health: Health
    revision: str
    current: bool
    alias: str
    schema: str
    zone: str
    created_at: datetime
    legal: tuple[tuple[str, str], ...]
    backoffice: tuple[SiteLine, ...]
    sites: tuple[SiteLine, ...]
    integrations: tuple[IntegrationLine, ...]


def listing(before: int | None) -> tuple[list[Row], int | None]:
    """One page of operators, newest first, and the key of the next."""
    found = tenancy.operators(before, PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    head = migration.head("tenant")
    return [_row(one, head) for one in shown], shown[-1].ref.id if len(found) > PAGE_SIZE else None


def _row(one: Operator, head: str) -> Row:
    brands = tenancy.brands_of(one.ref)
    sites = tenancy.sites_of(one.ref) if one.status == "active" else []
    return Row(
        one.ref.slug, one.name, tuple(brand.name for brand in brands),
        sum(site.kind == "brand" for site in sites), len(tenancy.integrations_of(one.ref)),
        one.schema_revision or "none", one.schema_revision == head, one.ref.alias, _health(one),
    )  # fmt: skip


def one(slug: str) -> OnePage:
    """One operator; `tenant_unknown`."""
    found = tenancy.operator(slug)
    lines = [_site(site) for site in (tenancy.sites_of(found.ref) if found.status == "active" else [])]
    return OnePage(
        name=found.name, slug=slug, status=_status(found), health=_health(found),
        revision=found.schema_revision or "none", current=found.schema_revision == migration.head("tenant"),
        alias=found.ref.alias, schema=found.ref.schema, zone=found.ref.timezone, created_at=found.created_at,
        legal=tuple((str(name).replace("_", " ").capitalize(), str(value)) for name, value in found.legal.items()
                    if isinstance(value, str | int)),
        backoffice=tuple(line for line in lines if not line.brand), sites=tuple(line for line in lines if line.brand),
        integrations=tuple(
            IntegrationLine(each.kind, each.vendor, each.name, each.public_id)
            for each in tenancy.integrations_of(found.ref)
        ),
    )  # fmt: skip


def _site(site: tenancy.Site) -> SiteLine:
    told = current()
    port = "" if told.scheme == "https" else f":{told.port}"
    brand = site.brand
    return SiteLine(
        site.host, f"{told.scheme}://{site.host}{port}", brand.name if brand else "", site.jurisdiction, site.currency,
        f"{brand.theme}, {brand.preset}" if brand else "",
    )  # fmt: skip


def _status(one: Operator) -> Health:
    words = {"active": ("good", "Active"), "provisioning": ("busy", "Being set up"), "suspended": ("wait", "Suspended")}
    return Health(*words.get(one.status, ("quiet", one.status)))


def _health(one: Operator) -> Health:
    """How its facts flow right now; an operator that cannot be asked is the news."""
    if one.status != "active":
        return _status(one)
    if "fleet.read" not in web.identity().permissions:
        return Health("quiet", "Not shown")
    try:
        flow = _flow(one.ref)
    except (DBAPIError, DriverError, PoolTimeout) as error:
        return Health("bad", "Out of reach", type(error).__name__)
    note = f"{flow.pending:,} under way, relay {span(flow.lag_seconds)} behind"
    if flow.blocked:
        return Health("bad", f"{flow.blocked:,} blocked", note)
    if flow.lag_seconds > LAG_SECONDS:
        return Health("wait", "Behind", note)
    return Health("good", "Well", note)


def _flow(ref: TenantRef) -> reporting.Flow:
    with db.unit_of_work(ref, web.identity().actor) as work:
        return reporting.flow(work)

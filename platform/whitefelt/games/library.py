"""The library: titles of the studios whose integrations are active for a tenant, and their catalogue's upkeep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert

from whitefelt import tenancy
from whitefelt.games.errors import GAME_UNKNOWN
from whitefelt.games.models import TitleRow
from whitefelt.kernel import clock, registry
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import platform_work
from whitefelt.kernel.errors import Problem
from whitefelt.tenancy import Integration
from whitefelt.wagering.ports import Endpoint, PlayVendor


@dataclass(frozen=True, slots=True)
class Title:
    """A game that can be played here; `id` orders the library, `integration` is the public id of the way to it."""

    id: int
    code: str
    title: str
    studio: str
    kind: str
    rtp: str
    volatility: str
    min_stake: str
    max_stake: str
    features: tuple[str, ...]
    description: str
    art_url: str
    integration: str


def library(tenant: TenantRef, *, before: int | None = None, limit: int = 200, kind: str | None = None) -> list[Title]:
    """The titles that this tenant can offer, newest first, older than title id `before`."""
    ways = _ways(tenant)
    if not ways:
        return []
    query = _offered(ways).order_by(TitleRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(TitleRow.id < before)
    if kind is not None:
        query = query.where(TitleRow.kind == kind)
    with platform_work() as work:
        return [_title(row, ways) for row in work.session.scalars(query)]


def title(tenant: TenantRef, code: str) -> Title:
    """One title by its provider's code; `game_unknown` when this tenant does not offer it."""
    ways = _ways(tenant)
    if ways:
        with platform_work() as work:
            row = work.session.scalar(_offered(ways).where(TitleRow.code == code).order_by(TitleRow.id).limit(1))
            if row is not None:
                return _title(row, ways)
    raise Problem(GAME_UNKNOWN)


def origins(tenant: TenantRef) -> dict[str, set[str]]:
    """What a browser must be allowed to reach to see and play this tenant's games, by CSP directive."""
    found: dict[str, set[str]] = {}
    for integration in tenancy.integrations_of(tenant, "play"):
        for directive, origin in registry.connector("play", integration.vendor).ORIGINS(integration.config).items():
            found.setdefault(directive, set()).add(origin)
    return found


def sync(integration: Integration) -> int:
    """Bring the library to the provider's catalogue; titles it no longer lists are withdrawn. Returns how many it has.

    Raises kernel.http.VendorError when the provider cannot be asked; the library then stays as it is.
    """
    connector = cast("PlayVendor", registry.connector("play", integration.vendor))
    offered = connector.catalogue(Endpoint(integration.public_id, "", integration.config, integration.secrets))
    studio, now = str(integration.config["provider"]), clock.now()
    with platform_work() as work:
        for one in offered:
            values = {
                "title": one.title, "kind": one.kind, "rtp": one.rtp, "volatility": one.volatility,
                "min_stake": one.min_stake, "max_stake": one.max_stake, "features": list(one.features),
                "description": one.description, "art_url": one.art_url, "status": "active", "seen_at": now,
            }  # fmt: skip
            work.session.execute(
                insert(TitleRow).values(vendor=integration.vendor, studio=one.studio, code=one.code, **values)
                .on_conflict_do_update(index_elements=["vendor", "studio", "code"], set_=values)
            )  # fmt: skip
        gone = select(TitleRow).where(
            TitleRow.vendor == integration.vendor, TitleRow.studio == studio, TitleRow.seen_at < now
        )
        for row in work.session.scalars(gone):
            row.status = "withdrawn"
    return len(offered)


def _ways(tenant: TenantRef) -> dict[tuple[str, str], Integration]:
    """(vendor, studio) to the integration that reaches it."""
    return {(one.vendor, str(one.config.get("provider", ""))): one for one in tenancy.integrations_of(tenant, "play")}


def _offered(ways: dict[tuple[str, str], Integration]) -> Any:
    match = or_(*((TitleRow.vendor == vendor) & (TitleRow.studio == studio) for vendor, studio in ways))
    return select(TitleRow).where(TitleRow.status == "active", match)


def _title(row: TitleRow, ways: dict[tuple[str, str], Integration]) -> Title:
    features: Sequence[str] = row.features
    return Title(
        id=row.id, code=row.code, title=row.title, studio=row.studio, kind=row.kind, rtp=row.rtp, volatility=row.volatility,
        min_stake=row.min_stake, max_stake=row.max_stake, features=tuple(features), description=row.description,
        art_url=row.art_url, integration=ways[(row.vendor, row.studio)].public_id,
    )  # fmt: skip

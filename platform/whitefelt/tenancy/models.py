"""Tables of the platform schema that say who there is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Identity, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from whitefelt.kernel.db import PlatformBase

_now = text("now()")


class TenantRow(PlatformBase):
    """An operator: its schema, the database it lives in, its time zone."""

    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    legal: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    schema: Mapped[str] = mapped_column(Text, unique=True)
    alias: Mapped[str] = mapped_column(Text, server_default="default")
    timezone: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    schema_revision: Mapped[str] = mapped_column(Text, server_default="")
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=_now)


class BrandRow(PlatformBase):
    """A brand of an operator and its look: theme, preset, values."""

    __tablename__ = "brands"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("platform.tenants.id"))
    slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    theme: Mapped[str] = mapped_column(Text)
    preset: Mapped[str] = mapped_column(Text)
    look: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    locales: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[str] = mapped_column(Text, server_default="active")
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=_now)


class DomainRow(PlatformBase):
    """A host name: a brand's site in one jurisdiction, a back office, or the supplier's console."""

    __tablename__ = "domains"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    host: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("platform.tenants.id"))
    brand_id: Mapped[int | None] = mapped_column(ForeignKey("platform.brands.id"))
    jurisdiction: Mapped[str | None] = mapped_column(Text)
    currency: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    verified_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=_now)


class IntegrationRow(PlatformBase):
    """An active connector of a tenant. `id` is the journal's source; `public_id` stands in the callback's path."""

    __tablename__ = "integrations"
    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    public_id: Mapped[str] = mapped_column(Text, unique=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("platform.tenants.id"))
    kind: Mapped[str] = mapped_column(Text)
    vendor: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    config: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    sealed_secrets: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), server_default=_now)

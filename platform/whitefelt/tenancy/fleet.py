"""The fleet as the supplier sees it: every operator, active or not, and the state of its schema. Nothing of its players."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import platform_work
from whitefelt.kernel.errors import Problem
from whitefelt.tenancy.errors import TENANT_UNKNOWN
from whitefelt.tenancy.models import TenantRow


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator: where its data lives and at which revision. `status`: provisioning, active or suspended."""

    ref: TenantRef
    name: str
    legal: dict[str, Any]
    status: str
    schema_revision: str
    created_at: datetime


def operators(before: int | None = None, limit: int = 50) -> list[Operator]:
    """Operators of any status, newest first, older than id `before`."""
    query = select(TenantRow).order_by(TenantRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(TenantRow.id < before)
    with platform_work() as work:
        return [_operator(row) for row in work.session.scalars(query)]


def operator(slug: str) -> Operator:
    """The operator of that slug; `tenant_unknown`."""
    with platform_work() as work:
        row = work.session.scalar(select(TenantRow).where(TenantRow.slug == slug))
        if row is None:
            raise Problem(TENANT_UNKNOWN)
        return _operator(row)


def _operator(row: TenantRow) -> Operator:
    ref = TenantRef(row.id, row.slug, row.schema, row.alias, row.timezone)
    return Operator(ref, row.name, row.legal, row.status, row.schema_revision, row.created_at)

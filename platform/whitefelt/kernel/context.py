"""Who and where, for the length of one request or job: pin, actor and trace as context variables."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TenantRef:
    """All that is needed to reach a tenant's data. `schema` owns the money functions' role of the same name;
    `app_role` is what a unit of work is pinned to."""

    id: int
    slug: str
    schema: str
    alias: str = "default"
    timezone: str = "UTC"

    @property
    def app_role(self) -> str:
        return f"{self.schema}_app"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: kind is player, staff, supplier, vendor or system; `id` is unique within its kind and tenant."""

    kind: str
    id: str
    name: str = ""


SYSTEM = Actor("system", "system", "Whitefelt")


@dataclass(frozen=True, slots=True)
class Pin:
    """What a transaction is pinned to: a search path and a role."""

    search_path: str
    role: str


pin: ContextVar[Pin | None] = ContextVar("pin", default=None)
trace: ContextVar[str] = ContextVar("trace", default="")

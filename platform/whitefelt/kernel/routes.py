"""The one registry of routes, Flask or not. Whatever walks routes (access control, documentation, tests) walks this.

A view declares who may call it with `@access(...)`; an undeclared view stops the application from starting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

SITES = ("brand", "backoffice", "supplier", "vendor", "machine")

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a view. `audience`: anyone, player, staff, supplier, vendor, machine. `permission`: for staff."""

    audience: str
    permission: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One method at one address. `site` is the kind of host that serves it; `api` tells JSON from pages."""

    site: str
    method: str
    rule: str
    endpoint: str
    access: Access
    api: bool


def access(audience: str, permission: str | None = None) -> Callable[[F], F]:
    """Declare a view's audience (and, for staff and supplier, the permission it needs)."""
    assert audience in ("anyone", "player", "staff", "supplier", "vendor", "machine"), audience

    def mark(view: F) -> F:
        view.__access__ = Access(audience, permission)  # type: ignore[attr-defined]
        return view

    return mark


class Registry:
    """All routes of the running application."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def add(self, site: str, methods: Iterable[str], rule: str, endpoint: str, declared: Access, api: bool) -> None:
        """Register one address for some methods."""
        assert site in SITES, site
        for method in sorted(set(methods) - {"HEAD", "OPTIONS"}):
            self.routes.append(Route(site, method, rule, endpoint, declared, api))

    def add_flask(self, site: str, app: Any) -> None:
        """Register every rule of a Flask application; AssertionError names the views without a declaration."""
        missing = []
        for rule in app.url_map.iter_rules():
            view = app.view_functions[rule.endpoint]
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                declared = access_of(view, method)
                if declared is None:
                    missing.append(f"{method} {rule.rule} ({rule.endpoint})")
                    continue
                self.add(site, [method], rule.rule, rule.endpoint, declared, rule.rule.startswith("/api/"))
        assert not missing, "views without @access: " + "; ".join(missing)


def access_of(view: Any, method: str) -> Access | None:
    """The declaration of a view function, or of one method of a class-based view."""
    declared = getattr(view, "__access__", None)
    if declared is None and (cls := getattr(view, "view_class", None)) is not None:
        handler = getattr(cls, method.lower(), None)
        declared = getattr(handler, "__access__", None)
    return declared

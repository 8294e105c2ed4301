"""The ways to pay that a tenant offers: the methods of its pay integrations' connectors, and how to reach those."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from whitefelt import tenancy
from whitefelt.cashier.errors import METHOD_UNKNOWN
from whitefelt.cashier.ports import Account, Limits, Method, PayVendor
from whitefelt.cashier.rules import ReviewPolicy
from whitefelt.kernel import registry, settings
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import parse
from whitefelt.tenancy import Integration


@dataclass(frozen=True, slots=True)
class OfferedMethod:
    """A way to pay in one currency, and the integration that carries it. There is no fee on our side."""

    method: Method
    limits: Limits
    integration: Integration


def offered_methods(tenant: TenantRef, currency: str) -> tuple[OfferedMethod, ...]:
    """What the tenant offers in that currency; a code is carried by the first integration that has it."""
    found: dict[str, OfferedMethod] = {}
    for integration in tenancy.integrations_of(tenant, "pay"):
        for method in vendor_of(integration).METHODS:
            if currency in method.limits:
                found.setdefault(method.code, OfferedMethod(method, method.limits[currency], integration))
    return tuple(found.values())


def offered_method(tenant: TenantRef, code: str, currency: str) -> OfferedMethod:
    """The offered method of that code; `payment_method_unknown`."""
    for offered in offered_methods(tenant, currency):
        if offered.method.code == code:
            return offered
    raise Problem(METHOD_UNKNOWN)


def vendor_of(integration: Integration) -> PayVendor:
    """The integration's connector; `connector_unknown`."""
    return cast("PayVendor", registry.connector("pay", integration.vendor))


def account_of(integration: Integration) -> Account:
    """The integration's settings for its connector."""
    return Account(integration.config, integration.secrets)


def integration_by_id(tenant: TenantRef, integration_id: int) -> Integration | None:
    """The tenant's active pay integration of that id; None once it was stopped."""
    return next((one for one in tenancy.integrations_of(tenant, "pay") if one.id == integration_id), None)


def webhook_url(integration: Integration) -> str:
    """Where the provider tells us what happened."""
    return f"{settings.current().callback_base}/callbacks/pay/{integration.public_id}"


def origins(tenant: TenantRef, currency: str) -> dict[str, str]:
    """By CSP directive, what the cashier's pages must allow a browser to reach."""
    told: dict[str, list[str]] = {}
    for integration in {one.integration.id: one.integration for one in offered_methods(tenant, currency)}.values():
        for directive, origin in vendor_of(integration).ORIGINS(integration.config).items():
            told.setdefault(directive, []).append(origin)
    return {directive: " ".join(sorted(set(found))) for directive, found in told.items()}


def review_policy(integration: Integration, currency: str) -> ReviewPolicy:
    """The tenant's policy on withdrawals: `review_over` (decimal text by currency), `review_every` (default true)."""
    over: Mapping[str, str] = integration.config.get("review_over") or {}
    threshold = parse(over[currency], currency) if currency in over else None
    return ReviewPolicy(threshold, bool(integration.config.get("review_every", True)))

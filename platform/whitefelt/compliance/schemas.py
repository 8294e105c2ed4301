"""JSON of compliance: what comes in, what goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from whitefelt.compliance.exclusions import Exclusion
from whitefelt.compliance.identity import IdentityState
from whitefelt.compliance.limits import DepositLimit, Limits
from whitefelt.compliance.registration import Application
from whitefelt.compliance.rulebook import RuleSet
from whitefelt.kernel.money import Money, decimal
from whitefelt.tenancy import Site

_TEXT = ma.validate.Length(max=400)


class ApplicationSchema(ma.Schema):
    """A registration. Faults of content are told together by the use-case; `documents` names what was accepted."""

    email = ma.fields.String(required=True, validate=_TEXT)
    password = ma.fields.String(required=True, validate=_TEXT)
    first_name = ma.fields.String(required=True, validate=_TEXT)
    last_name = ma.fields.String(required=True, validate=_TEXT)
    birth_date = ma.fields.String(required=True, validate=_TEXT, metadata={"format": "date"})
    country = ma.fields.String(required=True, validate=_TEXT, metadata={"description": "ISO 3166 alpha-2"})
    language = ma.fields.String(load_default="en", validate=_TEXT)
    documents = ma.fields.Dict(
        keys=ma.fields.String(validate=ma.validate.Length(max=40)),
        values=ma.fields.String(validate=ma.validate.Length(max=40)),
        load_default=dict,
        validate=ma.validate.Length(max=20),
        metadata={"description": "Accepted documents and their versions, as GET /api/v1/site names them"},
    )

    @ma.post_load
    def build(self, data: dict[str, Any], **_: Any) -> Application:
        """The use-case's own value."""
        return Application(**data)


class SiteSchema(ma.Schema):
    """Public facts of a site."""

    brand = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    operator = ma.fields.String(required=True)
    jurisdiction = ma.fields.String(required=True)
    rules_version = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)
    languages = ma.fields.List(ma.fields.String(), required=True)
    min_age = ma.fields.Integer(required=True)
    countries = ma.fields.List(ma.fields.String(), required=True)
    documents = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(), required=True)
    identity_before = ma.fields.String(required=True)
    deposit_limits_required = ma.fields.String(required=True)
    deposit_limit_periods = ma.fields.List(ma.fields.String(), required=True)
    time_out_options = ma.fields.List(ma.fields.String(), required=True)
    self_exclusion_options = ma.fields.List(ma.fields.String(), required=True)


def site_document(site: Site, rules: RuleSet) -> dict[str, Any]:
    """What anyone may know about a site before registering."""
    assert site.brand is not None
    return {
        "brand": site.brand.slug, "name": site.brand.name, "operator": site.tenant_name,
        "jurisdiction": rules.jurisdiction, "rules_version": rules.version, "currency": site.currency,
        "languages": list(site.brand.locales), "min_age": rules.min_age, "countries": list(rules.residence_countries),
        "documents": dict(rules.documents), "identity_before": rules.identity_before,
        "deposit_limits_required": rules.deposit_limits_required,
        "deposit_limit_periods": list(rules.deposit_limit_periods), "time_out_options": list(rules.time_out_options),
        "self_exclusion_options": list(rules.self_exclusion_options),
    }  # fmt: skip


class AmountSchema(ma.Schema):
    """A limit's new amount as a decimal string; null asks for no limit."""

    amount = ma.fields.String(required=True, allow_none=True, validate=ma.validate.Length(max=40))


class PendingSchema(ma.Schema):
    """A change that waits."""

    amount = ma.fields.String(required=True, allow_none=True)
    requested_at = ma.fields.AwareDateTime(required=True)
    effective_at = ma.fields.AwareDateTime(required=True)


class DepositLimitSchema(ma.Schema):
    """One period's deposit limit; `amount` null: none."""

    period = ma.fields.String(required=True)
    amount = ma.fields.String(required=True, allow_none=True)
    currency = ma.fields.String(required=True)
    pending = ma.fields.Nested(PendingSchema, required=True, allow_none=True)
    window_ends_at = ma.fields.AwareDateTime(required=True)


class LimitsSchema(ma.Schema):
    """A player's limits. `required`: none, one or all must be set; `missing`: that is not so yet."""

    deposit = ma.fields.List(ma.fields.Nested(DepositLimitSchema), required=True)
    required = ma.fields.String(required=True)
    missing = ma.fields.Boolean(required=True)


def limit_document(limit: DepositLimit, currency: str) -> dict[str, Any]:
    """One period."""
    pending = limit.pending
    waits = {
        "amount": _amount(pending.money), "requested_at": pending.requested_at, "effective_at": pending.effective_at
    } if pending else None  # fmt: skip
    return {
        "period": limit.period, "amount": _amount(limit.money), "currency": currency, "pending": waits,
        "window_ends_at": limit.window_ends_at,
    }  # fmt: skip


def limits_document(found: Limits, currency: str) -> Mapping[str, Any]:
    """All periods."""
    every = [limit_document(one, currency) for one in found.deposit]
    return {"deposit": every, "required": found.required, "missing": found.missing}


class ExclusionArgs(ma.Schema):
    """A break (`time_out`) or a `self_exclusion`, for one of the spans that GET /api/v1/site names."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(["time_out", "self_exclusion"]))
    duration = ma.fields.String(required=True, validate=ma.validate.Length(max=20))


class ExclusionSchema(ma.Schema):
    """The running exclusion; `ends_at` null: without end."""

    kind = ma.fields.String(required=True)
    starts_at = ma.fields.AwareDateTime(required=True)
    ends_at = ma.fields.AwareDateTime(required=True, allow_none=True)


class ExclusionStateSchema(ma.Schema):
    """Whether the player is excluded now."""

    exclusion = ma.fields.Nested(ExclusionSchema, required=True, allow_none=True)


def exclusion_document(found: Exclusion) -> dict[str, Any]:
    """The running exclusion."""
    return {"kind": found.kind, "starts_at": found.starts_at, "ends_at": found.ends_at}


class IdentityArgs(ma.Schema):
    """Where the browser returns to: an address of this site."""

    return_url = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=500))


class IdentityOrderSchema(ma.Schema):
    """An open identity check."""

    order_id = ma.fields.String(required=True)
    redirect_url = ma.fields.String(required=True)
    expires_at = ma.fields.AwareDateTime(required=True)


class IdentityResultSchema(ma.Schema):
    """How a check stands: verified, pending, cancelled or expired."""

    status = ma.fields.String(required=True)


class IdentityStateSchema(ma.Schema):
    """Where the player's identity stands; `required`: it must be proven before depositing."""

    verified_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    required = ma.fields.Boolean(required=True)
    order_id = ma.fields.String(required=True, allow_none=True)
    status = ma.fields.String(required=True, allow_none=True)
    refusal = ma.fields.String(required=True, allow_none=True)


def identity_document(state: IdentityState) -> dict[str, Any]:
    """The state as JSON values."""
    return {
        "verified_at": state.verified_at, "required": state.required, "order_id": state.order_id,
        "status": state.status, "refusal": state.refusal,
    }  # fmt: skip


def _amount(money: Money | None) -> str | None:
    return decimal(money) if money is not None else None

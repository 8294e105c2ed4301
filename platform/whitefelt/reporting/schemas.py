"""JSON of reporting's staff API. Amounts are decimal strings beside their `currency`."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from whitefelt.kernel.money import decimal
from whitefelt.kernel.web import PageArgs
from whitefelt.reporting.backlog import MAX_REASON, STATES, Delivery, Flow
from whitefelt.reporting.queries import Day

AMOUNT = {"description": "A decimal string, for example `100.00`; may be negative.", "example": "100.00"}


class DaySchema(ma.Schema):
    """One day in the operator's time zone."""

    day = ma.fields.Date(required=True)
    deposits = ma.fields.String(required=True, metadata=AMOUNT)
    withdrawals = ma.fields.String(required=True, metadata={**AMOUNT, "description": "Paid by payment providers."})
    stakes = ma.fields.String(required=True, metadata={**AMOUNT, "description": "Of rounds that ended."})
    wins = ma.fields.String(required=True, metadata=AMOUNT)
    ggr = ma.fields.String(required=True, metadata={**AMOUNT, "description": "Stakes minus wins on settled play."})


class CurrencySchema(ma.Schema):
    """Days of one currency, oldest first."""

    currency = ma.fields.String(required=True)
    days = ma.fields.List(ma.fields.Nested(DaySchema), required=True)


class FlowSchema(ma.Schema):
    """How facts flow: deliveries by state, and how far the relay is behind."""

    blocked = ma.fields.Integer(required=True)
    pending = ma.fields.Integer(required=True)
    lag_seconds = ma.fields.Integer(required=True)


class OverviewSchema(ma.Schema):
    """The figures of the last 14 days, complete up to journal row `through`."""

    timezone = ma.fields.String(required=True)
    through = ma.fields.Integer(required=True)
    currencies = ma.fields.List(ma.fields.Nested(CurrencySchema), required=True)
    flow = ma.fields.Nested(FlowSchema, required=True)


class DeliverySchema(ma.Schema):
    """A fact owed to one consumer."""

    id = ma.fields.Integer(required=True)
    fact = ma.fields.String(required=True)
    consumer = ma.fields.String(required=True)
    key = ma.fields.String(required=True)
    state = ma.fields.String(required=True)
    attempts = ma.fields.Integer(required=True)
    error = ma.fields.String(allow_none=True)
    behind = ma.fields.Integer(required=True, metadata={"description": "Facts of the same key that wait for this one."})
    next_at = ma.fields.DateTime(format="iso")
    created_at = ma.fields.DateTime(format="iso")


class DeliveryPage(ma.Schema):
    """Open deliveries, newest first."""

    items = ma.fields.List(ma.fields.Nested(DeliverySchema), required=True)
    next = ma.fields.Integer(allow_none=True)


class DeliveryArgs(PageArgs):
    """Which deliveries."""

    state = ma.fields.String(load_default="blocked", validate=ma.validate.OneOf(STATES))


class RetryArgs(ma.Schema):
    """Why it will work now; kept in the audit log."""

    reason = ma.fields.String(required=True, validate=ma.validate.Length(1, MAX_REASON))


def day_document(day: Day) -> dict[str, Any]:
    """A day as JSON."""
    return {
        "day": day.day, "deposits": decimal(day.deposits), "withdrawals": decimal(day.withdrawals),
        "stakes": decimal(day.stakes), "wins": decimal(day.wins), "ggr": decimal(day.ggr),
    }  # fmt: skip


def flow_document(flow: Flow) -> dict[str, Any]:
    """The flow as JSON."""
    return {"blocked": flow.blocked, "pending": flow.pending, "lag_seconds": flow.lag_seconds}


def delivery_document(one: Delivery) -> dict[str, Any]:
    """A delivery as JSON."""
    return {name: getattr(one, name) for name in DeliverySchema().fields}

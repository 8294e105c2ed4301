"""HTTP of reporting in the back office: the overview's figures and the deliveries."""

from __future__ import annotations

from typing import Any

from flask import g
from flask.views import MethodView
from flask_smorest import Blueprint

from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.routes import access
from whitefelt.kernel.web import ProblemSchema, identity, page_of
from whitefelt.reporting import backlog, queries, schemas

staff_api = Blueprint("reporting_staff", __name__, url_prefix="/api/v1", description="Figures and deliveries")


def _tenant() -> TenantRef:
    tenant = g.site.tenant
    assert isinstance(tenant, TenantRef), "these routes are served on an operator's sites only"
    return tenant


@staff_api.route("/overview")
class Overview(MethodView):
    """The operator's figures."""

    @access("staff", "reports.read")
    @staff_api.response(200, schemas.OverviewSchema)
    @staff_api.alt_response(403, schema=ProblemSchema)
    def get(self) -> dict[str, Any]:
        """Deposits, withdrawals, stakes, wins and GGR of the last 14 days, in every currency that moved."""
        with unit_of_work(_tenant(), identity().actor) as work:
            told = [
                {"currency": code, "days": [schemas.day_document(day) for day in queries.daily(work, code)]}
                for code in queries.currencies(work)
            ]
            return {
                "timezone": work.here.timezone, "through": queries.figures_through(work), "currencies": told,
                "flow": schemas.flow_document(backlog.flow(work)),
            }  # fmt: skip


@staff_api.route("/deliveries")
class Deliveries(MethodView):
    """Facts that have not reached their consumer."""

    @access("staff", "deliveries.read")
    @staff_api.arguments(schemas.DeliveryArgs, location="query")
    @staff_api.response(200, schemas.DeliveryPage)
    @staff_api.alt_response(403, schema=ProblemSchema)
    @staff_api.alt_response(422, schema=ProblemSchema)
    def get(self, args: dict[str, Any]) -> dict[str, Any]:
        """List open deliveries of one state (blocked unless told otherwise)."""
        with unit_of_work(_tenant(), identity().actor) as work:
            found = backlog.deliveries(work, args["state"], before=args["before"], limit=args["limit"] + 1)
        page = page_of(found, args["limit"], lambda one: int(one.id))
        return {**page, "items": [schemas.delivery_document(one) for one in page["items"]]}


@staff_api.route("/deliveries/<int:delivery_id>/retry")
class Retry(MethodView):
    """Trying again."""

    @access("staff", "deliveries.retry")
    @staff_api.arguments(schemas.RetryArgs)
    @staff_api.response(200, schemas.DeliverySchema)
    @staff_api.alt_response(403, schema=ProblemSchema)
    @staff_api.alt_response(404, schema=ProblemSchema)
    @staff_api.alt_response(409, schema=ProblemSchema)
    @staff_api.alt_response(422, schema=ProblemSchema)
    def post(self, args: dict[str, Any], delivery_id: int) -> dict[str, Any]:
        """Deliver a blocked fact again; the reason goes to the audit log."""
        with unit_of_work(_tenant(), identity().actor) as work:
            return schemas.delivery_document(backlog.retry(work, delivery_id, args["reason"]))

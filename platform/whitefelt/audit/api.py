"""HTTP of the audit log in the back office."""

from __future__ import annotations

from typing import Any

from flask import g
from flask.views import MethodView
from flask_smorest import Blueprint

from whitefelt.audit import queries, schemas
from whitefelt.audit.verify import verify
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.routes import access
from whitefelt.kernel.web import ProblemSchema, identity, page_of

staff_api = Blueprint("audit_staff", __name__, url_prefix="/api/v1", description="Who did what, and why")


def _tenant() -> TenantRef:
    tenant = g.site.tenant
    assert isinstance(tenant, TenantRef), "these routes are served on an operator's sites only"
    return tenant


@staff_api.route("/audit")
class Entries(MethodView):
    """The log."""

    @access("staff", "audit.read")
    @staff_api.arguments(schemas.EntryArgs, location="query")
    @staff_api.response(200, schemas.EntryPage)
    @staff_api.alt_response(403, schema=ProblemSchema)
    @staff_api.alt_response(422, schema=ProblemSchema)
    def get(self, args: dict[str, Any]) -> dict[str, Any]:
        """List entries, newest first."""
        limit = args.pop("limit")
        with unit_of_work(_tenant(), identity().actor) as work:
            page = page_of(queries.entries(work, limit=limit + 1, **args), limit, lambda entry: int(entry.seq))
        return {**page, "items": [schemas.entry_document(entry) for entry in page["items"]]}


@staff_api.route("/audit/verify")
class Verify(MethodView):
    """The proof."""

    @access("staff", "audit.read")
    @staff_api.response(200, schemas.VerdictSchema)
    @staff_api.alt_response(403, schema=ProblemSchema)
    def post(self) -> dict[str, Any]:
        """Recompute the whole chain and name every fault."""
        with unit_of_work(_tenant(), identity().actor) as work:
            faults = verify(work)
        return {"whole": not faults, "faults": faults}

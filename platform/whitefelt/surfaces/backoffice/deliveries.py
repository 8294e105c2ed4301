"""Facts that are blocked or under way, and trying a blocked one again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from whitefelt import reporting
from whitefelt.kernel.errors import FIELDS_INVALID, Problem
from whitefelt.kernel.routes import access
from whitefelt.reporting import Delivery
from whitefelt.surfaces.backoffice.page import (
    PAGE_SIZE,
    Notice,
    Tab,
    address,
    before,
    frame,
    may,
    page,
    reading,
    text_field,
)

_LABELS = {"blocked": "Blocked", "pending": "Under way"}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list."""

    id: int
    at: datetime
    fact: str
    consumer: str
    key: str
    tries: int
    error: str | None
    behind: int
    may_retry: bool


@access("staff", "deliveries.read")
def open_deliveries() -> Response:
    """What has not reached its reader."""
    done = Notice("good", "It is being delivered again.") if request.args.get("done") == "retried" else None
    return _list(done)


@access("staff", "deliveries.retry")
def retry(delivery_id: int) -> ResponseReturnValue:
    """Deliver it again; the reason is written down."""
    try:
        with reading() as work:
            reporting.retry(work, delivery_id, text_field("reason", 1000))
    except Problem as problem:
        if problem.code is FIELDS_INVALID:
            return _list(Notice("bad", problem.extra["errors"]["reason"][0]), 422)
        if problem.code.status == 409:
            return _list(Notice("wait", problem.detail), 409)
        raise
    return redirect("/deliveries?done=retried", 303)


def _list(flash: Notice | None, status: int = 200) -> Response:
    wanted = request.args.get("state", "blocked")
    state = wanted if wanted in _LABELS else "blocked"
    with reading() as work:
        flow = reporting.flow(work)
        found = reporting.deliveries(work, state, before=before(), limit=PAGE_SIZE + 1)
        surrounding = frame(work, "/deliveries")
    shown, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    counts = {"blocked": flow.blocked, "pending": flow.pending}
    tabs = [
        Tab(address("/deliveries", state=code if code != "blocked" else ""), label, code == state, counts[code],
            bad=code == "blocked")
        for code, label in _LABELS.items()
    ]  # fmt: skip
    return page(
        "deliveries.html", surrounding, status, rows=[_row(one) for one in shown], state=state, tabs=tabs, flash=flash,
        may_retry=may("deliveries.retry") and state == "blocked",
        newest=address("/deliveries", state=state) if before() else "",
        older=address("/deliveries", state=state, before=shown[-1].id) if more else "",
    )  # fmt: skip


def _row(one: Delivery) -> Row:
    return Row(
        one.id, one.created_at, one.fact, one.consumer, one.key, one.attempts, one.error, one.behind,
        one.state == "blocked",
    )  # fmt: skip

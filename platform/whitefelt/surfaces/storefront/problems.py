"""The page that people see when a page fails: what happened, that their money is untouched, what to do."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

from flask import Response, g, request

from whitefelt import compliance
from whitefelt.kernel import clock, errors, web
from whitefelt.kernel.errors import Problem
from whitefelt.surfaces.storefront import page, views

log = logging.getLogger("whitefelt.storefront")


def problem_page(problem: Problem) -> Response:
    """The refusal as a page; whoever must sign in is sent there, and scripts get the problem document."""
    if request.path.startswith("/-/"):
        return web.problem_response(problem)
    if problem.code is errors.NOT_SIGNED_IN:
        wanted = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return page.go(f"/sign-in?next={quote(page.local_path(wanted))}")
    response = _drawn(problem)
    if problem.code.retryable:
        response.headers["Retry-After"] = str(problem.extra.get("retry_after_seconds", 5))
    return response


def _drawn(problem: Problem) -> Response:
    card = _card(problem)
    try:
        if problem.code.status < 500:
            return page.show("error", status=problem.code.status, problem=card)
    except Exception:
        log.exception("the page of a problem could not be framed")
    # The database may be what failed: neither the player nor the balance can be asked for.
    at = clock.now()
    return page.draw("error", page.frame("error", "", None, at), _slots(at), problem.code.status, problem=card)


def _slots(at: Any) -> dict[str, Any]:
    try:
        return compliance.slots(page.site(), None, at)
    except Exception:
        log.warning("legal regions without the operator's own data: the database is out of reach")
        rules = compliance.ruleset(page.site().jurisdiction, at)
        return {"age.gate": {"min_age": rules.min_age, "text": ""}}


def _card(problem: Problem) -> views.ProblemCard:
    look, code = page.look(), problem.code.name
    known = f"error.{code}" in look.texts
    again = request.path if request.method == "GET" else "/cashier"
    actions = [views.Action("lobby", "/")]
    if problem.code.retryable:
        actions.insert(0, views.Action("again", again))
    text = look.text(f"error.{code}_text") if known else problem.detail
    if not known and problem.detail == problem.code.title:
        text = look.text("error.not_found_text" if problem.code.status == 404 else "error.other_text")
    return views.ProblemCard(
        code=code, status=problem.code.status, title=look.text(f"error.{code}") if known else problem.code.title,
        text=text, trace=str(g.get("trace", "")), actions=tuple(actions),
    )  # fmt: skip

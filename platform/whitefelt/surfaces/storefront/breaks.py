"""Taking a break or excluding oneself: two taps from every page, no detours."""

from __future__ import annotations

from flask import Response

from whitefelt import accounts, compliance
from whitefelt.compliance import Exclusion
from whitefelt.kernel import clock, web
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import forms, page, views, wording


def sentence(running: Exclusion | None) -> str:
    """What holds now, empty when nothing does."""
    if running is None:
        return ""
    if running.ends_at is None:
        return page.look().text("break.running_open")
    return page.look().text("break.running", at=wording.moment(running.ends_at, page.tenant().timezone))


@access("player")
def page_of_breaks(problem: Problem | None = None, message: str = "") -> Response:
    """The spans that this jurisdiction offers."""
    look, rules = page.look(), compliance.ruleset(page.site().jurisdiction, clock.now())
    with unit_of_work(page.tenant()) as work:
        running = compliance.exclusion(work, accounts.current_player())
    offered = [("time_out", one) for one in rules.time_out_options]
    offered += [("self_exclusion", one) for one in rules.self_exclusion_options]
    breaks = tuple(
        views.BreakChoice(f"{kind}:{option}", wording.span(look, option), look.text(f"break.{kind}"))
        for kind, option in offered
    )
    status = problem.code.status if problem else 422 if message else 200
    form = forms.form([], problem, more=message)
    return page.show("break", place="account", status=status, form=form, breaks=breaks, exclusion=sentence(running))


@access("player")
def begin() -> Response:
    """Start the break at once. Every session ends, this one too."""
    kind, _, option = forms.typed("length", 40).partition(":")
    if not option:
        return page_of_breaks(message=page.look().text("break.choose"))
    try:
        with money_work(page.tenant(), web.identity().actor) as work:
            compliance.exclude_for(work, accounts.current_player(), kind, option)
    except Problem as problem:
        if problem.code.status >= 500:
            raise
        return page_of_breaks(Problem(problem.code))
    response = page.go("/", "break_started")
    accounts.clear_session_cookie(response)
    return response

"""Deposit limits: what is set, what is used, and a form for each period."""

from __future__ import annotations

from flask import Response

from whitefelt import accounts, compliance
from whitefelt.compliance import DepositLimit
from whitefelt.kernel import web
from whitefelt.kernel.db import money_work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money, from_minor
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import deposits, forms, page, views, wording


@access("player")
def page_of_limits(period: str = "", problem: Problem | None = None, message: str = "") -> Response:
    """All periods; `problem` and `message` belong to the form of `period`."""
    who = accounts.current_player()
    with unit_of_work(page.tenant()) as work:
        found = compliance.limits(work, who)
        used = {one: spent for one, _, spent in deposits.used_limits(work, who)}
    shown = tuple(
        _limit(one, used[one.period], *((problem, message) if one.period == period else (None, "")))
        for one in found.deposit
    )
    status = problem.code.status if problem else 422 if message else 200
    return page.show(
        "limits", place="account", status=status, limits=shown, required=found.required != "none" and found.missing
    )


def _limit(limit: DepositLimit, used: Money, problem: Problem | None, message: str) -> views.Limit:
    text, zone, currency = page.look().text, page.tenant().timezone, used.currency
    mine = problem is not None or bool(message)
    label = text("field.limit")
    fields = [
        forms.field(
            f"limit-{limit.period}", "amount", "amount", label, suffix=currency,
            value=forms.typed("amount") if mine else "",
        )
    ]  # fmt: skip
    form = forms.form(fields, deposits.on_amount(problem), more=message)
    waits = ""
    if limit.pending is not None:
        to = wording.money(limit.pending.money) if limit.pending.money is not None else text("limits.unset").lower()
        waits = text("limits.pending", amount=to, at=wording.moment(limit.pending.effective_at, zone))
    if limit.money is None:
        return views.Limit(limit.period, "", wording.money(used), "", 0, waits, form)
    left = max(limit.money - used, from_minor(0, currency))
    percent = min(100, used.units * 100 // limit.money.units) if limit.money.units else 100
    return views.Limit(
        limit.period, wording.money(limit.money), wording.money(used), wording.money(left), percent, waits, form
    )


@access("player")
def save() -> Response:
    """Set one limit: a tighter one counts at once, a looser one later."""
    who, period = accounts.current_player(), forms.typed("period", 10)
    if not forms.typed("amount"):
        return page_of_limits(period, message=page.look().text("limits.choose_amount"))
    try:
        money = forms.amount(forms.typed("amount"), who.currency)
        with money_work(page.tenant(), web.identity().actor) as work:
            changed = compliance.set_deposit_limit(work, who, period, money)
    except Problem as problem:
        if problem.code.status >= 500:
            raise
        return page_of_limits(period, problem)
    return page.go("/account/limits", "limit_later" if changed.pending is not None else "limit_saved")

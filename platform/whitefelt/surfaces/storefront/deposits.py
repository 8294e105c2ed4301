"""The cashier's pages: what moved, the form to deposit, and the page to which the payment provider returns."""

from __future__ import annotations

from flask import Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from whitefelt import accounts, cashier, compliance, wallet
from whitefelt.accounts import Player
from whitefelt.cashier import OfferedMethod
from whitefelt.kernel import web
from whitefelt.kernel.db import Work, unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import CURRENCIES, Money, from_minor
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import forms, page, states, views, wording

RECENT_MOST = 12
#: Suggested amounts as multiples of the smallest deposit.
QUICK = (2, 5, 10, 20)


@access("player")
def overview() -> Response:
    """Balance, the two ways, and the latest movements."""
    who, gate = accounts.current_player(), None
    with unit_of_work(page.tenant()) as work:
        ins = cashier.deposits_of(work, who.id, limit=RECENT_MOST)
        outs = cashier.withdrawals_of(work, who.id, limit=RECENT_MOST)
        try:
            compliance.deposit_gate(work, who)
        except Problem as problem:
            gate = page.gate(problem)
    look, zone = page.look(), page.tenant().timezone
    every = [(one.created_at, states.deposit_row(look, one, zone)) for one in ins]
    every += [(one.created_at, states.withdrawal_row(look, one, zone)) for one in outs]
    every.sort(key=lambda pair: pair[0], reverse=True)
    return page.show("cashier", place="cashier", movements=tuple(row for _, row in every[:RECENT_MOST]), gate=gate)


@access("player")
def form_page() -> Response:
    """The form to deposit, or what is needed first."""
    return _form(None)


def _form(problem: Problem | None, message: str = "") -> Response:
    who, gate = accounts.current_player(), None
    limits: tuple[str, ...] = ()
    offered = cashier.offered_methods(page.tenant(), who.currency)
    # A form's answer is a redirect to the provider, and the browser asks this page's policy about that too.
    for directive, origin in cashier.origins(page.tenant(), who.currency).items():
        web.csp(**{directive: origin})
    with unit_of_work(page.tenant()) as work:
        try:
            compliance.deposit_gate(work, who)
            limits = tuple(_limit_left(one) for one in used_limits(work, who) if one[1] is not None)
        except Problem as refused:
            gate = page.gate(refused)
    fields = [forms.field("deposit", "amount", "amount", hint=_hint(offered), suffix=who.currency)]
    form = forms.form(fields, on_amount(problem), more=message, request_key=forms.request_key())
    status = problem.code.status if problem else 422 if message else 200
    return page.show(
        "deposit", place="cashier", status=status, form=form, methods=_methods(offered),
        quick_amounts=_quick(offered), limits=limits, gate=gate,
    )  # fmt: skip


def on_amount(problem: Problem | None) -> Problem | None:
    """A refusal that is about the amount stands at the amount."""
    if problem is None or not problem.code.name.startswith(("amount_", "limit_reached", "insufficient_funds")):
        return problem
    text = page.look().text("deposit.not_an_amount") if problem.code.name == "amount_invalid" else problem.detail
    return Problem(problem.code, problem.detail, errors={"amount": [text]})


def _hint(offered: tuple[OfferedMethod, ...]) -> str:
    if not offered:
        return ""
    least = min(one.limits.minimum for one in offered)
    most = max(one.limits.maximum for one in offered)
    return page.look().text("deposit.hint", minimum=wording.short_money(least), maximum=wording.short_money(most))


def _methods(offered: tuple[OfferedMethod, ...]) -> tuple[views.Method, ...]:
    chosen, look = forms.typed("method"), page.look()
    told = []
    for index, one in enumerate(offered):
        detail = f"{look.text('cashier.no_fee')} · {wording.duration(look, one.method.deposit_minutes)}"
        first = index == 0 and not chosen
        told.append(views.Method(one.method.code, one.method.name, detail, first or one.method.code == chosen))
    return tuple(told)


def _quick(offered: tuple[OfferedMethod, ...]) -> tuple[views.QuickAmount, ...]:
    if not offered:
        return ()
    least = min(one.limits.minimum for one in offered)
    amounts = [Money(least.units * times, least.currency) for times in QUICK]
    return tuple(views.QuickAmount(_bare(one), wording.short_money(one)) for one in amounts)


def _bare(amount: Money) -> str:
    whole = amount.units // 10 ** CURRENCIES[amount.currency].scale
    return str(whole)


def used_limits(work: Work, who: Player) -> list[tuple[str, Money | None, Money]]:
    """(period, limit or None, used in the running window) for day, week and month."""
    pockets = wallet.find_pockets(work, who.owner, who.currency)
    assert pockets is not None, "a player has pockets from registration on"
    nothing = from_minor(0, who.currency)
    caps = compliance.deposit_caps(work, who, nothing)
    caps = tuple(cap for cap in caps if cap.counter.removeprefix("deposit:") in ("day", "week", "month"))
    used = wallet.used(work, pockets, [(cap.counter, cap.window) for cap in caps])
    return [
        (
            cap.counter.removeprefix("deposit:"),
            Money(cap.ceiling_units, who.currency) if cap.ceiling_units is not None else None,
            used[cap.counter, cap.window],
        )
        for cap in caps
    ]


def _limit_left(limit: tuple[str, Money | None, Money]) -> str:
    period, ceiling, used = limit
    assert ceiling is not None
    left = Money(max(0, ceiling.units - used.units), ceiling.currency)
    text = page.look().text
    return text(
        "deposit.left", left=wording.money(left), period=text(f"period.{period}"), amount=wording.money(ceiling)
    )


@access("player")
def start() -> AnyResponse:
    """Begin the deposit and send the browser to the provider."""
    who = accounts.current_player()
    typed = forms.typed("amount") or forms.typed("quick")
    if not typed:
        return _form(None, page.look().text("deposit.choose_amount"))
    if not forms.typed("method"):
        return _form(None, page.look().text("deposit.choose_method"))
    try:
        money = forms.amount(typed, who.currency)
        found = cashier.deposits.start(
            page.tenant(), who, forms.typed("method"), money, page.address("/cashier/deposit/{id}"),
            idempotency_key=forms.typed("request_key", 64) or None,
        )  # fmt: skip
    except Problem as problem:
        if problem.code.status >= 500:
            raise
        if problem.code.name == "idempotency_conflict":
            return _form(None, page.look().text("deposit.used_key"))
        return _form(problem)
    if found.redirect_url and found.status in cashier.DEPOSIT_OPEN:
        for directive, origin in cashier.origins(page.tenant(), who.currency).items():
            web.csp(**{directive: origin})
        return redirect(found.redirect_url, 303)
    return page.go(f"/cashier/deposit/{found.public_id}")


@access("player")
def one(public_id: str) -> Response:
    """One deposit: what happened and what happens next. The provider sends browsers back here."""
    found = cashier.deposits.refresh(page.tenant(), accounts.current_player(), public_id)
    card = states.deposit_card(page.look(), found, page.tenant().timezone)
    return page.show("movement", place="cashier", movement=card)

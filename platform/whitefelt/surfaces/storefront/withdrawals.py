"""Withdrawing: the form, and how a request stands."""

from __future__ import annotations

from flask import Response

from whitefelt import accounts, cashier, compliance, wallet
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.errors import Code, Problem
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import deposits, forms, page, states, views, wording

_NO_METHOD = Code("no_method", 422, "There is no way to pay out yet.")
_NOTHING = Code("nothing", 422, "There is nothing to withdraw.")


@access("player")
def form_page() -> Response:
    """The form to withdraw, or what is needed first."""
    return _form(None)


def _form(problem: Problem | None, message: str = "") -> Response:
    who, look, gate = accounts.current_player(), page.look(), None
    with unit_of_work(page.tenant()) as work:
        usable = cashier.used_methods(work, who.id, who.currency)
        pockets = wallet.find_pockets(work, who.owner, who.currency)
        assert pockets is not None, "a player has pockets from registration on"
        has = wallet.balances(work, pockets)
        try:
            compliance.withdraw_gate(work, who)
            if not usable:
                raise Problem(_NO_METHOD)
            if has.cash.units <= 0 and problem is None:
                raise Problem(_NOTHING)
        except Problem as refused:
            gate = page.gate(refused)
    hint = look.text("withdraw.hint", maximum=wording.money(has.cash))
    fields = [forms.field("withdraw", "amount", "amount", hint=hint, suffix=who.currency)]
    form = forms.form(fields, deposits.on_amount(problem), more=message, request_key=forms.request_key())
    offered = [one for one in cashier.offered_methods(page.tenant(), who.currency) if one.method.code in usable]
    chosen = forms.typed("method") or (offered[0].method.code if offered else "")
    methods = tuple(
        views.Method(
            one.method.code, one.method.name,
            f"{look.text('cashier.back_to')} · {wording.duration(look, one.method.payout_minutes)}",
            one.method.code == chosen,
        )
        for one in offered
    )  # fmt: skip
    status = problem.code.status if problem else 422 if message else 200
    return page.show(
        "withdraw", place="cashier", status=status, form=form, methods=methods, pending=has.pending.units > 0, gate=gate
    )


@access("player")
def request_one() -> Response:
    """Ask for the money."""
    who, text = accounts.current_player(), page.look().text
    if not forms.typed("amount"):
        return _form(None, text("withdraw.choose_amount"))
    try:
        found = cashier.withdrawals.request(
            page.tenant(), who, forms.amount(forms.typed("amount"), who.currency), forms.typed("method"),
            idempotency_key=forms.typed("request_key", 64) or None,
        )  # fmt: skip
    except Problem as problem:
        if problem.code.status >= 500:
            raise
        if problem.code.name == "idempotency_conflict":
            return _form(None, text("deposit.used_key"))
        return _form(problem)
    return page.go(f"/cashier/withdraw/{found.public_id}")


@access("player")
def one(public_id: str) -> Response:
    """One withdrawal: where it is and what happens next."""
    with unit_of_work(page.tenant()) as work:
        found = cashier.withdrawals.get(work, public_id, accounts.current_player().id)
    card = states.withdrawal_card(page.look(), found, page.tenant().timezone)
    return page.show("movement", place="cashier", movement=card)

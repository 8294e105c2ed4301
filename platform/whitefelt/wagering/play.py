"""Hop 3 to 5 of a provider's message: who is it, may it be, book it in one trip, answer from the remembered outcome.

The rules that recur in every protocol live here, not in connectors: bets are gated, wins and refunds always pass; a refusal of
a bet is remembered under its transaction id; the answer comes from the outcome that was stored with the movement.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from whitefelt import accounts, wallet
from whitefelt.kernel import clock
from whitefelt.kernel.db import unit_of_work
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money
from whitefelt.tenancy import Integration
from whitefelt.wagering import sessions
from whitefelt.wagering.ports import Answer, Message, PlayCode
from whitefelt.wagering.sessions import BetContext, Purse
from whitefelt.wallet import Cap, Outcome

#: What the wallet's statuses mean to a provider.
STATUSES = {
    "posted": PlayCode.OK,
    "insufficient_funds": PlayCode.INSUFFICIENT_FUNDS,
    "stakes_not_allowed": PlayCode.STAKES_NOT_ALLOWED,
    "cap_reached": PlayCode.LIMIT_REACHED,
    "hold_closed": PlayCode.ROUND_CLOSED,
    "hold_unknown": PlayCode.ROUND_UNKNOWN,
    "target_unknown": PlayCode.REFERENCE_INVALID,
    "transaction_conflict": PlayCode.TRANSACTION_CONFLICT,
    "transaction_rolled_back": PlayCode.TRANSACTION_ROLLED_BACK,
    # Gate refusals that were remembered under the transaction id keep their own names.
    "session_unknown": PlayCode.SESSION_UNKNOWN,
    "session_expired": PlayCode.SESSION_EXPIRED,
    "game_unknown": PlayCode.GAME_UNKNOWN,
    "terms_changed": PlayCode.TEMPORARILY_UNAVAILABLE,
}


def answer(integration: Integration, message: Message) -> Answer:
    """Book or refuse one message and say what to answer."""
    owner = sessions.purse(integration.tenant, message.player, message.currency)
    if owner is None:
        return Answer(_who_is_wrong(integration, message), message)
    if message.kind == "balance":
        return _balance(integration, message, owner)
    if message.kind == "bet":
        return _bet(integration, message, owner)
    if message.kind == "win":
        return _win(integration, message, owner)
    assert message.kind == "refund", message.kind
    return _refund(integration, message, owner)


def _who_is_wrong(integration: Integration, message: Message) -> PlayCode:
    try:
        with unit_of_work(integration.tenant) as work:
            accounts.player_by_public_id(work, message.player)
    except Problem:
        return PlayCode.PLAYER_UNKNOWN
    return PlayCode.CURRENCY_MISMATCH


def _balance(integration: Integration, message: Message, owner: Purse) -> Answer:
    context = sessions.bet_context(integration.tenant, integration, message.session or "", owner)
    refused = _session_refusal(context, message)
    if refused is not None:
        return Answer(refused, message)
    with unit_of_work(integration.tenant) as work:
        have = wallet.balances(work, owner.pockets)
    return Answer(
        PlayCode.OK, message, cash=have.cash, bonus=have.bonus, current_cash=have.cash, current_bonus=have.bonus
    )


def _bet(integration: Integration, message: Message, owner: Purse) -> Answer:
    context = sessions.bet_context(integration.tenant, integration, message.session or "", owner)
    outcome = _stake(integration, message, owner, context)
    if outcome.status == "terms_changed":
        context = sessions.bet_context(integration.tenant, integration, message.session or "", owner, fresh=True)
        outcome = _stake(integration, message, owner, context)
    return _told(message, owner, outcome)


def _stake(integration: Integration, message: Message, owner: Purse, context: BetContext | None) -> Outcome:
    assert message.ref and message.round_ref and message.amount is not None
    refused = _session_refusal(context, message)
    if refused is None and (not integration.active or (context is not None and not context.may_play)):
        refused = PlayCode.STAKES_NOT_ALLOWED
    if refused is not None:
        # Also this refusal is looked up first: a bet that was accepted earlier is replayed although its session has ended.
        return wallet.refuse(
            integration.tenant, source=integration.id, ref=message.ref, digest=digest(message), kind="stake",
            pockets=owner.pockets, status=refused.value,
        )  # fmt: skip
    assert context is not None
    return wallet.stake(
        integration.tenant, source=integration.id, ref=message.ref, digest=digest(message), pockets=owner.pockets,
        money=message.amount, house=owner.house, round_ref=message.round_ref, label=_label(integration, message),
        close=message.closes, terms=context.terms, caps=_filled(context.caps, message.amount),
    )  # fmt: skip


def _session_refusal(context: BetContext | None, message: Message) -> PlayCode | None:
    if context is None or context.ended:
        return PlayCode.SESSION_UNKNOWN
    if message.game is not None and context.game_code != message.game:
        return PlayCode.SESSION_UNKNOWN
    if context.expires_at <= clock.now():
        return PlayCode.SESSION_EXPIRED
    return None


def _filled(caps: tuple[Cap, ...], amount: Money) -> tuple[Cap, ...]:
    """Caps are remembered without the stake; a delta of 0 stands for a cap that does not count money."""
    return tuple(replace(cap, delta_units=amount.units) if cap.delta_units else cap for cap in caps)


def _win(integration: Integration, message: Message, owner: Purse) -> Answer:
    assert message.ref and message.round_ref and message.amount is not None
    outcome = wallet.settle(
        integration.tenant, source=integration.id, ref=message.ref, digest=digest(message), pockets=owner.pockets,
        parts=[(owner.pockets.cash, message.amount)], house=owner.house, round_ref=message.round_ref,
        label=_label(integration, message), close=message.closes, need_round=message.need_round,
    )  # fmt: skip
    return _told(message, owner, outcome)


def _refund(integration: Integration, message: Message, owner: Purse) -> Answer:
    assert message.ref and message.target_ref
    outcome = wallet.restore(
        integration.tenant, source=integration.id, ref=message.ref, digest=digest(message), pockets=owner.pockets,
        target_ref=message.target_ref, target_kind="stake", house=owner.house, close=message.closes,
        round_ref=message.round_ref,
    )  # fmt: skip
    return _told(message, owner, outcome)


def _label(integration: Integration, message: Message) -> dict[str, str]:
    return {"game": message.game or "", "vendor": integration.vendor, "provider": integration.name}


def digest(message: Message) -> bytes:
    """Hash of what the message means: two messages with one id and one digest are the same message.

    The session is left out: a provider may repeat a message under a renewed token.
    """
    amount = None if message.amount is None else message.amount.units
    meaning = [message.kind, message.player, message.currency, message.game, message.round_ref, amount,
               message.target_ref, message.closes]  # fmt: skip
    return hashlib.sha256(json.dumps(meaning).encode()).digest()


def _told(message: Message, owner: Purse, outcome: Outcome) -> Answer:
    cash, bonus = owner.pockets.cash, owner.pockets.bonus

    def money(units: int | None) -> Money | None:
        return None if units is None else Money(units, message.currency)

    return Answer(
        STATUSES[outcome.status], message,
        wallet_ref=None if outcome.journal_id is None else str(outcome.journal_id), replayed=outcome.replayed,
        cash=money(outcome.balances.get(cash)), bonus=money(outcome.balances.get(bonus)),
        current_cash=money(outcome.current.get(cash)), current_bonus=money(outcome.current.get(bonus)),
    )  # fmt: skip

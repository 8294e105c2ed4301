"""Playing a round against the operator's wallet: draw, write, bet, win; and a refund when nobody answers."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import books as ledger
from . import outcomes
from .amounts import shown, to_text
from .faults import Faults
from .sending import Studio, back_off, give_up, try_once, write_refund
from .wallet_client import Delivery

_BET_TRIES, _WIN_TRIES = 3, 2
_BET_BUDGET_MS = 5000


@dataclass(frozen=True)
class Order:
    """What a player asks for; stake and bets in cents, bets only for roulette."""

    wallet: str
    session: str
    player: str
    game: str
    currency: str
    stake_cents: int
    bets: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Played:
    """How a round went for the player.

    ``state``: ``settled``, ``win_pending`` (the win is safe and will be booked), ``refused`` (``code`` says why),
    ``given_up`` (no answer; the stake goes back), ``win_refused``, ``refunded``. Balances as the wallet gave them.
    """

    round_id: str
    state: str
    code: str | None
    outcome: dict[str, Any] | None
    balance_after_bet: str | None
    balance: str | None


def play(studio: Studio, order: Order) -> Played:
    """Play one round to its end or to the point from which the background sender carries it there."""
    faults = studio.faults.of(order.wallet, order.player)
    round_id, bet_id, outcome = _open(studio, order)
    if faults.refund_before_bet:
        _send_now(studio, write_refund(studio.books, round_id, bet_id))
    answer = _send_bet(studio, bet_id)
    if answer.verdict == "refused":
        ledger.set_round(studio.books, round_id, "refused")
        code = answer.data.get("code")
        balance = shown(answer.data.get("balance"))
        return Played(round_id, "refused", code if isinstance(code, str) else "refused", None, balance, balance)
    if answer.verdict == "unclear":
        refund_id = give_up(studio, bet_id)
        refunded = refund_id is not None and _send_now(studio, refund_id).verdict == "ok"
        return Played(round_id, "refunded" if refunded else "given_up", None, None, None, None)
    after_bet = shown(answer.data.get("balance"))
    if faults.refund_instead_of_win:
        ended = _send_now(studio, write_refund(studio.books, round_id, bet_id))
        return Played(round_id, "refunded", None, None, after_bet, shown(ended.data.get("balance")))
    return _pay(studio, order, round_id, outcome, after_bet, faults)


def recover(studio: Studio) -> None:
    """Take up what an earlier life of the process left: open bets are given up, booked bets get their drawn win."""
    books = studio.books
    for row in books.rows("SELECT transaction_id FROM messages WHERE kind = 'bet' AND state = 'pending'"):
        give_up(studio, row["transaction_id"])
    unpaid = books.rows(
        "SELECT r.* FROM rounds r JOIN messages m ON m.round_id = r.round_id AND m.kind = 'bet' AND m.state = 'ok'"
        " WHERE r.state = 'betting'"
    )
    for row in unpaid:
        order = Order(*(row[name] for name in ("wallet", "session", "player", "game", "currency", "stake_cents")))
        studio.pump.release(_write_win(studio, order, row["round_id"], row["win_cents"]))


def _open(studio: Studio, order: Order) -> tuple[str, str, dict[str, Any]]:
    """Draw and write round, outcome and bet in one transaction: nothing after this can change what was drawn."""
    books = studio.books
    round_id, bet_id = ledger.new_id("rd"), ledger.new_id("bt")
    with books.transaction():
        outcome = outcomes.draw(books, order.wallet, order.player, order.game, order.stake_cents, order.bets)
        ledger.add_round(
            books,
            {
                "round_id": round_id,
                "wallet": order.wallet,
                "session": order.session,
                "player": order.player,
                "game": order.game,
                "currency": order.currency,
                "stake_cents": order.stake_cents,
                "bets": json.dumps({spot: to_text(cents) for spot, cents in order.bets.items()})
                if order.bets
                else None,
                "outcome": json.dumps(outcome),
                "win_cents": outcome["win_cents"],
                "state": "betting",
            },
        )
        body = {
            "type": "bet",
            "player": order.player,
            "currency": order.currency,
            "session": order.session,
            "game": order.game,
            "round_id": round_id,
            "transaction_id": bet_id,
            "amount": to_text(order.stake_cents),
        }
        ledger.add_message(books, round_id, order.wallet, "bet", order.stake_cents, body)
    return round_id, bet_id, outcome


def _send_bet(studio: Studio, bet_id: str) -> Delivery:
    """Up to three tries within five seconds; the last delivery says how it stands."""
    deadline = time.monotonic() + _BET_BUDGET_MS / 1000
    timeout_ms = studio.setting_ms("bet_timeout_ms", 1500)
    for number in range(_BET_TRIES):
        delivery = try_once(studio, bet_id, timeout_ms)
        if delivery.verdict != "unclear":
            break
        if number + 1 == _BET_TRIES or time.monotonic() + timeout_ms / 1000 > deadline:
            break
        time.sleep(0.1 * (number + 1))
    return delivery


def _pay(
    studio: Studio, order: Order, round_id: str, outcome: dict[str, Any], after_bet: str | None, faults: Faults
) -> Played:
    """Write and send the win that closes the round; what is not answered now is sent on in the background."""
    win_id = _write_win(studio, order, round_id, outcome["win_cents"])
    if faults.hold_win:
        studio.pump.release(win_id)
        return Played(round_id, "win_pending", None, outcome, after_bet, after_bet)
    answer = _send_claimed(studio, win_id, _WIN_TRIES)
    if answer.verdict == "unclear":
        return Played(round_id, "win_pending", None, outcome, after_bet, after_bet)
    if answer.verdict == "refused":
        code = answer.data.get("code")
        return Played(round_id, "win_refused", code if isinstance(code, str) else None, outcome, after_bet, after_bet)
    balance = shown(answer.data.get("balance"))
    if faults.win_twice:
        again = _send_claimed(studio, _write_win(studio, order, round_id, outcome["win_cents"]), _WIN_TRIES)
        balance = shown(again.data.get("balance")) or balance
    return Played(round_id, "settled", None, outcome, after_bet, balance)


def _write_win(studio: Studio, order: Order, round_id: str, win_cents: int) -> str:
    """Write a closing win, claimed before it is in the books so that the background sender leaves it alone."""
    win_id = ledger.new_id("wn")
    studio.pump.claim(win_id)
    body = {
        "type": "win",
        "player": order.player,
        "currency": order.currency,
        "session": order.session,
        "game": order.game,
        "round_id": round_id,
        "transaction_id": win_id,
        "amount": to_text(win_cents),
        "round_closed": True,
    }
    with studio.books.transaction():
        ledger.set_round(studio.books, round_id, "winning")
        ledger.add_message(studio.books, round_id, order.wallet, "win", win_cents, body)
    return win_id


def _send_claimed(studio: Studio, transaction_id: str, tries: int) -> Delivery:
    """Try a claimed message a few times in front of the player, then give it back to the background sender."""
    try:
        for number in range(tries):
            delivery = try_once(studio, transaction_id, studio.setting_ms("win_timeout_ms", 3000))
            if delivery.verdict != "unclear":
                return delivery
            if number + 1 < tries:
                time.sleep(0.2)
        back_off(studio, transaction_id)
        return delivery
    finally:
        studio.pump.release(transaction_id)


def _send_now(studio: Studio, transaction_id: str) -> Delivery:
    """One try of a refund in front of the player, unless the background sender was quicker."""
    if not studio.pump.claim(transaction_id):
        return Delivery(None, None, "the background sender has it")
    return _send_claimed(studio, transaction_id, 1)

"""Delivering messages from the books: one try at a time, every try written down, until there is an answer."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .._books import Books
from .._clock import now_ms
from .._pump import Pump
from .._server import Config
from . import books as ledger
from .faults import FaultBoard
from .wallet_client import Delivery, Wallet, deliver, wallets

FIRST_WAIT_MS, LONGEST_WAIT_MS = 500, 30_000


@dataclass
class Studio:
    """Everything a round needs: the books, the configuration, the faults in force and the background sender."""

    books: Books
    config: Config
    faults: FaultBoard
    pump: Pump

    def wallet(self, wallet_id: str) -> Wallet | None:
        """A wallet by its opaque id, as configured now."""
        return wallets(self.config).get(wallet_id)

    def setting_ms(self, name: str, default: int) -> int:
        """A duration of the configuration in milliseconds."""
        value = self.config.read().get(name, default)
        return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default


def build_studio(books: Books, config: Config) -> Studio:
    """A studio whose sender is ready to start."""
    studio = Studio(books, config, FaultBoard(), None)  # type: ignore[arg-type]
    studio.pump = Pump(lambda: _due(books), lambda transaction_id: _background(studio, transaction_id))
    return studio


def _due(books: Books) -> Iterator[tuple[str, str]]:
    rows = books.rows(
        "SELECT wallet, transaction_id FROM messages WHERE state = 'pending' AND kind <> 'bet' AND next_ms <= ?"
        " ORDER BY next_ms LIMIT 200",
        (now_ms(),),
    )
    for row in rows:
        yield row["wallet"], row["transaction_id"]


def try_once(studio: Studio, transaction_id: str, timeout_ms: int) -> Delivery:
    """Deliver a message once (with its copies, if that fault is on) and book a final answer."""
    message = ledger.message_of(studio.books, transaction_id)
    assert message is not None
    wallet = studio.wallet(message["wallet"])
    if wallet is None:
        return Delivery(None, None, "this wallet is not in the studio's configuration")
    kind, body, tries = message["kind"], bytes(message["body"]), int(message["tries"])
    round_ = ledger.round_of(studio.books, message["round_id"])
    faults = studio.faults.of(wallet.wallet_id, round_["player"] if round_ else "")
    faulty = kind in faults.types
    if faulty and faults.slow_ms:
        time.sleep(faults.slow_ms / 1000)

    def send(number: int) -> Delivery:
        tampering = faults.tampering(kind, tries + number)
        found = deliver(wallet, kind, body, timeout_seconds=timeout_ms / 1000, tampering=tampering)
        ledger.add_attempt(studio.books, transaction_id, found.status, found.answer, found.error)
        return found

    copies = faults.duplicate if faulty else 0
    deliveries = _at_once(send, copies + 1) if faults.parallel else [send(n) for n in range(copies + 1)]
    verdicts = [found.verdict for found in deliveries]
    best = deliveries[verdicts.index("ok")] if "ok" in verdicts else deliveries[0]
    if best.verdict != "unclear":
        _book_answer(studio, transaction_id, best)
    return best


def _at_once(send: Callable[[int], Delivery], count: int) -> list[Delivery]:
    found: list[Delivery] = []
    threads = [threading.Thread(target=lambda n=number: found.append(send(n))) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _book_answer(studio: Studio, transaction_id: str, delivery: Delivery) -> None:
    """A final answer moves the message and, but for bets, its round."""
    books, verdict = studio.books, delivery.verdict
    with books.transaction():
        message = ledger.message_of(books, transaction_id)
        assert message is not None
        # A win or refund that was refused may still be accepted when somebody sends it again by hand.
        mended = message["state"] == "refused" and message["kind"] != "bet" and verdict == "ok"
        if message["state"] != "pending" and not mended:
            return
        ledger.finish_message(books, transaction_id, verdict, delivery.status, delivery.answer)
        state = {
            ("win", "ok"): "settled",
            ("win", "refused"): "win_refused",
            ("refund", "ok"): "refunded",
            ("refund", "refused"): "refund_refused",
        }.get((message["kind"], verdict))
        if state:
            ledger.set_round(books, message["round_id"], state)


def give_up(studio: Studio, transaction_id: str) -> str | None:
    """Stop waiting for a bet's answer and write the refund that undoes it; the refund's id."""
    books = studio.books
    with books.transaction():
        message = ledger.message_of(books, transaction_id)
        assert message is not None and message["kind"] == "bet"
        if message["state"] != "pending":
            return None
        ledger.finish_message(books, transaction_id, "given_up", None, None)
        ledger.set_round(books, message["round_id"], "refunding")
        return write_refund(books, message["round_id"], transaction_id)


def write_refund(books: Books, round_id: str, bet_id: str) -> str:
    """Write a refund of a bet into the books; its transaction id."""
    row = ledger.round_of(books, round_id)
    assert row is not None
    body = {
        "type": "refund",
        "player": row["player"],
        "currency": row["currency"],
        "session": row["session"],
        "game": row["game"],
        "round_id": round_id,
        "transaction_id": ledger.new_id("rf"),
        "reference_transaction_id": bet_id,
        "round_closed": True,
    }
    return ledger.add_message(books, round_id, row["wallet"], "refund", row["stake_cents"], body)


def _background(studio: Studio, transaction_id: str) -> None:
    """One more try of a win or refund; without an answer it is due again after twice the time."""
    message = ledger.message_of(studio.books, transaction_id)
    if message is None or message["state"] != "pending":
        return
    row = ledger.round_of(studio.books, message["round_id"])
    held = row is not None and studio.faults.of(message["wallet"], row["player"]).hold_win
    if held and message["kind"] == "win":
        ledger.postpone(studio.books, transaction_id, 200)
        return
    delivery = try_once(studio, transaction_id, studio.setting_ms("win_timeout_ms", 3000))
    if delivery.verdict == "unclear":
        back_off(studio, transaction_id)


def back_off(studio: Studio, transaction_id: str) -> None:
    """Make an unanswered message due later: 0.5, 1, 2, 4 .. seconds by its number of tries, 30 at most."""
    message = ledger.message_of(studio.books, transaction_id)
    assert message is not None
    first = studio.setting_ms("first_wait_ms", FIRST_WAIT_MS)
    wait = min(LONGEST_WAIT_MS, first * 2 ** min(16, max(0, message["tries"] - 1)))
    ledger.postpone(studio.books, transaction_id, wait)

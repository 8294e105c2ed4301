"""In the background: deliver webhooks until they are acknowledged, decide payouts, let old payments expire."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._books import Books
from .._clock import now_ms, now_seconds
from .._http import NoAnswer, post
from .._pump import Pump
from .._server import Config
from .books import mode_of, settle_payment, settle_payout

FIRST_WAIT_MS, LONGEST_WAIT_MS, LIFE_MS = 500, 60_000, 3600 * 1000
_TIMEOUT_SECONDS = 10
_FAILING_DESTINATION = "fail"


@dataclass
class Provider:
    """Sandpay as a whole: books, configuration and the background sender."""

    books: Books
    config: Config
    pump: Pump

    def merchant_by_key(self, api_key: str) -> dict[str, Any] | None:
        """The merchant whose API key this is, compared in constant time."""
        for merchant in self.config.entries("merchants", "name", "api_key"):
            if hmac.compare_digest(merchant["api_key"].encode(), api_key.encode()):
                return merchant
        return None

    def secrets_of(self, name: str) -> list[str]:
        """A merchant's webhook secrets: one, or several during a rotation."""
        for merchant in self.config.entries("merchants", "name"):
            if merchant["name"] == name:
                found = merchant.get("webhook_secret")
                listed = found if isinstance(found, list) else [found]
                return [secret for secret in listed if isinstance(secret, str) and secret]
        return []


def build_provider(books: Books, config: Config) -> Provider:
    """A provider whose sender is ready to start."""
    provider = Provider(books, config, None)  # type: ignore[arg-type]
    provider.pump = Pump(lambda: _due(provider), lambda key: _work(provider, key))
    return provider


def signature_header(secrets: list[str], timestamp: int, body: bytes) -> str:
    """``t=<seconds>,v1=<hex>`` with one v1 for each secret."""
    signed = str(timestamp).encode() + b"." + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={mark}" for mark in marks)])


def _due(provider: Provider) -> Iterator[tuple[str, str]]:
    books, mode, now = provider.books, mode_of(provider.books), now_ms()
    if mode["payout"] != "hold":
        delay = mode["payout_delay_ms"]
        if delay is None:
            delay = provider.config.read().get("payout_delay_ms", 800)
        ripe = books.rows("SELECT id FROM payouts WHERE status = 'pending' AND created_ms <= ?", (now - delay,))
        for row in ripe:
            yield "payouts", row["id"]
    for row in books.rows("SELECT id FROM payments WHERE status = 'created' AND expires_ms <= ? LIMIT 50", (now,)):
        yield "expiry", row["id"]
    if mode["hold"]:
        return
    pending = books.rows(
        "SELECT id, url FROM events WHERE state = 'pending' AND next_ms <= ? ORDER BY next_ms LIMIT 200", (now,)
    )
    for row in pending:
        # Four lanes an address: events of one merchant may overtake one another, as they do in life.
        yield (row["url"], int(row["id"][-1], 16) % 4), row["id"]  # type: ignore[misc]


def _work(provider: Provider, key: str) -> None:
    if key.startswith("po_"):
        decide_payout(provider, key)
    elif key.startswith("pay_"):
        settle_payment(provider.books, key, "expired")
    else:
        _deliver(provider, key)


def decide_payout(provider: Provider, payout_id: str) -> None:
    """Pay a pending payout, or let it fail when its token or the mode says so."""
    row = provider.books.row("SELECT token FROM payouts WHERE id = ?", (payout_id,))
    if row is not None and row["token"] == _FAILING_DESTINATION:
        settle_payout(provider.books, payout_id, "failed", "destination_refused")
    elif mode_of(provider.books)["payout"] == "failed":
        settle_payout(provider.books, payout_id, "failed", "bank_refused")
    else:
        settle_payout(provider.books, payout_id, "paid")


def _deliver(provider: Provider, event_id: str) -> None:
    books = provider.books
    event = books.row("SELECT * FROM events WHERE id = ?", (event_id,))
    if event is None or event["state"] != "pending" or mode_of(books)["hold"]:
        return
    if event["tries"] < mode_of(books)["drop_first_n"]:
        status: int | None = None
        error: str | None = "lost on the way (drop_first_n)"
    else:
        status, error = send_event(provider, event_id)
    if status is not None and 200 <= status < 300:
        # The extra copies go out after the first is acknowledged, each counted like a delivery of its own.
        left = event["copies"]
        books.write(
            "UPDATE events SET tries = tries + 1, last_status = ?, last_error = NULL, copies = max(0, copies - 1),"
            " state = ?, next_ms = ? WHERE id = ?",
            (status, "pending" if left else "acknowledged", now_ms(), event_id),
        )
        return
    wait = min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** min(16, event["tries"]))
    over = now_ms() + wait > event["created_ms"] + LIFE_MS
    books.write(
        "UPDATE events SET tries = tries + 1, last_status = ?, last_error = ?, state = ?, next_ms = ? WHERE id = ?",
        (status, error, "failed" if over else "pending", now_ms() + wait, event_id),
    )


def send_event(provider: Provider, event_id: str) -> tuple[int | None, str | None]:
    """Send an event once, freshly signed, whatever its state: (HTTP status, None) or (None, why not)."""
    event = provider.books.row("SELECT * FROM events WHERE id = ?", (event_id,))
    assert event is not None
    secrets = provider.secrets_of(event["merchant"])
    if not secrets:
        return None, "this merchant is not in Sandpay's configuration"
    body = bytes(event["body"])
    headers = {"Sandpay-Signature": signature_header(secrets, now_seconds(), body)}
    try:
        return post(event["url"], body, headers, timeout_seconds=_TIMEOUT_SECONDS).status, None
    except NoAnswer as reason:
        return None, str(reason)

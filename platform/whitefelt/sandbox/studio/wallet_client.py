"""The studio's side of the native play protocol: sign the bytes, send the bytes, judge the answer."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from .._clock import now_seconds
from .._http import NoAnswer, post
from .._input import origin_of
from .._server import Config


@dataclass(frozen=True)
class Wallet:
    """An operator's wallet as the configuration names it; ``wallet_id`` is the last part of its address."""

    wallet_id: str
    callback_url: str
    key_id: str
    secret: str


@dataclass(frozen=True)
class Tampering:
    """What tests may have done to a request; the default is an honest one."""

    bad_signature: bool = False
    bad_key: bool = False
    clock_skew_seconds: int = 0
    drop_answer: bool = False


@dataclass(frozen=True)
class Delivery:
    """What one delivery brought: a status and body, or the reason why there is none."""

    status: int | None
    answer: str | None
    error: str | None

    @property
    def data(self) -> dict[str, Any]:
        """The answer's JSON object; empty when it is none."""
        try:
            found = json.loads(self.answer or "")
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def verdict(self) -> str:
        """``ok`` (booked), ``refused`` (final) or ``unclear`` (send the same message again)."""
        if self.status == 200 and self.data.get("status") == "ok":
            return "ok"
        if self.status is not None and 400 <= self.status < 500 and self.status not in (408, 425, 429):
            return "unclear" if self.data.get("retryable") is True else "refused"
        return "unclear"


def wallets(config: Config) -> dict[str, Wallet]:
    """The wallets of the configuration by their opaque ids."""
    found = {}
    for entry in config.entries("wallets", "callback_url", "key_id", "secret"):
        url = entry["callback_url"].rstrip("/")
        if origin_of(url) and url.count("/") >= 3:
            wallet_id = url.rsplit("/", 1)[1]
            found[wallet_id] = Wallet(wallet_id, url, entry["key_id"], entry["secret"])
    return found


def signature(secret: str, key_id: str, timestamp: int | str, body: bytes) -> str:
    """Lower-case hex of HMAC-SHA256 over ``key_id.timestamp.body``."""
    message = f"{key_id}.{timestamp}.".encode() + body
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def deliver(
    wallet: Wallet, kind: str, body: bytes, *, timeout_seconds: float, tampering: Tampering = Tampering()
) -> Delivery:
    """Send a message once and report what came back; never raises for what the network does."""
    key_id = "no-such-key" if tampering.bad_key else wallet.key_id
    timestamp = now_seconds() + tampering.clock_skew_seconds
    signed = body + b" " if tampering.bad_signature else body
    headers = {
        "X-Whitefelt-Key": key_id,
        "X-Whitefelt-Timestamp": str(timestamp),
        "X-Whitefelt-Signature": signature(wallet.secret, key_id, timestamp, signed),
    }
    return deliver_raw(f"{wallet.callback_url}/{kind}", headers, body, timeout_seconds, tampering.drop_answer)


def deliver_raw(
    url: str, headers: dict[str, str], body: bytes, timeout_seconds: float, drop_answer: bool = False
) -> Delivery:
    """Send bytes with ready headers once."""
    try:
        answer = post(url, body, headers, timeout_seconds=timeout_seconds, drop_answer=drop_answer)
    except NoAnswer as reason:
        return Delivery(None, None, str(reason))
    return Delivery(answer.status, answer.body.decode("utf-8", "replace"), None)

"""The other ends of the wire, written for these tests alone: a small wallet and a webhook receiver.

They check signatures by their own few lines of hmac: nothing is shared with the vendors or with the platform.
"""

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Seen:
    """One request as it arrived."""

    path: str
    body: bytes
    headers: dict[str, str]
    verified: bool
    data: dict[str, Any] = field(default_factory=dict)


class Receiver:
    """A threaded HTTP server that keeps what it saw and answers (status, JSON), or None to hang up."""

    def __init__(self, answer: Callable[[Seen], tuple[int, Any] | None], verify: Callable[[Seen], bool]) -> None:
        self.seen: list[Seen] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                seen = Seen(self.path, raw, {k.lower(): v for k, v in self.headers.items()}, False)
                seen.verified = verify(seen)
                seen.data = json.loads(raw)
                outer.seen.append(seen)
                answered = answer(seen)
                if answered is None:
                    self.close_connection = True
                    return
                out = json.dumps(answered[1]).encode()
                self.send_response(answered[0])
                self.send_header("Content-Length", str(len(out)))
                self.end_headers()
                self.wfile.write(out)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class FakeWallet:
    """A wallet of the native play protocol for one operator: idempotent, with a knob for bad days.

    ``trouble`` may be a function of the message type and the number of this delivery (from 0) that returns ``down``
    (500, nothing booked), ``lost`` (booked, then hung up), or None.
    """

    KEY, SECRET = "key_fake", "a secret of the tests"

    def __init__(self, balance: str = "100.00") -> None:
        self.start = Decimal(balance)
        self.booked: dict[str, tuple[str, Decimal]] = {}
        self.rolled_back: set[str] = set()
        self.answers: dict[str, tuple[int, Any]] = {}
        self.deliveries: dict[str, int] = {}
        self.trouble: Callable[[str, int], str | None] = lambda kind, number: None
        self.lock = threading.Lock()
        self.receiver = Receiver(self._answer, self._verify)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.receiver.port}/callbacks/play/w-test"

    @property
    def entry(self) -> dict[str, str]:
        return {"callback_url": self.url, "key_id": self.KEY, "secret": self.SECRET}

    @property
    def balance(self) -> Decimal:
        return self.start + sum((amount for _, amount in self.booked.values()), Decimal(0))

    def messages(self, kind: str) -> list[Seen]:
        return [seen for seen in self.receiver.seen if seen.path.endswith("/" + kind)]

    def _verify(self, seen: Seen) -> bool:
        stamp = seen.headers.get("x-whitefelt-timestamp", "0")
        signed = self.KEY.encode() + b"." + stamp.encode() + b"." + seen.body
        wanted = hmac.new(self.SECRET.encode(), signed, hashlib.sha256).hexdigest()
        fresh = abs(int(stamp) - int(time.time())) <= 300
        return (
            fresh
            and seen.headers.get("x-whitefelt-key") == self.KEY
            and hmac.compare_digest(wanted, seen.headers.get("x-whitefelt-signature", ""))
        )

    def _answer(self, seen: Seen) -> tuple[int, Any] | None:
        data = seen.data
        kind = data["type"]
        if not seen.verified:
            return 401, {"code": "signature_invalid", "retryable": False}
        if kind == "balance":
            return 200, {"status": "ok", "currency": data["currency"], "balance": f"{self.balance:.2f}"}
        with self.lock:
            key = data["transaction_id"]
            number = self.deliveries.get(key, 0)
            self.deliveries[key] = number + 1
            trouble = self.trouble(kind, number)
            if trouble == "down":
                return 500, {"code": "temporarily_unavailable", "retryable": True}
            if key not in self.answers:
                self.answers[key] = self._book(data, kind, key)
            return None if trouble == "lost" else self.answers[key]

    def _book(self, data: dict[str, Any], kind: str, key: str) -> tuple[int, Any]:
        if kind == "bet":
            amount = -Decimal(data["amount"])
            if key in self.rolled_back:
                return 409, {"code": "transaction_rolled_back", "retryable": False}
            if self.balance + amount < 0:
                return 402, {"code": "insufficient_funds", "retryable": False, "balance": f"{self.balance:.2f}"}
        elif kind == "win":
            amount = Decimal(data["amount"])
        else:
            bet = data["reference_transaction_id"]
            self.rolled_back.add(bet)
            amount = -self.booked[bet][1] if bet in self.booked else Decimal(0)
        self.booked[key] = (kind, amount)
        return 200, {
            "status": "ok",
            "transaction_id": key,
            "currency": data["currency"],
            "balance": f"{self.balance:.2f}",
        }


class Shop:
    """Where Sandpay's webhooks arrive; ``status(number)`` decides the answer to the n-th delivery (from 0)."""

    SECRET = "webhook secret of the tests"

    def __init__(self, status: Callable[[int], int] = lambda number: 200) -> None:
        self.status = status
        self.receiver = Receiver(lambda seen: (self.status(len(self.receiver.seen) - 1), {}), self._verify)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.receiver.port}/hooks/x"

    @property
    def seen(self) -> list[Seen]:
        return self.receiver.seen

    def _verify(self, seen: Seen) -> bool:
        found = re.fullmatch(r"t=(\d+)((?:,v1=[0-9a-f]{64})+)", seen.headers.get("sandpay-signature", ""))
        if not found or abs(int(found[1]) - int(time.time())) > 300:
            return False
        wanted = hmac.new(self.SECRET.encode(), found[1].encode() + b"." + seen.body, hashlib.sha256).hexdigest()
        return any(hmac.compare_digest(wanted, mark) for mark in found[2].split(",v1=") if mark)

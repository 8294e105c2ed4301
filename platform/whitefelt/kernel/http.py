"""Calls to the outside: every one has time-outs, follows no redirect, and tells three failures apart.

`VendorRefused`: the vendor answered and said no. `VendorUnavailable`: surely not carried out (no connection was made).
`VendorUnknown`: sent, but no usable answer: it may have happened; ask for its status before trying again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

MAX_ANSWER_BYTES = 1024 * 1024
#: Calls to one vendor under way at once in a process, and how long a further one waits for its turn.
CALLS_AT_ONCE, WAIT_SECONDS = 6, 2


@dataclass(frozen=True, slots=True)
class Answer:
    """A vendor's HTTP answer; `body` are the bytes received."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body; VendorUnknown if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise VendorUnknown("the answer is not JSON") from error


class VendorError(Exception):
    """Base of the three failures."""


class VendorRefused(VendorError):
    """The vendor understood and refused; `status` and `body` are its words."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"vendor refused with HTTP {status}")
        self.status, self.body = status, body


class VendorUnavailable(VendorError):
    """No connection: the request was surely not carried out."""


class VendorUnknown(VendorError):
    """The request was sent and its outcome is unknown."""


def call(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None, seconds: int = 10
) -> Answer:
    """One request, at most `seconds` long in all phases, at most 1 MiB of answer; raises a VendorError."""
    place = _place_at(url)
    if not place.acquire(timeout=WAIT_SECONDS):
        raise VendorUnavailable("too many calls to this vendor are waiting for it")
    try:
        return _call(method, url, headers=headers, body=body, seconds=seconds)
    finally:
        place.release()


_places: dict[str, threading.BoundedSemaphore] = {}
_places_lock = threading.Lock()


def _place_at(url: str) -> threading.BoundedSemaphore:
    """Who calls a vendor that hangs holds a thread; half of them stay free for everything else."""
    origin = urlsplit(url).netloc
    with _places_lock:
        return _places.setdefault(origin, threading.BoundedSemaphore(CALLS_AT_ONCE))


def _call(method: str, url: str, *, headers: Mapping[str, str] | None, body: bytes | None, seconds: int) -> Answer:
    limits = httpx2.Timeout(seconds, connect=min(3, seconds))
    give_up = time.monotonic() + seconds
    received = bytearray()
    try:
        with (
            httpx2.Client(timeout=limits, follow_redirects=False, trust_env=False) as client,
            client.stream(method, url, headers=dict(headers or {}), content=body) as response,
        ):
            # The client's own time-outs begin anew with every packet: a vendor that drips would be waited for without end.
            for part in response.iter_bytes():
                received += part
                if len(received) > MAX_ANSWER_BYTES:
                    raise VendorUnknown("the answer is larger than 1 MiB")
                if time.monotonic() > give_up:
                    raise VendorUnknown("the answer did not end in time")
    except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
        raise VendorUnavailable(type(error).__name__) from error
    except httpx2.HTTPError as error:
        raise VendorUnknown(type(error).__name__) from error
    answer = Answer(response.status_code, dict(response.headers), bytes(received))
    if answer.status >= 500 or answer.status in (408, 429):
        raise VendorUnknown(f"HTTP {answer.status}")
    if answer.status >= 300:
        raise VendorRefused(answer.status, answer.body)
    return answer

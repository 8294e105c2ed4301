"""The vendors' own HTTP client: one POST, exact bytes, a time limit, no redirects, no retries of its own."""

import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


class NoAnswer(Exception):
    """Nothing readable came back: refused, timed out, or dropped. The other side may have acted all the same."""


@dataclass(frozen=True)
class Answer:
    """What came back: the HTTP status and at most 64 KiB of body."""

    status: int
    body: bytes


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float, drop_answer: bool = False
) -> Answer:
    """POST exactly these bytes.

    ``drop_answer`` sends everything and hangs up unread, which is what a broken line looks like from here.
    Raises ``NoAnswer`` for anything but a complete HTTP answer.
    """
    parts = urlsplit(url)
    name = parts.hostname or ""
    # Browsers know *.localhost as loopback; many resolvers do not.
    dial = "127.0.0.1" if name == "localhost" or name.endswith(".localhost") else name
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(dial, parts.port, timeout=timeout_seconds)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = {"Host": parts.netloc, "Content-Type": "application/json", "Connection": "close", **headers}
    try:
        connection.request("POST", target, body=body, headers=sent)
        if drop_answer:
            # The message has arrived when the other side begins to answer; only then is the line cut.
            if connection.sock is not None:
                connection.sock.settimeout(timeout_seconds)
                connection.sock.recv(1, socket.MSG_PEEK)
            raise NoAnswer("the answer was dropped on purpose")
        response = connection.getresponse()
        return Answer(response.status, response.read(64 * 1024))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()

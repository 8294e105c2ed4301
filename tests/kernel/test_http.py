"""Calls to vendors end: in time and in size, whatever a vendor sends; and what it sent in full is read in full."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from whitefelt.kernel import http


@contextmanager
def vendor(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server for one request, which answers it as told; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                try:
                    answer(connection)
                except OSError:
                    return  # the caller has had enough

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        thread.join(10)
        assert not thread.is_alive(), "the call never let go of the vendor"


def parts(number: int, size: int, pause: float = 0.0) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (number * size))
        for _ in range(number):
            connection.sendall(b"x" * size)
            time.sleep(pause)

    return answer


def test_an_answer_in_parts_is_read_whole():
    with vendor(parts(5, 2, 0.02)) as url:
        assert http.call("GET", url, seconds=2).body == b"x" * 10


def test_an_answer_that_drips_is_given_up_in_time():
    """Every packet began the time-out anew, so that a vendor could hold a worker, and the money it was to move, for hours."""
    began = time.monotonic()
    with vendor(parts(40, 1, 0.2)) as url, pytest.raises(http.VendorUnknown, match="in time"):
        http.call("GET", url, seconds=1)
    assert time.monotonic() - began < 4


def test_an_answer_without_end_is_not_kept_in_memory():
    """The size was looked at once everything had been read."""
    with vendor(parts(10**6, 65536)) as url, pytest.raises(http.VendorUnknown, match="1 MiB"):
        http.call("GET", url, seconds=5)


def test_an_answer_of_the_largest_size_is_read():
    with vendor(parts(16, 65536)) as url:
        assert len(http.call("GET", url, seconds=5).body) == http.MAX_ANSWER_BYTES


def test_a_vendor_that_hangs_holds_only_its_share_of_threads(monkeypatch: pytest.MonkeyPatch):
    """Six calls wait for the vendor that hangs; the seventh is told so at once, and another vendor is not affected."""
    monkeypatch.setattr(http, "WAIT_SECONDS", 0.1)
    release = threading.Event()
    with socket.create_server(("127.0.0.1", 0), backlog=32) as hanging, vendor(parts(1, 2)) as well:
        url = f"http://127.0.0.1:{hanging.getsockname()[1]}/"

        def hang() -> None:
            with pytest.raises((http.VendorUnknown, http.VendorUnavailable)):
                http.call("GET", url, seconds=3)
            release.set()

        threads = [threading.Thread(target=hang, daemon=True) for _ in range(http.CALLS_AT_ONCE)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + 2
        while http._place_at(url)._value and time.monotonic() < until:
            time.sleep(0.01)
        with pytest.raises(http.VendorUnavailable, match="too many"):
            http.call("GET", url, seconds=3)
        assert not release.is_set()
        assert http.call("GET", well, seconds=2).body == b"xx"
        for thread in threads:
            thread.join(10)

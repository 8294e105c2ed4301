"""A background sender: asks the books what is due and hands it to a few threads, one per lane at a time."""

import logging
import threading
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger("sandbox")


class Pump:
    """Runs ``work(key)`` for everything that ``due()`` names, until ``stop``.

    ``due`` yields (lane, key). A key is never worked on twice at once, and a lane (say, one merchant) has one worker
    at a time, so that a partner who is down holds up nobody else.
    """

    def __init__(
        self,
        due: Callable[[], Iterable[tuple[Hashable, str]]],
        work: Callable[[str], None],
        *,
        tick_seconds: float = 0.1,
        workers: int = 6,
    ) -> None:
        self._due, self._work, self._tick = due, work, tick_seconds
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="pump")
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._guard = threading.Lock()
        self._lanes: set[Hashable] = set()
        self._claimed: set[str] = set()

    def start(self) -> None:
        """Begin; what the books hold from an earlier life is picked up at once."""
        threading.Thread(target=self._loop, name="pump", daemon=True).start()

    def wake(self) -> None:
        """Look again now instead of at the next tick."""
        self._wake.set()

    def stop(self) -> None:
        """Hand out no more work."""
        self._stopped.set()
        self._wake.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def claim(self, key: str) -> bool:
        """Take a key for work outside the pump; False when somebody has it."""
        with self._guard:
            if key in self._claimed:
                return False
            self._claimed.add(key)
            return True

    def release(self, key: str) -> None:
        """Give a claimed key back."""
        with self._guard:
            self._claimed.discard(key)

    def _loop(self) -> None:
        while not self._stopped.is_set():
            try:
                for lane, key in self._due():
                    self._hand_out(lane, key)
            except Exception:
                log.exception("the sender stumbled; it goes on")
            self._wake.wait(self._tick)
            self._wake.clear()

    def _hand_out(self, lane: Hashable, key: str) -> None:
        with self._guard:
            if lane in self._lanes or key in self._claimed or self._stopped.is_set():
                return
            self._lanes.add(lane)
            self._claimed.add(key)
        try:
            self._pool.submit(self._run, lane, key)
        except RuntimeError:
            self._done(lane, key)

    def _run(self, lane: Hashable, key: str) -> None:
        try:
            self._work(key)
        except Exception:
            log.exception("sending %s stumbled; it will be tried again", key)
            self._stopped.wait(0.5)
        finally:
            self._done(lane, key)
            self._wake.set()

    def _done(self, lane: Hashable, key: str) -> None:
        with self._guard:
            self._lanes.discard(lane)
            self._claimed.discard(key)

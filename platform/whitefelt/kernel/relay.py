"""The relay process: looks at every tenant that was nudged or whose turn it is. See `relay_pass` for one look.

Nudges come through Valkey, so that a fact is on its way at once; without them a tenant at rest is looked at ever more
rarely, at most every `REST_SECONDS`, and every half second as long as Valkey is out of reach (longer for large fleets).
Several relays may run: each stream's cursor is locked while it is passed.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import redis

from whitefelt.kernel import queue, wakeups
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.relay_pass import Passed, relay_tenant

log = logging.getLogger("whitefelt.relay")

#: `tenants(after_id, limit)`: a page of active tenants by id.
Directory = Callable[[int, int], list[TenantRef]]

#: How rarely a tenant at rest is looked at; how soon again one that was busy, or one with a hole to wait for.
REST_SECONDS, BUSY_SECONDS, HOLE_SECONDS = 10.0, 0.5, 0.1
#: How often the list of tenants is read again.
_REFRESH_SECONDS = 5.0
_PAGE = 500


@dataclass(slots=True)
class _Turn:
    """When a tenant is looked at next, by the monotonic clock, and how long it has been resting."""

    tenant: TenantRef
    due: float = 0.0
    rest: float = BUSY_SECONDS
    failures: int = 0


class _Relay:
    def __init__(self, tenants: Directory, stopping: threading.Event) -> None:
        self.tenants = tenants
        self.stopping = stopping
        self.turns: dict[int, _Turn] = {}
        self.refresh_due = 0.0
        self.valkey_answers = True
        self.valkey_due = 0.0

    def run(self, announce: Callable[[str], None]) -> None:
        """Until `stopping` is set; the database and Valkey may come and go."""
        failures = 0
        while not self.stopping.is_set():
            try:
                self.refresh()
            except Exception as error:
                failures += 1
                log.warning("the relay waits for the database: %s", type(error).__name__)
                self.stopping.wait(min(0.25 * 2**failures, 5.0))
                continue
            if announce is not _said:
                announce("relay ready")
                announce = _said
            failures = 0
            for tenant_id in [*self.nudged(), *self.due_now()]:
                if self.stopping.is_set():
                    return
                self.look(tenant_id)

    def refresh(self) -> None:
        """Read the list of tenants again when it is time."""
        if time.monotonic() < self.refresh_due:
            return
        found: dict[int, _Turn] = {}
        after = 0
        while page := self.tenants(after, _PAGE):
            for tenant in page:
                found[tenant.id] = self.turns.get(tenant.id) or _Turn(tenant)
                found[tenant.id].tenant = tenant
            after = page[-1].id
        self.turns = found
        self.refresh_due = time.monotonic() + _REFRESH_SECONDS

    def nudged(self) -> Iterable[int]:
        """Tenants that were nudged; waits for one until the next turn, at most a second."""
        wait = max(0.0, min((turn.due for turn in self.turns.values()), default=1e9) - time.monotonic())
        wait = min(wait, 1.0)
        if time.monotonic() < self.valkey_due:
            self.stopping.wait(min(wait, 0.25))
            return []
        try:
            connection = queue.connection()
            found: list[Any] = []
            # Zero would mean for ever; and Valkey counts in steps of its own below a few milliseconds.
            first: Any = connection.bzpopmin(wakeups.nudges_key(), wait) if wait > 0.01 else None
            if first is not None:
                found.append(first[1])
            rest: Any = connection.zpopmin(wakeups.nudges_key(), _PAGE)
            found += [one[0] for one in rest]
            self.valkey_answers = True
        except (redis.RedisError, OSError) as error:
            if self.valkey_answers:
                log.warning("the relay polls, Valkey is out of reach: %s", type(error).__name__)
                for turn in self.turns.values():
                    turn.due = min(turn.due, time.monotonic() + self.longest_rest())
            self.valkey_answers = False
            self.valkey_due = time.monotonic() + 0.5
            return []
        ids = [int(member) for member in found]
        for tenant_id in ids:
            self.welcome(tenant_id)
        return [tenant_id for tenant_id in ids if tenant_id in self.turns]

    def welcome(self, tenant_id: int) -> None:
        """Take up a tenant that is too new for the list."""
        if tenant_id in self.turns:
            self.turns[tenant_id].rest = BUSY_SECONDS
            return
        try:
            page = self.tenants(tenant_id - 1, 1)
        except Exception as error:
            log.warning("a new tenant waits for the database: %s", type(error).__name__)
            return
        if page and page[0].id == tenant_id:
            self.turns[tenant_id] = _Turn(page[0])

    def due_now(self) -> list[int]:
        """Tenants whose turn it is, the longest waiting first."""
        now = time.monotonic()
        ready = [(turn.due, tenant_id) for tenant_id, turn in self.turns.items() if turn.due <= now]
        return [tenant_id for _, tenant_id in sorted(ready)]

    def longest_rest(self) -> float:
        return REST_SECONDS if self.valkey_answers else max(0.5, len(self.turns) / 100)

    def look(self, tenant_id: int) -> None:
        """Look at one tenant and set its next turn; a failure is this tenant's alone."""
        turn = self.turns[tenant_id]
        try:
            passed = relay_tenant(turn.tenant)
        except Exception as error:
            turn.failures += 1
            log.warning("relay of %s failed: %s", turn.tenant.slug, type(error).__name__)
            turn.due = time.monotonic() + min(0.25 * 2**turn.failures, 30.0)
            return
        turn.failures = 0
        turn.due = time.monotonic() + self.pause(turn, passed)

    def pause(self, turn: _Turn, passed: Passed) -> float:
        """Seconds until the tenant's next turn."""
        if passed.more:
            return 0.0
        if passed.waiting:
            return HOLE_SECONDS
        turn.rest = min(turn.rest * 2, self.longest_rest()) if passed.idle else BUSY_SECONDS
        if passed.due_seconds is not None and passed.due_seconds > 0:
            return min(turn.rest, passed.due_seconds + 0.01)
        return turn.rest


def _said(message: str) -> None:
    """Nothing: it has been said."""


def main(tenants: Directory, announce: Callable[[str], None] = log.info) -> None:
    """Run until SIGTERM or SIGINT. `announce` gets one line once the database answers."""
    stopping = threading.Event()

    def stop(*_: object) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    _Relay(tenants, stopping).run(announce)

"""Facts: recorded in the transaction that makes them true, told to their consumers after commit, at least once, in
order per key.

`record(work, fact)` writes the fact and leaves a wake-up for the relay (`kernel.relay`), which passes the *stream* in
id order and writes one delivery per subscribed consumer; a worker (`kernel.drain`) hands the deliveries of one key to
the consumer's handler, strictly in order. Valkey carries wake-ups only, so that its loss delays and never loses.

Streams: `outbox`, and whatever table the composition root adds (the journal: its rows *are* facts). A *fold* reads a
whole stream in order with a cursor of its own, for totals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, TypeVar

from sqlalchemy import insert, select

from whitefelt.kernel import wakeups
from whitefelt.kernel.db import Work
from whitefelt.kernel.outbox_models import CursorRow, OutboxRow

_PRIMITIVES = (str, int, bool, type(None))


class Fact:
    """Something that has happened, as a frozen dataclass of primitives: ids and amounts, never personal data.

    Additive for ever: a new field has a default, an old one keeps its meaning, a changed meaning is a new NAME. A
    reader ignores fields that it does not know.
    """

    NAME: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.NAME:
            known = FACTS.get(cls.NAME, cls)
            assert known.__qualname__ == cls.__qualname__, f"two facts are called {cls.NAME!r}"
            # A dataclass with slots is made twice; the second one is the class that everybody imports.
            FACTS[cls.NAME] = cls

    @property
    def key(self) -> str:
        """What this fact is ordered by: facts of one key reach a consumer in the order they were recorded."""
        raise AssertionError(f"{type(self).__name__} does not say its key")

    def body(self) -> dict[str, Any]:
        """The fact's fields as JSON values; a programmer's error if one is no primitive."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        for name, value in found.items():
            whole = value if isinstance(value, tuple) else (value,)
            assert all(isinstance(one, _PRIMITIVES) for one in whole), f"{self.NAME}.{name} is no primitive"
        return found

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """The fact that was recorded with that body, by this or another version of the class."""
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in body.items() if k in known})


class StoredFact(Fact):
    """A fact as it lies in the outbox, not yet read as its class: one that cannot be read stops its own key only."""

    def __init__(self, name: str, version: int, key: str, body: Mapping[str, Any]) -> None:
        # On the instance, as the class of a stored fact is not that of its name.
        self.NAME, self.VERSION = name, version  # type: ignore[misc]
        self._key, self._body = key, dict(body)

    @property
    def key(self) -> str:
        return self._key

    def body(self) -> dict[str, Any]:
        return self._body

    def read(self) -> Fact | None:
        """The fact itself; None if this process does not know its class."""
        kind = FACTS.get(self.NAME)
        return kind.from_body(self._body) if kind is not None else None


#: Every fact class by name.
FACTS: dict[str, type[Fact]] = {}
_F = TypeVar("_F", bound=Fact)
Handler = Callable[..., object]
Batch = Sequence[tuple[int, Fact]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A handler's place: `outside` ones run without a transaction, `money` ones on the login that may move money."""

    consumer: str
    name: str
    queue: str
    outside: bool
    money: bool
    handler: Handler
    #: The only stream it listens to; None: any.
    stream: str | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """A table with ascending ids whose rows are facts; `read(work, after_id, limit)` gives rows as (id, fact)."""

    name: str
    read: Callable[[Work, int, int], Iterable[tuple[int, Fact | None]]]
    #: The facts it can hold, if they are few; empty: any.
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fold:
    """A consumer of a whole stream: `handler(work, batch)` runs in the transaction that advances its cursor."""

    stream: str
    consumer: str
    handler: Callable[[Work, Batch], object]
    money: bool
    queue: str


#: By (consumer, fact's name), by stream's name, by consumer: filled at import by handlers and by the composition root.
SUBSCRIPTIONS: dict[tuple[str, str], Subscription] = {}
STREAMS: dict[str, Stream] = {}
FOLDS: dict[str, Fold] = {}


def record(work: Work, fact: Fact) -> None:
    """Record the fact in this transaction; whoever subscribed hears of it after commit, or never if there is none."""
    work.session.execute(insert(OutboxRow).values(name=fact.NAME, version=fact.VERSION, key=fact.key, body=fact.body()))
    told(work)


def told(work: Work) -> None:
    """Have the relay look at this tenant after commit. For writers of other streams; `record` does it by itself."""
    if wakeups.RELAY not in work.wakeups:
        work.wakeups.append(wakeups.RELAY)


def subscribe(
    fact: type[_F], consumer: str, *, queue: str = "default", outside: bool = False, money: bool = False
) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Decorate the handler of `fact` for `consumer`; `queue` is default, money or mail.

    Inside (default): `handler(work, fact)` runs in the unit of work in which the delivery is marked done: its effect in
    our database happens exactly once. `money=True` gives a `money_work`. With `outside=True` it is `handler(tenant,
    fact)`, without a transaction, for what calls a vendor: at least once, so it must be idempotent, within
    `drain.LEASE_SECONDS`. An exception means: again later, with growing pauses, this key's later facts waiting.
    All handlers of one consumer are of one kind and share its order per key.
    """

    def decorate(handler: Callable[..., object]) -> Callable[..., object]:
        add_subscription(Subscription(consumer, fact.NAME, queue, outside, money, handler))
        return handler

    return decorate


def add_subscription(wanted: Subscription) -> None:
    """Register it; a programmer's error if the place is taken or the consumer is already of another kind."""
    assert wanted.queue in wakeups.QUEUES, f"there is no queue {wanted.queue!r}"
    known = SUBSCRIPTIONS.get((wanted.consumer, wanted.name), wanted)
    same = known.handler.__qualname__ == wanted.handler.__qualname__
    assert same, f"{wanted.consumer} handles {wanted.name} twice"
    kinds = {(one.queue, one.outside, one.money) for one in SUBSCRIPTIONS.values() if one.consumer == wanted.consumer}
    kind = (wanted.queue, wanted.outside, wanted.money)
    assert kinds <= {kind}, f"{wanted.consumer} is of two kinds: give the other handler a consumer name of its own"
    SUBSCRIPTIONS[(wanted.consumer, wanted.name)] = wanted


def queue_of(consumer: str) -> str:
    """The queue on which that consumer's keys are drained."""
    return next((one.queue for one in SUBSCRIPTIONS.values() if one.consumer == consumer), "default")


def subscriptions_to(stream: Stream) -> list[Subscription]:
    """Who is owed facts of that stream."""
    return [
        one for one in SUBSCRIPTIONS.values()
        if one.stream in (None, stream.name) and (not stream.names or one.name in stream.names)
    ]  # fmt: skip


def add_stream(
    name: str, read: Callable[[Work, int, int], Iterable[tuple[int, Fact | None]]], *facts: type[Fact]
) -> None:
    """Relay the table `name` of every tenant; `read(work, after_id, limit)` gives rows by id as (id, fact or None).

    The table's ids ascend and are taken by the insert itself, so that rows that commit late are waited for. `facts` are
    the classes it can give: a stream that nobody subscribed to is then passed without being read.
    """
    assert name.isidentifier(), f"{name!r} is no table"
    STREAMS[name] = Stream(name, read, frozenset(one.NAME for one in facts))


def add_fold(
    stream: str, consumer: str, handler: Callable[[Work, Batch], object], *, money: bool = False, queue: str = "default"
) -> None:
    """Give every fact of the stream to `handler(work, [(id, fact), ..])`, in order, in batches, exactly once each."""
    FOLDS[consumer] = Fold(stream, consumer, handler, money, queue)


def passed_through(work: Work, stream: str, consumer: str = "") -> int:
    """The id at and below which no row of the stream can appear any more (of a fold: what it has folded)."""
    found = work.session.scalar(
        select(CursorRow.last_id).where(CursorRow.stream == stream, CursorRow.consumer == consumer)
    )
    return found or 0


def _read_outbox(work: Work, after_id: int, limit: int) -> Iterable[tuple[int, Fact | None]]:
    rows = work.session.execute(
        select(OutboxRow.id, OutboxRow.name, OutboxRow.version, OutboxRow.key, OutboxRow.body)
        .where(OutboxRow.id > after_id)
        .order_by(OutboxRow.id)
        .limit(limit)
    )
    for row in rows:
        yield row.id, StoredFact(row.name, row.version, row.key, row.body)


add_stream("outbox", _read_outbox)

"""The database: engines per alias and login, the pin, and units of work.

A transaction sees a tenant only through its *pin*: one transaction-local statement that sets search path and role. The
login itself has an empty path and no rights, so a forgotten pin fails closed. Nothing here is set for a session.

Three doors:
- `unit_of_work(tenant)`   everything but money; login `app`
- `money_work(tenant)`     the same pin on the login `money`, the only one that may call wallet functions
- `platform_work()`        platform tables, no tenant
and `money_pool(alias)`, raw autocommit connections of the login `money` for one-trip movements.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool
from sqlalchemy import MetaData, create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, Session

from whitefelt.kernel import clock, context, settings
from whitefelt.kernel.context import SYSTEM, Actor, Pin, TenantRef

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
#: Seconds that a statement or a wait for a lock or a pooled connection may take on an ordinary request.
STATEMENT_SECONDS, LOCK_SECONDS, POOL_SECONDS = 15, 5, 5
#: Connections beyond the four that are kept: a page may need a second `app` one while it holds the first.
OVERFLOW = {"app": 12, "money": 4}


class PlatformBase(DeclarativeBase):
    """Tables of the whole platform: always written `platform.<table>`."""

    metadata = MetaData(schema="platform", naming_convention=NAMING)


class TenantBase(DeclarativeBase):
    """Tables that every tenant has: never written with a schema; the pin decides whose they are."""

    metadata = MetaData(naming_convention=NAMING)


@dataclass(slots=True)
class Work:
    """One unit of work: a transaction, who acts, and what is to be told after commit. Passed first, never global."""

    session: Session
    tenant: TenantRef | None
    actor: Actor
    #: True when this transaction runs on the login that may call wallet functions.
    may_move_money: bool = False
    #: Wake-ups to send after commit: (queue name, key). Losing them is harmless; see kernel.outbox.
    wakeups: list[tuple[str, str]] = field(default_factory=list)

    @property
    def here(self) -> TenantRef:
        """The tenant of this unit of work; a programmer's error if there is none."""
        assert self.tenant is not None, "this needs a tenant's unit of work"
        return self.tenant

    def now(self) -> Any:
        """The current instant in UTC."""
        return clock.now()


_lock = threading.Lock()
_engines: dict[tuple[str, str], Engine] = {}
_pools: dict[str, ConnectionPool[psycopg.Connection[Any]]] = {}

_PIN = "SELECT set_config('search_path', %s, true), set_config('role', %s, true)"


def engine(login: str, alias: str = "default") -> Engine:
    """The pooled engine of that login (`app`, `money`) on that database alias; made on first use in this process."""
    with _lock:
        found = _engines.get((login, alias))
        if found is None:
            made = _make_engine(settings.current().login_url(login, alias), OVERFLOW[login])
            found = _engines[(login, alias)] = made
        return found


def _make_engine(url: str, overflow: int) -> Engine:
    made = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_size=4, max_overflow=overflow, pool_timeout=POOL_SECONDS, pool_recycle=1800, pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "whitefelt",
            "options": f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s",
        },
    )  # fmt: skip
    event.listen(made, "begin", _pin_transaction)
    return made


def _pin_transaction(connection: Connection) -> None:
    """Pin the transaction that begins, by the raw driver (the cheapest way); no pin in context: nothing is visible."""
    pin = context.pin.get()
    if pin is not None:
        cursor = connection.connection.cursor()
        cursor.execute(_PIN, (pin.search_path, pin.role))
        cursor.close()


@contextmanager
def unit_of_work(tenant: TenantRef, actor: Actor = SYSTEM) -> Iterator[Work]:
    """A transaction in that tenant's schema; commits at the end, rolls back on any exception. Cannot move money."""
    with _transaction(tenant, actor, "app") as work:
        yield work


@contextmanager
def money_work(tenant: TenantRef, actor: Actor = SYSTEM) -> Iterator[Work]:
    """As `unit_of_work`, on the login that may call the tenant's wallet functions."""
    with _transaction(tenant, actor, "money") as work:
        yield work


@contextmanager
def snapshot_work(tenant: TenantRef) -> Iterator[Work]:
    """A read-only transaction in that tenant's schema in which every query sees one and the same instant."""
    bind = engine("app", tenant.alias).execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with _pinned(_pin_of(tenant), bind) as session:
        yield Work(session, tenant, SYSTEM)


def _pin_of(tenant: TenantRef) -> Pin:
    return Pin(f"{tenant.schema}, extensions", tenant.app_role)


@contextmanager
def _transaction(tenant: TenantRef, actor: Actor, login: str) -> Iterator[Work]:
    with _pinned(_pin_of(tenant), engine(login, tenant.alias)) as session:
        work = Work(session, tenant, actor, may_move_money=login == "money")
        yield work
        session.commit()
    _after_commit(work)


@contextmanager
def platform_work(actor: Actor = SYSTEM) -> Iterator[Work]:
    """A transaction on platform tables only; commits at the end."""
    with _pinned(Pin("", settings.current().login("platform")), engine("app")) as session:
        work = Work(session, None, actor)
        yield work
        session.commit()
    _after_commit(work)


@contextmanager
def _pinned(pin: Pin, bind: Engine) -> Iterator[Session]:
    token = context.pin.set(pin)
    session = Session(bind, expire_on_commit=False, autoflush=True)
    try:
        # The transaction begins, and is pinned, before anyone can change the context variable.
        session.connection()
        yield session
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()
        context.pin.reset(token)


#: Called with each committed unit of work that has wake-ups; set by kernel.outbox, so that this file knows no queue.
after_commit_hooks: list[Any] = []


def _after_commit(work: Work) -> None:
    for hook in after_commit_hooks:
        hook(work)


def money_pool(alias: str = "default") -> ConnectionPool[psycopg.Connection[Any]]:
    """Autocommit connections of the login `money`: few, long-lived, for one-trip movements on the money path."""
    with _lock:
        found = _pools.get(alias)
        if found is None:
            found = _pools[alias] = ConnectionPool(
                settings.current().login_url("money", alias),
                min_size=1, max_size=4, timeout=POOL_SECONDS, max_lifetime=1800, open=True,
                # Give up soon, so that the next message connects: the pool's own attempts come ever more rarely.
                reconnect_timeout=1,
                kwargs={
                    "autocommit": True, "connect_timeout": 5, "application_name": "whitefelt-money",
                    "options": f"-c statement_timeout=5s -c lock_timeout={LOCK_SECONDS}s",
                },
            )  # fmt: skip
        return found


def dispose() -> None:
    """Close every engine and pool of this process: after a fork, at the end of a test, before exit."""
    with _lock:
        for made in _engines.values():
            made.dispose()
        for pool in _pools.values():
            pool.close()
        _engines.clear()
        _pools.clear()

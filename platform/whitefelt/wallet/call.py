"""Calling a wallet function: schema-qualified, one trip, inside a unit of work or autocommit.

In a unit of work the transaction is pinned to the tenant's role, which may not call these functions; for the length of the
call it steps back to the login `money` and then returns, all within the same transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import psycopg
from psycopg.types.json import Jsonb
from psycopg.types.numeric import Int8

from whitefelt.kernel import db, settings
from whitefelt.kernel.context import TenantRef
from whitefelt.kernel.db import Work

#: How often a call is repeated when its key was taken at the same moment through another pocket.
RACE_RETRIES = 3
#: As many as a pool may hold connections of a server that is no more, and one.
TRIES = 6


def body_hash(*parts: object) -> bytes:
    """SHA-256 over the meaning of a message: what must be equal for two messages with one reference to be the same."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).digest()


def in_work(work: Work, function: str, arguments: Sequence[Any]) -> Any:
    """Call within the unit of work's transaction (made by `money_work`)."""
    assert work.may_move_money, "money moves only in a money_work"
    work.session.flush()
    driver = cast("psycopg.Connection[Any]", work.session.connection().connection.driver_connection)
    statement = _statement(work.here.schema, function)
    with driver.cursor() as cursor:
        cursor.execute("SELECT set_config('role', %s, true)", (settings.current().login("money"),))
        cursor.execute(statement, _adapt(function, arguments))
        row = cursor.fetchone()
        cursor.execute("SELECT set_config('role', %s, true)", (work.here.app_role,))
    assert row is not None
    return row[0]


def one_trip(tenant: TenantRef, function: str, arguments: Sequence[Any]) -> Any:
    """Call as one autocommit round trip on a pooled connection.

    Repeated after a race that did nothing, and after a connection that died (the server was restarted): every movement
    carries its reference, so that a repetition is answered with what the first one did.
    """
    statement = _statement(tenant.schema, function)
    for attempt in range(TRIES):
        connection: psycopg.Connection[Any] | None = None
        try:
            with db.money_pool(tenant.alias).connection() as connection:
                row = connection.execute(statement, _adapt(function, arguments), prepare=True).fetchone()
                assert row is not None
                return row[0]
        except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
            if attempt >= RACE_RETRIES - 1:
                raise
        except psycopg.OperationalError:
            if connection is None or not connection.closed or attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable")


#: Argument types of each function: i integer, b bigint, B bigint[], t text, T text[], y bytea, j jsonb, f boolean. Fixed
#: types keep the text and the parameter types of a statement the same for every call, so that it is prepared once.
SIGNATURES = {
    "wallet_deposit": "itybbbBj",
    "wallet_reserve": "itybbbBj",
    "wallet_pay_out": "itybtB",
    "wallet_release": "itytB",
    "wallet_adjust": "itybbfbB",
    "wallet_bonus": "itytbbbbB",
    "wallet_claim": "itybj",
    "wallet_refuse": "itytbtB",
    "wallet_stake": "itybBtbbbtjfbj",
    "wallet_settle": "itybBBbbtjffBj",
    "wallet_restore": "itybttbfftB",
    "wallet_open": "tTtf",
    "wallet_set_terms": "bf",
    "wallet_fold_house": "b",
}
_CASTS = {
    "i": "integer",
    "b": "bigint",
    "B": "bigint[]",
    "t": "text",
    "T": "text[]",
    "y": "bytea",
    "j": "jsonb",
    "f": "boolean",
}


@lru_cache(maxsize=4096)
def _statement(schema: str, function: str) -> str:
    # Both names are made by us: schemas by ids.base32, functions are literals of this module.
    return f"SELECT {schema}.{function}({', '.join(f'%s::{_CASTS[kind]}' for kind in SIGNATURES[function])})"


def _adapt(function: str, arguments: Sequence[Any]) -> list[Any]:
    signature = SIGNATURES[function]
    assert len(signature) == len(arguments), f"{function} takes {len(signature)} arguments"
    return [_dump(kind, value) for kind, value in zip(signature, arguments, strict=True)]


def _dump(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind in "ib":
        return Int8(value)
    if kind == "B":
        return [Int8(one) for one in value]
    return Jsonb(value) if kind == "j" else value

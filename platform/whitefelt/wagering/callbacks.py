"""Hops 1, 2 and 6 of a provider's message: integration, signature and translation, answer. Plain WSGI, no framework.

The tenant comes from the opaque integration id in the path, never from the host. Nothing is opened before the signature
has been verified.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from typing import cast

import psycopg
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as QueueTimeout

from whitefelt import tenancy
from whitefelt.kernel import clock, context, registry, settings
from whitefelt.kernel.errors import NOT_FOUND, TEMPORARILY_UNAVAILABLE, Problem
from whitefelt.tenancy import Integration
from whitefelt.wagering import play
from whitefelt.wagering.ports import Answer, Endpoint, Message, PlayCode, PlayVendor, Refused, Reply

log = logging.getLogger("whitefelt.wagering")

MAX_BODY_BYTES = 64 * 1024
#: Messages per second and integration in one process; beyond it the provider is told to try again.
MAX_PER_SECOND = 1000
_DATABASE_GONE = (OperationalError, psycopg.OperationalError, PoolTimeout, QueueTimeout)


def endpoint(integration: Integration) -> Endpoint:
    """The integration as its connector sees it."""
    url = f"{settings.current().callback_base}/callbacks/play/{integration.public_id}"
    return Endpoint(integration.public_id, url, integration.config, integration.secrets)


def receive(public_id: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
    """One message of a play provider; `path` is what follows the callback address, `body` None when it is too large.

    `headers` have lower-case names. Never raises: what goes wrong is answered in the provider's own dialect.
    """
    try:
        integration = tenancy.integration(public_id)
        if integration.kind != "play":
            raise Problem(NOT_FOUND)
        connector = cast("PlayVendor", registry.connector("play", integration.vendor))
    except Problem as problem:
        return plain_refusal(problem)
    except _DATABASE_GONE as error:
        log.warning("database out of reach: %s", type(error).__name__)
        return plain_refusal(None)
    if body is None:
        return connector.encode(Answer(PlayCode.BODY_TOO_LARGE))
    try:
        message = connector.decode(endpoint(integration), path, headers, body, clock.now())
    except Refused as refused:
        log.info("refused %s message of %s: %s", path, integration.name, refused)
        return connector.encode(Answer(refused.code))
    # Counted after the signature: the id in the path is no secret, and a stranger must not use up the provider's share.
    if not _within_rate(public_id):
        return connector.encode(Answer(PlayCode.RATE_LIMITED, message))
    return connector.encode(_answer(integration, message))


def _answer(integration: Integration, message: Message) -> Answer:
    try:
        return play.answer(integration, message)
    except _DATABASE_GONE as error:
        log.warning("database out of reach for %s: %s", integration.name, type(error).__name__)
    except DBAPIError as error:
        if not error.connection_invalidated and not isinstance(error.orig, psycopg.OperationalError):
            log.exception("message of %s failed, trace %s", integration.name, context.trace.get())
    except Exception:
        log.exception("message of %s failed, trace %s", integration.name, context.trace.get())
    # Nothing was acknowledged, so the same message again is right whatever happened.
    return Answer(PlayCode.TEMPORARILY_UNAVAILABLE, message)


def plain_refusal(problem: Problem | None) -> Reply:
    """An answer when not even the dialect is known."""
    told = problem or Problem(TEMPORARILY_UNAVAILABLE)
    body = json.dumps(told.document(context.trace.get() or None)).encode()
    return Reply(told.code.status, body, "application/problem+json")


_seen: dict[str, tuple[int, int]] = {}
_seen_lock = threading.Lock()


def _within_rate(public_id: str) -> bool:
    second = int(time.monotonic())
    with _seen_lock:
        at, count = _seen.get(public_id, (second, 0))
        count = count + 1 if at == second else 1
        _seen[public_id] = (second, count)
        return count <= MAX_PER_SECOND

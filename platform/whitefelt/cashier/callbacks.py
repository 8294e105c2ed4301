"""The inbox of payment providers: checked, kept once, answered at once; applied afterwards by a handler."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from psycopg import OperationalError as DriverOperationalError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from whitefelt import audit, tenancy
from whitefelt.cashier import methods
from whitefelt.cashier.applying import Applied, apply_payment, apply_payout
from whitefelt.cashier.errors import NOTIFICATION_INVALID, SIGNATURE_INVALID
from whitefelt.cashier.models import NotificationRow
from whitefelt.cashier.ports import Notification, NotificationInvalid, PaymentState, PayoutState, SignatureInvalid
from whitefelt.facts.money import PaymentNotified
from whitefelt.kernel import clock, outbox
from whitefelt.kernel.context import Actor
from whitefelt.kernel.db import Work, unit_of_work
from whitefelt.kernel.errors import NOT_FOUND, TEMPORARILY_UNAVAILABLE, Code, Problem
from whitefelt.kernel.money import Money
from whitefelt.tenancy import Integration

log = logging.getLogger("whitefelt.cashier")

MAX_BYTES = 64 * 1024
_DATABASE_GONE = (OperationalError, DriverOperationalError, PoolTimeout)
_RECEIVED = b'{"received": true}'


def receive_at(public_id: str, headers: Mapping[str, str], raw: bytes) -> tuple[int, bytes, str]:
    """Answer a message that came to the callback address of that integration: status, body, content type. Never raises
    for what the sender did; 503 when the database is out of reach, so that the provider repeats it."""
    try:
        integration = tenancy.integration(public_id)
        if integration.kind != "pay":
            raise Problem(NOT_FOUND)
        status, body = receive(integration, headers, raw)
    except Problem as problem:
        status, body = _refusal(problem.code, problem.detail)
    except _DATABASE_GONE as error:
        log.warning("database out of reach: %s", type(error).__name__)
        status, body = _refusal(TEMPORARILY_UNAVAILABLE)
    return status, body, "application/json" if status == 200 else "application/problem+json"


def receive(integration: Integration, headers: Mapping[str, str], raw: bytes) -> tuple[int, bytes]:
    """Answer a provider's message: status and JSON body. 200 means that it is kept, also when it is a repetition.

    401 `notification_signature_invalid`, 400 `notification_invalid` (both problem documents): nothing is kept.
    """
    try:
        if len(raw) > MAX_BYTES:
            raise NotificationInvalid("the message is too long")
        told = methods.vendor_of(integration).decode(methods.account_of(integration), headers, raw, clock.now())
    except SignatureInvalid:
        return _refusal(SIGNATURE_INVALID)
    except NotificationInvalid as error:
        return _refusal(NOTIFICATION_INVALID, str(error))
    with unit_of_work(integration.tenant, Actor("vendor", integration.public_id, integration.name)) as work:
        _keep(work, integration, told, hashlib.sha256(raw).digest())
    return 200, _RECEIVED


def _refusal(code: Code, detail: str | None = None) -> tuple[int, bytes]:
    return code.status, json.dumps(Problem(code, detail).document()).encode()


def _keep(work: Work, integration: Integration, told: Notification, digest: bytes) -> None:
    values: dict[str, Any] = {
        "integration_id": integration.id, "event_id": told.event_id, "body_hash": digest, "type": told.type,
        "reference": told.state.reference, "payload": dict(told.document), "received_at": work.now(),
    }  # fmt: skip
    kept = _insert(work, {**values, "state": _document(told.state), "result": "received", "flagged": False})
    if kept is not None:
        outbox.record(work, PaymentNotified(integration.id, kept, told.state.reference))
        return
    known = work.session.scalar(
        select(NotificationRow.id).where(
            NotificationRow.integration_id == integration.id, NotificationRow.event_id == told.event_id,
            NotificationRow.body_hash == digest,
        )
    )  # fmt: skip
    if known is not None:
        return  # a repetition
    conflict = _insert(work, {**values, "result": "conflict", "flagged": True, "applied_at": work.now()})
    if conflict is None:
        return  # a repetition of a conflict, received at the same moment
    log.error("integration %s sent event %s twice with different bodies", integration.public_id, told.event_id)
    audit.record(
        work, "payment.notification_conflict", f"notification:{conflict}",
        reason=f"event {told.event_id} came again with another body; it was kept and not applied",
        after={"type": told.type, "reference": told.state.reference},
    )  # fmt: skip


def _insert(work: Work, values: dict[str, Any]) -> int | None:
    return work.session.scalar(
        insert(NotificationRow).values(**values).on_conflict_do_nothing().returning(NotificationRow.id)
    )


def apply(work: Work, notification_id: int) -> Applied:
    """Take a kept message up, once; needs a money_work. Called by the handler of PaymentNotified."""
    row = work.session.get_one(NotificationRow, notification_id, with_for_update=True)
    if row.applied_at is not None or row.state is None:
        return Applied(row.result, row.flagged)
    state = _state(row.state)
    if isinstance(state, PaymentState):
        done = apply_payment(work, row.integration_id, state)
    else:
        done = apply_payout(work, row.integration_id, state)
    row.applied_at, row.result, row.flagged = work.now(), done.result, done.flagged
    if done.flagged:
        log.error("notification %s (%s of %s): %s", row.event_id, row.type, row.reference, done.result)
    return done


def _document(state: PaymentState | PayoutState) -> dict[str, Any]:
    kind = "payment" if isinstance(state, PaymentState) else "payout"
    return {**asdict(state), "money": {"units": state.money.units, "currency": state.money.currency}, "kind": kind}


def _state(document: Mapping[str, Any]) -> PaymentState | PayoutState:
    fields = dict(document)
    kind = fields.pop("kind")
    fields["money"] = Money(fields["money"]["units"], fields["money"]["currency"])
    return PaymentState(**fields) if kind == "payment" else PayoutState(**fields)

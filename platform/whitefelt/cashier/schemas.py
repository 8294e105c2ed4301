"""JSON of the cashier's API. Amounts are decimal strings beside their `currency`."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from whitefelt.cashier.methods import OfferedMethod
from whitefelt.cashier.queries import Deposit, QueueRow, Withdrawal
from whitefelt.cashier.rules import WITHDRAWAL_STATUSES
from whitefelt.kernel.money import Money, decimal
from whitefelt.kernel.web import PageArgs

AMOUNT = {"description": "A plain decimal string, for example `100.00`; never a number.", "example": "100.00"}


def _amount(**more: Any) -> ma.fields.String:
    return ma.fields.String(metadata=AMOUNT, **more)


class KeyHeader(ma.Schema):
    """Makes repeating a request harmless: the same key and body give the same answer."""

    class Meta:
        """Other headers are not ours to judge."""

        unknown = ma.EXCLUDE

    idempotency_key = ma.fields.String(
        data_key="Idempotency-Key", load_default=None, metadata={"description": "1 to 128 printable characters."}
    )


class MethodSchema(ma.Schema):
    """A way to pay. There is no fee."""

    code = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)
    minimum = _amount(required=True)
    maximum = _amount(required=True)
    fee = _amount(required=True)
    deposit_minutes = ma.fields.Integer(required=True)
    payout_minutes = ma.fields.Integer(required=True)
    can_withdraw = ma.fields.Boolean(
        required=True, metadata={"description": "True once the player has deposited with it."}
    )


class MethodListSchema(ma.Schema):
    """The ways to pay on this site."""

    items = ma.fields.List(ma.fields.Nested(MethodSchema), required=True)


class DepositArgs(ma.Schema):
    """A deposit to begin. `{id}` in `return_url` becomes the deposit's id; the address must be on this site."""

    method = ma.fields.String(required=True, validate=ma.validate.Length(1, 64))
    amount = _amount(required=True, validate=ma.validate.Length(1, 40))
    return_url = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(1, 500))


class DepositSchema(ma.Schema):
    """A deposit: send the player to `redirect_url`, then read it again."""

    id = ma.fields.String(required=True)
    status = ma.fields.String(required=True)
    method = ma.fields.String(required=True)
    amount = _amount(required=True)
    currency = ma.fields.String(required=True)
    redirect_url = ma.fields.String(allow_none=True)
    reason = ma.fields.String(allow_none=True)
    created_at = ma.fields.DateTime(format="iso")
    settled_at = ma.fields.DateTime(format="iso", allow_none=True)


class DepositPage(ma.Schema):
    """Deposits, newest first."""

    items = ma.fields.List(ma.fields.Nested(DepositSchema), required=True)
    next = ma.fields.Integer(allow_none=True)


class WithdrawalArgs(ma.Schema):
    """A withdrawal to ask for, to a method that the player has deposited with."""

    method = ma.fields.String(required=True, validate=ma.validate.Length(1, 64))
    amount = _amount(required=True, validate=ma.validate.Length(1, 40))


class WithdrawalSchema(ma.Schema):
    """A withdrawal as its player sees it."""

    id = ma.fields.String(required=True)
    status = ma.fields.String(required=True)
    method = ma.fields.String(required=True)
    amount = _amount(required=True)
    currency = ma.fields.String(required=True)
    failure_reason = ma.fields.String(allow_none=True)
    created_at = ma.fields.DateTime(format="iso")
    decided_at = ma.fields.DateTime(format="iso", allow_none=True)
    closed_at = ma.fields.DateTime(format="iso", allow_none=True)


class WithdrawalPage(ma.Schema):
    """Withdrawals, newest first."""

    items = ma.fields.List(ma.fields.Nested(WithdrawalSchema), required=True)
    next = ma.fields.Integer(allow_none=True)


class ReasonSchema(ma.Schema):
    """Why a withdrawal waits: a stable code and a sentence."""

    code = ma.fields.String(required=True)
    text = ma.fields.String(required=True)


class WhoSchema(ma.Schema):
    """The player a withdrawal belongs to."""

    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)


class StaffWithdrawalSchema(WithdrawalSchema):
    """A withdrawal as staff sees it: who, how much, how long, why."""

    player = ma.fields.Nested(WhoSchema, required=True)
    reasons = ma.fields.List(ma.fields.Nested(ReasonSchema), required=True)
    waiting_seconds = ma.fields.Integer(required=True)
    note = ma.fields.String()
    decided_by = ma.fields.String(allow_none=True)
    vendor_id = ma.fields.String(allow_none=True)


class StaffWithdrawalPage(ma.Schema):
    """The queue, newest first, with the number of withdrawals of each status."""

    items = ma.fields.List(ma.fields.Nested(StaffWithdrawalSchema), required=True)
    next = ma.fields.Integer(allow_none=True)
    counts = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())


class QueueArgs(PageArgs):
    """Which part of the queue."""

    status = ma.fields.String(load_default=None, validate=ma.validate.OneOf(WITHDRAWAL_STATUSES))


class ApproveArgs(ma.Schema):
    """A note for colleagues."""

    note = ma.fields.String(load_default="", validate=ma.validate.Length(max=500))


class RejectArgs(ma.Schema):
    """Why it is refused."""

    reason = ma.fields.String(required=True, validate=ma.validate.Length(1, 500))


def method_document(offered: OfferedMethod, usable: tuple[str, ...]) -> dict[str, Any]:
    """A way to pay as JSON; `usable`: codes that money can be paid out to."""
    limits, code = offered.limits, offered.limits.minimum.currency
    return {
        "code": offered.method.code, "name": offered.method.name, "currency": code,
        "minimum": decimal(limits.minimum), "maximum": decimal(limits.maximum), "fee": decimal(Money(0, code)),
        "deposit_minutes": offered.method.deposit_minutes, "payout_minutes": offered.method.payout_minutes,
        "can_withdraw": offered.method.code in usable,
    }  # fmt: skip


def deposit_document(found: Deposit) -> dict[str, Any]:
    """A deposit as JSON."""
    return {
        "id": found.public_id, "status": found.status, "method": found.method, "amount": decimal(found.money),
        "currency": found.money.currency, "redirect_url": found.redirect_url, "reason": found.reason,
        "created_at": found.created_at, "settled_at": found.settled_at,
    }  # fmt: skip


def withdrawal_document(found: Withdrawal) -> dict[str, Any]:
    """A withdrawal as its player reads it: without the reasons, which would tell what is looked for."""
    return {
        "id": found.public_id, "status": found.status, "method": found.method, "amount": decimal(found.money),
        "currency": found.money.currency, "failure_reason": found.failure_reason, "created_at": found.created_at,
        "decided_at": found.decided_at, "closed_at": found.closed_at,
    }  # fmt: skip


def queue_document(row: QueueRow) -> dict[str, Any]:
    """A withdrawal as staff reads it."""
    found = row.withdrawal
    return {
        **withdrawal_document(found),
        "player": {"id": row.player.public_id, "name": row.player.name},
        "reasons": [{"code": code, "text": text} for code, text in zip(found.reasons, found.reason_texts, strict=True)],
        "waiting_seconds": row.waiting_seconds,
        "note": found.note,
        "decided_by": found.decided_by,
        "vendor_id": found.vendor_id,
    }

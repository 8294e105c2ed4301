"""JSON of the audit API."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from whitefelt.audit.queries import Entry
from whitefelt.kernel.web import PageArgs


class ActorSchema(ma.Schema):
    """Who did it."""

    kind = ma.fields.String(required=True)
    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)


class EntrySchema(ma.Schema):
    """One entry of the chain; `hash` seals it and everything before it."""

    seq = ma.fields.Integer(required=True)
    at = ma.fields.DateTime(format="iso", required=True)
    actor = ma.fields.Nested(ActorSchema, required=True)
    action = ma.fields.String(required=True)
    subject = ma.fields.String(required=True)
    reason = ma.fields.String(required=True)
    before = ma.fields.Dict(keys=ma.fields.String(), allow_none=True)
    after = ma.fields.Dict(keys=ma.fields.String(), allow_none=True)
    trace = ma.fields.String()
    hash = ma.fields.String(required=True)


class EntryPage(ma.Schema):
    """Entries, newest first."""

    items = ma.fields.List(ma.fields.Nested(EntrySchema), required=True)
    next = ma.fields.Integer(allow_none=True)


class EntryArgs(PageArgs):
    """Which entries: of one action (`withdrawal.approved`, or all of `withdrawal`), one subject, one actor."""

    action = ma.fields.String(load_default=None, validate=ma.validate.Length(1, 100))
    subject = ma.fields.String(load_default=None, validate=ma.validate.Length(1, 200))
    actor_id = ma.fields.String(load_default=None, validate=ma.validate.Length(1, 100))


class VerdictSchema(ma.Schema):
    """What checking the chain found."""

    whole = ma.fields.Boolean(required=True)
    faults = ma.fields.List(ma.fields.String(), required=True)


def entry_document(entry: Entry) -> dict[str, Any]:
    """An entry as JSON."""
    return {
        "seq": entry.seq, "at": entry.at, "action": entry.action, "subject": entry.subject, "reason": entry.reason,
        "actor": {"kind": entry.actor_kind, "id": entry.actor_id, "name": entry.actor_name}, "before": entry.before,
        "after": entry.after, "trace": entry.trace, "hash": entry.hash,
    }  # fmt: skip

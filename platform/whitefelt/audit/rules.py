"""The chain's arithmetic: what an entry says in canonical form, and its hash. Pure."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

#: What stands before the first entry.
GENESIS = bytes(32)


def plain(value: Any) -> Any:
    """The value as the database keeps it: JSON of text, whole numbers, booleans, lists and objects; dates become text.

    A fraction is a programmer's error (amounts are decimal strings), as is any other type.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {clean(str(key)): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        ordered = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [plain(inner) for inner in ordered]
    raise AssertionError(f"an audit entry cannot hold a {type(value).__name__}")


def clean(text: str) -> str:
    """Text that a database of UTF-8 can keep unchanged: no NUL, no half characters."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def canonical(tenant: str, entry: dict[str, Any]) -> bytes:
    """One spelling per entry: sorted keys, no spaces, UTF-8; the tenant inside, so that chains cannot be exchanged."""
    at: datetime = entry["at"]
    said = {**entry, "at": at.astimezone(UTC).isoformat(timespec="microseconds"), "tenant": tenant}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def chain(previous: bytes, tenant: str, entry: dict[str, Any]) -> bytes:
    """The hash of an entry that follows `previous`."""
    assert len(previous) == 32, "a hash has 32 bytes"
    return sha256(previous + canonical(tenant, entry)).digest()

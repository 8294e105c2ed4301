"""Identifiers that leave the house: UUIDv7 (time-ordered, RFC 9562) and unguessable tokens."""

from __future__ import annotations

import hashlib
import secrets
import uuid

from whitefelt.kernel import clock

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def uuid7() -> uuid.UUID:
    """A time-ordered UUID: 48 bits of milliseconds, then 74 random bits."""
    millis = int(clock.now().timestamp() * 1000)
    value = (millis & (2**48 - 1)) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def base32(length: int) -> str:
    """Random lower-case base32 text; begins with a letter, so that it can be part of an SQL name."""
    return secrets.choice(_BASE32[:26]) + "".join(secrets.choice(_BASE32) for _ in range(length - 1))


def token() -> str:
    """A bearer secret of 256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def token_hash(value: str) -> bytes:
    """What is stored of a token: its SHA-256. A token has full entropy, so no slow hash is needed."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()

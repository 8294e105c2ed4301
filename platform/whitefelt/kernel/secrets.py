"""Secrets at rest: AES-256-GCM under a key derived from the platform's secret key, bound to what they are for."""

from __future__ import annotations

import base64
import json
import secrets as stdlib_secrets
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from whitefelt.kernel import settings

_VERSION = "v1"


def seal(value: Any, purpose: str) -> str:
    """Encrypt a JSON value for one purpose (for example `integration:4fzy..`); opens only for the same purpose."""
    nonce = stdlib_secrets.token_bytes(12)
    sealed = _cipher().encrypt(nonce, json.dumps(value).encode(), purpose.encode())
    return f"{_VERSION}:{base64.b64encode(nonce + sealed).decode()}"


def unseal(sealed: str, purpose: str) -> Any:
    """The value that was sealed; raises cryptography's InvalidTag when key, purpose or text differ."""
    version, _, body = sealed.partition(":")
    assert version == _VERSION, f"unknown seal {version!r}"
    raw = base64.b64decode(body)
    return json.loads(_cipher().decrypt(raw[:12], raw[12:], purpose.encode()))


def _cipher() -> AESGCM:
    return AESGCM(settings.current().derive("secrets-at-rest"))

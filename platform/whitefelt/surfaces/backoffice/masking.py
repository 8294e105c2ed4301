"""Personal data as a role may see it: enough to recognise someone that one already knows, no more. Pure."""

from __future__ import annotations

_DOTS = "\u2022\u2022\u2022"


def mask_name(name: str) -> str:
    """`Anna Berg` as `A••• B•••`."""
    return " ".join(word[0] + _DOTS for word in name.split())


def mask_email(email: str) -> str:
    """`anna@example.com` as `a•••@e•••.com`."""
    local, _, domain = email.partition("@")
    host, _, top = domain.rpartition(".")
    return f"{local[:1]}{_DOTS}@{host[:1]}{_DOTS}.{top}"

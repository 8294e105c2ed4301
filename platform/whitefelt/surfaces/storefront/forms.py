"""Inputs of a page from what was typed and what was wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask import request

from whitefelt.kernel import ids
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.money import Money, parse_payable
from whitefelt.surfaces.storefront import page, wording
from whitefelt.surfaces.storefront.views import Field, Form


def typed(name: str, most: int = 200) -> str:
    """What was sent for that input, cut to a sane length."""
    return request.form.get(name, "")[:most]


def field(prefix: str, name: str, kind: str = "text", label: str = "", **more: Any) -> Field:
    """An input; label from the locale (`field.<name>`) unless given, value from what was typed (never a password)."""
    text = label or page.look().text(f"field.{name}")
    testid = f"{prefix}-{name}".replace("_", "-")
    value = "" if kind in ("password", "checkbox") else typed(name)
    return Field(name=name, kind=kind, label=text, testid=testid, **{"value": value, **more})


def form(fields: Sequence[Field], problem: Problem | None = None, *, more: str = "", **rest: Any) -> Form:
    """The form; a Problem's `errors` go to their inputs, and what belongs to none stands above them all."""
    messages: Mapping[str, Any] = dict(problem.extra.get("errors") or {}) if problem else {}
    known = {one.name: replace(one, error=_first(messages.get(one.name))) for one in fields}
    faults = tuple(one for one in known.values() if one.error)
    above = problem.detail if problem and not faults else ""
    return Form(fields=known, error=more or above, faults=faults, **rest)


def _first(messages: Any) -> str:
    if isinstance(messages, str):
        return messages
    return str(messages[0]) if messages else ""


def amount(text: str, currency: str) -> Money:
    """The amount that a person typed. Errors as `kernel.money.parse_payable`."""
    return parse_payable(wording.typed_amount(text), currency)


def request_key() -> str:
    """A new key that makes sending this form twice harmless."""
    return ids.uuid7().hex

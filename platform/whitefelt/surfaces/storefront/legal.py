"""Legal documents in the version that the market's rule-set names."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from flask import Response

from whitefelt import compliance, tenancy
from whitefelt.kernel import clock, errors
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import page
from whitefelt.surfaces.storefront.views import Document, DocumentText, Part

_FOLDER = Path(__file__).parent / "documents"


@cache
def _texts() -> dict[str, dict[str, Any]]:
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(_FOLDER.glob("*.toml"))}


def title(name: str) -> str:
    """The document's title as it stands in a sentence."""
    return str(_texts().get(name, {}).get("title", name))


@access("anyone")
def document(name: str) -> Response:
    """One document to read; `not_found` for one that this market does not ask for."""
    rules = compliance.ruleset(page.site().jurisdiction, clock.now())
    if name not in rules.documents or name not in _texts():
        raise Problem(errors.NOT_FOUND)
    legal = tenancy.legal_of(page.tenant())
    words = {
        "entity": str(legal.get("entity") or page.site().tenant_name), "brand": page.brand().name,
        "age": str(rules.min_age), "currency": page.site().currency, "jurisdiction": rules.name,
        "support": str(legal.get("support") or page.site().tenant_name),
    }  # fmt: skip
    parts = tuple(
        Part(str(part["heading"]), tuple(_filled(text, words) for text in part["paragraphs"]))
        for part in _texts()[name]["part"]
    )
    shown = DocumentText(_heading(name), rules.documents[name], "", parts)
    others = tuple(
        Document(one, _heading(one), version, f"/legal/{one}", one == name) for one, version in rules.documents.items()
    )
    return page.show("legal", place="help", document=shown, documents=others)


def _heading(name: str) -> str:
    return title(name)[:1].upper() + title(name)[1:]


def _filled(text: str, words: dict[str, str]) -> str:
    for name, word in words.items():
        text = text.replace("{" + name + "}", word)
    return text

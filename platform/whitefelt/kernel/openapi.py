"""The OpenAPI document, completed from what the code enforces: who needs a token, and how refusals look."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask

from whitefelt.kernel.routes import Registry

DESCRIPTION = """Amounts are plain decimal strings (`"100.00"`) beside a `currency`, never numbers. Send
`Authorization: Bearer <token>`; a token comes from `POST /api/v1/sessions`. Every refusal is `application/problem+json`
(RFC 9457) with a stable `code`, and `retryable` says whether the same request may fare better later. Lists are paged:
pass `next` of one page as `before` of the following."""

_PROBLEM = "#/components/schemas/Problem"


def path_of(rule: str) -> str:
    """A Flask rule as an OpenAPI path: `/players/<uuid:id>` is `/players/{id}`."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule)


def complete(app: Flask, registry: Registry, site: str) -> None:
    """Finish the document of one site's application; call once, after all blueprints are registered."""
    spec = app.extensions["whitefelt.api"].spec
    open_to_all = {
        (path_of(route.rule), route.method.lower())
        for route in registry.routes
        if route.site == site and route.api and route.access.audience == "anyone"
    }
    for path, operations in spec._paths.items():
        for method, operation in operations.items():
            if (path, method) in open_to_all:
                operation["security"] = []
            for response in operation.get("responses", {}).values() if isinstance(operation, dict) else ():
                _as_problem(response)
    for response in spec.components.responses.values():
        _as_problem(response)


def _as_problem(response: Any) -> None:
    """Refusals are sent as application/problem+json, so the document says so."""
    content = response.get("content") if isinstance(response, dict) else None
    if content and content.get("application/json", {}).get("schema", {}).get("$ref") == _PROBLEM:
        content["application/problem+json"] = content.pop("application/json")

"""Errors with stable codes: a closed list per module, one renderer (problem+json, RFC 9457).

A `Code` is declared once, as a constant of the module that raises it; its name is part of the API and never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Code:
    """A stable error code: snake_case name, HTTP status, a title for people, and whether repeating may help."""

    name: str
    status: int
    title: str
    retryable: bool = False

    def __post_init__(self) -> None:
        known = CODES.setdefault(self.name, self)
        assert known == self, f"error code {self.name!r} is declared twice with different meanings"


#: Every code declared so far; documentation and tests walk it.
CODES: dict[str, Code] = {}


class Problem(Exception):
    """A refusal that is told to the caller. Raised by use-cases, rendered once at the edge.

    `extra` members become members of the problem document: never put secrets or another person's data there.
    """

    def __init__(self, code: Code, detail: str | None = None, **extra: Any) -> None:
        super().__init__(f"{code.name}: {detail or code.title}")
        self.code = code
        self.detail = detail or code.title
        self.extra = extra

    def document(self, instance: str | None = None) -> dict[str, Any]:
        """The problem+json members of this refusal; `instance` is the request's trace id."""
        body: dict[str, Any] = {
            "type": f"urn:whitefelt:problem:{self.code.name}",
            "code": self.code.name,
            "title": self.code.title,
            "detail": self.detail,
            "status": self.code.status,
            "retryable": self.code.retryable,
        }
        if instance:
            body["instance"] = instance
        body.update(self.extra)
        return body


NOT_FOUND = Code("not_found", 404, "There is nothing here.")
METHOD_NOT_ALLOWED = Code("method_not_allowed", 405, "This address does not take that method.")
BODY_INVALID = Code("body_invalid", 400, "The request could not be read.")
FIELDS_INVALID = Code("fields_invalid", 422, "Some fields need another look.")
BODY_TOO_LARGE = Code("body_too_large", 413, "The request is larger than this address takes.")
UNSUPPORTED_MEDIA_TYPE = Code("unsupported_media_type", 415, "This address takes another content type.")
NOT_SIGNED_IN = Code("not_signed_in", 401, "Please sign in.")
FORBIDDEN = Code("forbidden", 403, "You may not do this.")
CSRF_FAILED = Code("csrf_failed", 403, "The form is too old or came from elsewhere. Load the page again.")
HOST_UNKNOWN = Code("host_unknown", 421, "No site lives at this address.")
RATE_LIMITED = Code("rate_limited", 429, "Too many requests. Wait a moment.", retryable=True)
INTERNAL_ERROR = Code("internal_error", 500, "Something went wrong on our side. Nothing was lost.", retryable=True)
TEMPORARILY_UNAVAILABLE = Code(
    "temporarily_unavailable", 503, "We are briefly out of reach. Try again.", retryable=True
)

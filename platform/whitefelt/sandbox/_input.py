"""Reading what strangers send: every fault becomes a 4xx with a code, never a 500."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

BODY_LIMIT = 256 * 1024
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_MISSING: Any = object()


class Refused(Exception):
    """The vendor's refusal: an HTTP status, a stable code and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def install_errors(app: Flask) -> None:
    """Answer every refusal and every HTTP error as ``{"error": {"code", "message"}}``."""
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT

    @app.errorhandler(Refused)
    def _refused(error: Refused) -> tuple[Response, int]:
        return jsonify(error={"code": error.code, "message": error.message}), error.status

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> tuple[Response, int]:
        code = re.sub(r"[^a-z]+", "_", (error.name or "error").lower())
        return jsonify(error={"code": code, "message": error.description or ""}), error.code or 500


def loopback_only() -> None:
    """Refuse a control request that did not come straight from this machine."""
    forwarded = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-Ip"))
    if request.remote_addr not in ("127.0.0.1", "::1") or forwarded:
        raise Refused(403, "loopback_only", "The control answers on the loopback address only.")
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        raise Refused(403, "loopback_only", "The control does not answer pages of other sites.")


def parse_json(raw: bytes) -> Any:
    """JSON from bytes, strictly: no NaN, no duplicate names; ``Refused`` 400 otherwise."""

    def no_constant(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name occurs twice")
        return found

    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=no_constant, object_pairs_hook=no_duplicates)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except (ValueError, RecursionError) as error:
        raise Refused(400, "body_invalid", "The body is not valid JSON.") from error


def json_body(*, optional: bool = False) -> dict[str, Any]:
    """The request's JSON object; an empty body counts as ``{}`` when ``optional``."""
    raw = request.get_data(cache=True)
    if optional and not raw.strip():
        return {}
    body = parse_json(raw)
    if not isinstance(body, dict):
        raise Refused(400, "body_invalid", "The body must be a JSON object.")
    return body


def text_of(body: Mapping[str, Any], name: str, *, limit: int = 128, default: Any = _MISSING) -> Any:
    """A string of 1 to ``limit`` printable ASCII characters, or the default when absent."""
    value = body.get(name)
    if value is None and default is not _MISSING:
        return default
    if not isinstance(value, str) or not 0 < len(value) <= limit or not _PRINTABLE.fullmatch(value):
        raise Refused(400, "field_invalid", f"{name} must be a string of 1 to {limit} printable characters.")
    return value


def words_of(body: Mapping[str, Any], name: str, *, limit: int = 200, default: Any = _MISSING) -> Any:
    """A human text of 1 to ``limit`` characters in any script, without control characters."""
    value = body.get(name)
    if value is None and default is not _MISSING:
        return default
    if not isinstance(value, str) or not value.strip() or len(value) > limit or not value.isprintable():
        raise Refused(400, "field_invalid", f"{name} must be a text of 1 to {limit} characters.")
    return value.strip()


def whole_of(body: Mapping[str, Any], name: str, low: int, high: int, default: Any = _MISSING) -> Any:
    """A whole number from ``low`` to ``high``, or the default when absent."""
    value = body.get(name)
    if value is None and default is not _MISSING:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Refused(400, "field_invalid", f"{name} must be a whole number from {low} to {high}.")
    return value


def flag_of(body: Mapping[str, Any], name: str, default: Any = _MISSING) -> Any:
    """True or false, or the default when absent."""
    value = body.get(name)
    if value is None and default is not _MISSING:
        return default
    if not isinstance(value, bool):
        raise Refused(400, "field_invalid", f"{name} must be true or false.")
    return value


def url_of(body: Mapping[str, Any], name: str, default: Any = _MISSING) -> Any:
    """An absolute http(s) address without credentials, or the default when absent."""
    value = body.get(name)
    if value is None and default is not _MISSING:
        return default
    value = text_of(body, name, limit=2000)
    if origin_of(value) is None:
        raise Refused(400, "field_invalid", f"{name} must be an absolute http or https address.")
    return value


def origin_of(url: str) -> str | None:
    """``scheme://host[:port]`` of a plain http(s) address; None when it is anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or parts.username is not None:
        return None
    if not re.fullmatch(r"[a-z0-9.-]+|[0-9a-f:]+", host):
        return None
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def paging(limit_default: int = 50, limit_most: int = 500) -> tuple[int, int]:
    """``limit`` and ``offset`` of the query string as checked whole numbers."""

    def number(name: str, default: int, low: int, high: int) -> int:
        raw = request.args.get(name, "")
        if raw == "":
            return default
        if not re.fullmatch(r"[0-9]{1,9}", raw) or not low <= int(raw) <= high:
            raise Refused(400, "query_invalid", f"{name} must be a whole number from {low} to {high}.")
        return int(raw)

    return number("limit", limit_default, 1, limit_most), number("offset", 0, 0, 10**9 - 1)

"""Styles and script of the consoles: read once, addressed by their content, kept by browsers for a year."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Response, make_response

from whitefelt.kernel import errors
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.routes import access

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
#: Where `asset_view` is registered.
ASSET_RULE = "/-/console/<digest>/<name>"


@lru_cache(maxsize=64)
def _read(name: str) -> tuple[bytes, str] | None:
    path = _FOLDER / name
    if path.parent != _FOLDER or path.suffix not in _TYPES or not path.is_file():
        return None
    body = path.read_bytes()
    return body, sha256(body).hexdigest()[:16]


def asset_url(name: str) -> str:
    """The address of one of our files; KeyError if there is none of that name."""
    found = _read(name)
    if found is None:
        raise KeyError(name)
    return f"/-/console/{found[1]}/{name}"


@access("anyone")
def asset_view(digest: str, name: str) -> Response:
    """One file. An address of an older version is answered with today's content, but not to be kept."""
    found = _read(name)
    if found is None:
        raise Problem(errors.NOT_FOUND)
    body, current = found
    response = make_response(body)
    response.content_type = _TYPES[Path(name).suffix]
    keep = "public, max-age=31536000, immutable" if digest == current else "no-cache"
    response.headers["Cache-Control"] = keep
    return response

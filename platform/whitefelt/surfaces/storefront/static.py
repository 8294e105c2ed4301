"""Stylesheets, script and pictures of themes: addressed by content, kept for ever by browsers."""

from __future__ import annotations

from flask import Response, make_response

from whitefelt import theming
from whitefelt.kernel import errors
from whitefelt.kernel.errors import Problem
from whitefelt.kernel.routes import access
from whitefelt.surfaces.storefront import page

_FOR_EVER = "public, max-age=31536000, immutable"
#: Pictures are opened by themselves only by mistake: then they may do nothing.
_ASSET_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@access("anyone")
def tokens(brand: str, content_hash: str) -> Response:
    """The look's custom properties."""
    return _kept(theming.stylesheet(page.look(), content_hash) if brand == page.brand().slug else None)


@access("anyone")
def protected(content_hash: str) -> Response:
    """The stylesheet of legal regions."""
    return _kept(theming.protected_stylesheet(content_hash))


@access("anyone")
def asset(theme: str, content_hash: str, path: str) -> Response:
    """A theme's asset."""
    return _kept(theming.asset(theme, content_hash, path))


def _kept(found: theming.Asset | None) -> Response:
    if found is None:
        raise Problem(errors.NOT_FOUND)
    response = make_response(found.body)
    response.headers["Content-Type"] = found.content_type
    response.headers["Cache-Control"] = _FOR_EVER
    response.headers["Content-Security-Policy"] = _ASSET_POLICY
    return response

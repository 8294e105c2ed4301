"""Assets of themes: addressed by content hash, so that they may be kept for ever."""

from __future__ import annotations

from dataclasses import dataclass

from whitefelt.theming import slots
from whitefelt.theming.errors import ThemeError
from whitefelt.theming.look import Look
from whitefelt.theming.manifest import Chain, chain_of

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """Bytes and their content type."""

    body: bytes
    content_type: str


def url(chain: Chain, path: str) -> str:
    """`/-/asset/<theme>/<sha16>/<path>`; ThemeError for an asset that no theme of the chain has."""
    found = chain.locate(f"assets/{path}")
    if found is None:
        raise ThemeError(f"{chain.name}: there is no asset {path!r}.")
    theme = chain.themes[found[0]]
    return f"/-/asset/{theme.name}/{theme.files[f'assets/{path}']}/{path}"


def asset(theme: str, content_hash: str, path: str) -> Asset | None:
    """The asset at that address; None when there is none with that hash (an old page may ask for an old one)."""
    try:
        found = chain_of(theme).themes[0]
    except ThemeError:
        return None
    name = f"assets/{path}"
    suffix = path[path.rfind(".") :]
    if found.files.get(name) != content_hash or suffix not in TYPES:
        return None
    return Asset((found.folder / name).read_bytes(), TYPES[suffix])


def stylesheet(look: Look, content_hash: str) -> Asset | None:
    """The look's generated custom properties, if that is their hash."""
    return Asset(look.css.encode(), TYPES[".css"]) if look.css_hash == content_hash else None


def protected_stylesheet(content_hash: str) -> Asset | None:
    """The stylesheet of legal regions, if that is its hash."""
    return Asset(slots.protected_css().encode(), TYPES[".css"]) if slots.protected_hash() == content_hash else None

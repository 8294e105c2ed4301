"""Legal slots: drawn by the platform from compliance's data, placed by themes. A theme can neither restyle nor skip them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from whitefelt.theming.contract import SLOTS
from whitefelt.theming.errors import ThemeError

_FOLDER = Path(__file__).parent / "legal"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache(maxsize=1)
def protected_css() -> str:
    """The stylesheet of legal regions; every page loads it last."""
    return (_FOLDER / "legal.css").read_text("utf-8")


@lru_cache(maxsize=1)
def protected_hash() -> str:
    """Content hash of the protected stylesheet."""
    return sha256(protected_css().encode()).hexdigest()[:16]


def draw(slot_id: str, data: Mapping[str, Any], t: Callable[..., str]) -> Markup:
    """The slot's HTML, marked with its id."""
    if slot_id not in SLOTS:
        raise ThemeError(f"There is no slot {slot_id!r}.")
    name = slot_id.replace(".", "_") + ".html"
    inner = _environment().get_template(name).render(data=data, t=t).strip() if data else ""
    return Markup('<div class="wf-slot" data-slot="{}">{}</div>').format(slot_id, Markup(inner))  # noqa: S704

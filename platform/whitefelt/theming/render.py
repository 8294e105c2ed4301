"""Draws one page: theme's templates, plain data, and proof that every demanded slot was emitted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from whitefelt.theming import assets
from whitefelt.theming import slots as legal
from whitefelt.theming.contract import COMMON, PAGES
from whitefelt.theming.errors import SlotMissing
from whitefelt.theming.look import Look, plain_look
from whitefelt.theming.sandbox import environment

log = logging.getLogger("whitefelt.theming")


def render(
    look: Look, page: str, variables: Mapping[str, Any], *, slots: Mapping[str, Any], csrf: Callable[[], str]
) -> str:
    """The page's HTML. `variables` must be exactly those of the contract (without `look`, which is added here).

    A theme that loses a legal slot is answered with the base theme in the same preset and an error in the log;
    SlotMissing if even that fails.
    """
    demanded = PAGES[page].variables
    expected = (set(COMMON) | set(demanded)) - {"look"}
    assert set(variables) == expected, (
        f"{page}: variables {sorted(set(variables) ^ expected)} do not match the contract"
    )
    try:
        return draw(look, page, variables, slots, csrf)
    except SlotMissing as fault:
        if look.chain.name == "base":
            raise
        log.error("theme %s lost a legal slot: %s; served the base theme", look.chain.name, fault)
        known = set(look.chain.themes[-1].presets)
        preset = look.preset if look.preset in known else sorted(known)[0]
        return draw(plain_look("base", preset, brand=look.brand), page, variables, slots, csrf)


def draw(look: Look, page: str, variables: Mapping[str, Any], slots: Mapping[str, Any], csrf: Callable[[], str]) -> str:
    """As `render`, without the check of the variables' names and without the base theme to fall back on."""
    emitted: set[str] = set()
    tools = Tools(look, slots, csrf, emitted)
    template = environment(look.chain).get_template(f"pages/{page}.html")
    html = template.render(**variables, look=look.values, **tools.helpers())
    missing = [slot for slot in (*PAGES[page].slots, "head") if slot not in emitted]
    # Emitted and then thrown away by the template ({% set x = slot(..) %}) counts as lost.
    missing += [slot for slot in PAGES[page].slots if slot not in missing and f'data-slot="{slot}"' not in html]
    if missing:
        raise SlotMissing(f"{page}: {', '.join(missing)} not emitted.")
    return html


@dataclass(frozen=True, slots=True)
class Tools:
    """The helpers of one rendering."""

    look: Look
    slots: Mapping[str, Any]
    csrf: Callable[[], str]
    emitted: set[str]

    def helpers(self) -> dict[str, Any]:
        """What templates may call, by name."""
        return {
            "t": _helper(self.look.text), "asset": _helper(self.asset), "head": _helper(self.head), "slot": _helper(self.slot),
            "csrf_field": _helper(self.csrf_field),
        }  # fmt: skip

    def asset(self, path: str) -> str:
        """The address of a theme's asset, with its content hash."""
        return assets.url(self.look.chain, path)

    def head(self) -> Markup:
        """Everything in <head> that the platform answers for; the protected stylesheet comes last."""
        self.emitted.add("head")
        return Markup(
            '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="theme-color" content="{colour}">\n'
            '<link rel="icon" type="image/svg+xml" href="{icon}">\n<link rel="stylesheet" href="{tokens}">\n'
            '<link rel="stylesheet" href="{css}">\n<link rel="stylesheet" href="{legal}">\n'
            '<script src="{js}" defer></script>'
        ).format(
            colour=self.look.theme_colour, icon=self.asset(self.look.values["mark"]), tokens=self.look.css_url,
            css=self.asset("theme.css"), legal=f"/-/legal/{legal.protected_hash()}.css", js=self.asset("theme.js"),
        )  # fmt: skip

    def slot(self, slot_id: str) -> Markup:
        """A legal slot's HTML; empty where the market asks for nothing, but always there."""
        self.emitted.add(slot_id)
        return legal.draw(slot_id, self.slots.get(slot_id) or {}, self.look.text)

    def csrf_field(self) -> Markup:
        """The hidden field that every form carries."""
        return Markup('<input type="hidden" name="csrf_token" value="{}">').format(self.csrf())


def _helper(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    call.theme_helper = True  # type: ignore[attr-defined]
    return call

"""Theming: how does this brand look?

A theme is a folder of data and templates under `themes/`, never code. A look is theme + preset + the brand's own values; it
becomes one generated stylesheet of custom properties and one sandboxed template environment. Legal regions are slots that a
theme cannot lose. Owns no table. Imports: kernel, facts, tenancy.
"""

from whitefelt.theming.assets import Asset, asset, protected_stylesheet, stylesheet
from whitefelt.theming.check import Finding, check
from whitefelt.theming.contract import ENGINE, PAGES, SLOTS
from whitefelt.theming.errors import ThemeError
from whitefelt.theming.look import Look, look_of, plain_look
from whitefelt.theming.render import render

__all__ = [
    "ENGINE", "PAGES", "SLOTS", "Asset", "Finding", "Look", "ThemeError", "asset", "check", "look_of", "plain_look",
    "protected_stylesheet", "render", "stylesheet",
]  # fmt: skip

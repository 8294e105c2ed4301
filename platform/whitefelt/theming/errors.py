"""What can be wrong with a theme. A fault of the theme's author, so an exception with a sentence, not a Problem."""

from __future__ import annotations


class ThemeError(Exception):
    """A theme, preset or brand value cannot be used; the message says where and why."""


class SlotMissing(ThemeError):
    """A page was rendered without a legal slot that it must carry."""

"""`whitefelt theme check`: proves that a theme folder can be used, before any player sees it."""

from whitefelt.theming.check.run import Finding, check

__all__ = ["Finding", "check"]

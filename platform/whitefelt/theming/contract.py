"""The contract between the platform and themes, engine version 1: which variables a page gets, which slots it must emit.

A theme may use the variables of its page, the helpers in `HELPERS`, and nothing else. `surfaces.storefront.views` builds the
variables as frozen plain data; a test holds both together.
"""

from __future__ import annotations

from dataclasses import dataclass

ENGINE = "1"

#: Legal regions. Filled from the market's rule-set; a theme places them and can do nothing else with them.
SLOTS = ("legal.footer", "safer_gambling.bar", "session.clock", "licence.seal", "age.gate")

#: What every template may call: translation, asset address, the page's head, a legal slot.
HELPERS = ("t", "asset", "head", "slot", "csrf_field")

#: Variables of every page: `frame` (brand, player, balance, notices, place) and `look` (composition chosen by the preset).
COMMON = ("frame", "look")


@dataclass(frozen=True, slots=True)
class Page:
    """A page's own variables and the slots that must stand in its HTML."""

    variables: tuple[str, ...]
    slots: tuple[str, ...] = SLOTS


PAGES: dict[str, Page] = {
    "lobby": Page(("featured", "rails", "steps")),
    "games": Page(("query", "kinds", "tiles")),
    "game": Page(("title", "play", "gate")),
    "register": Page(("form", "documents", "min_age")),
    "sign_in": Page(("form",)),
    "cashier": Page(("movements", "gate")),
    "deposit": Page(("form", "methods", "quick_amounts", "limits", "gate")),
    "withdraw": Page(("form", "methods", "pending", "gate")),
    "movement": Page(("movement",)),
    "account": Page(("person", "identity", "limits", "exclusion")),
    "identity": Page(("identity",)),
    "limits": Page(("limits", "required")),
    "break": Page(("form", "breaks", "exclusion")),
    "statement": Page(("lines", "newer_url", "older_url")),
    "legal": Page(("document", "documents")),
    "error": Page(("problem",)),
}

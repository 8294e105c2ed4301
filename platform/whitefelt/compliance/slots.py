"""Legal regions as plain data, for themes to place and not to change: what the jurisdiction wants on every page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from whitefelt.accounts import Player
from whitefelt.compliance.rulebook import RuleSet, ruleset
from whitefelt.tenancy import Site, legal_of


def slots(
    site: Site, player: Player | None, at: datetime, signed_in_at: datetime | None = None
) -> dict[str, dict[str, Any]]:
    """Slot id -> plain data; an empty one draws nothing. `signed_in_at`: when the running session began.

    `age.gate` min_age, text; `legal.footer` text, links; `licence.seal` regulator, number; `safer_gambling.bar` min_age,
    text, links; `session.clock` started_at (ISO 8601), label, elapsed (H:MM:SS at `at`), net_position (show it?).
    """
    assert site.tenant is not None and site.kind == "brand", "only a brand's site has legal regions"
    rules = ruleset(site.jurisdiction, at)
    legal = legal_of(site.tenant)
    entity = str(legal.get("entity") or site.tenant_name)
    number = _licence_number(legal, site.jurisdiction)
    return {
        "age.gate": {"min_age": rules.min_age, "text": f"Only for people aged {rules.min_age} or over."},
        "legal.footer": {"text": _who(rules, entity, number, legal), "links": _document_links(rules)},
        "licence.seal": {"regulator": rules.regulator, "number": number} if rules.regulator else {},
        "safer_gambling.bar": _safer(rules),
        "session.clock": _clock(rules, player, at, signed_in_at),
    }


def _licence_number(legal: Mapping[str, Any], jurisdiction: str) -> str:
    for licence in legal.get("licences", ()):
        if str(licence.get("jurisdiction", "")).upper() == jurisdiction.upper():
            return str(licence.get("number", ""))
    return "none on file"


def _who(rules: RuleSet, entity: str, number: str, legal: Mapping[str, Any]) -> str:
    # Only these two words are filled in: the text itself may hold braces of its own.
    text = rules.licence_text.replace("{entity}", entity).replace("{licence}", number)
    address = str(legal.get("address", ""))
    return f"{text} {address}".strip()


def _document_links(rules: RuleSet) -> list[dict[str, str]]:
    titles = {"terms": "Terms", "privacy": "Privacy"}
    return [{"label": titles.get(name, name.capitalize()), "url": f"/legal/{name}"} for name in rules.documents]


def _safer(rules: RuleSet) -> dict[str, Any]:
    links = [{"label": link["label"], "url": link["href"]} for link in rules.player_links]
    text = "Play for fun, and stop when it stops being fun."
    if rules.helpline is not None:
        text = f"Help: {rules.helpline['name']}, {rules.helpline['phone']}."
        links.append({"label": rules.helpline["name"], "url": rules.helpline["url"]})
    return {"min_age": rules.min_age, "text": text, "links": links}


def _clock(rules: RuleSet, player: Player | None, at: datetime, signed_in_at: datetime | None) -> dict[str, Any]:
    if player is None or not rules.session_clock or signed_in_at is None:
        return {}
    seconds = max(0, int((at - signed_in_at).total_seconds()))
    elapsed = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return {
        "started_at": signed_in_at.isoformat(), "label": "Signed in for", "elapsed": elapsed,
        "net_position": rules.net_position,
    }  # fmt: skip

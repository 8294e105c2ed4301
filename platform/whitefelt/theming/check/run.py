"""Runs every rule over a theme's folder. Errors block, warnings score."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from whitefelt.theming.check import rules
from whitefelt.theming.contract import PAGES
from whitefelt.theming.errors import SlotMissing, ThemeError
from whitefelt.theming.look import Look, compute_look
from whitefelt.theming.manifest import Chain, read_chain
from whitefelt.theming.render import draw


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: rule code, `error` or `warning`, where, and a sentence that says what to do."""

    code: str
    severity: str
    where: str
    message: str

    @property
    def blocks(self) -> bool:
        """True when the theme may not go live with it."""
        return self.severity == "error"

    def __str__(self) -> str:
        return f"{self.code} {self.severity} {self.where}: {self.message}"


def check(folder: Path) -> list[Finding]:
    """Every fault of the theme in `folder`, none if it may go live."""
    try:
        chain = read_chain(folder)
    except ThemeError as fault:
        return [Finding("TC01", "error", folder.name, str(fault))]
    found: list[Finding] = []
    for code, rule in rules.ALL:
        found += [Finding(code, "error", where, message) for where, message in rule(chain)]
    for preset in sorted(chain.presets):
        try:
            look = compute_look(chain, preset, {}, "check")
        except ThemeError as fault:
            found.append(Finding("TC07", "error", f"presets/{preset}.toml", str(fault)))
            continue
        # What one preset has shown to be broken is not shown again by the next.
        if not found:
            found += _render_all(chain, look)
    return found


def _render_all(chain: Chain, look: Look) -> list[Finding]:
    """Every page in every state of the fixtures, under strict undefined, with its slots proven."""
    found, states = [], _fixtures(chain)
    missing = sorted(set(PAGES) - {state.page for state in states})
    if missing:
        found.append(Finding("TC03", "error", "preview/fixtures.json", f"No fixture for {', '.join(missing)}."))
    for state in states:
        where = f"pages/{state.page}.html ({look.preset}, {state.name})"
        try:
            html = draw(look, state.page, vars(state.variables), _LEGAL, lambda: "token")
        except SlotMissing as fault:
            found.append(Finding("TC05", "error", where, f"{fault} Put every legal slot into the layout."))
            continue
        except Exception as fault:  # whatever a template can raise is the author's to see
            found.append(Finding("TC04", "error", where, f"{type(fault).__name__}: {fault}"))
            continue
        found += [Finding("TC09", "error", where, message) for message in rules.faults_of_html(html)]
        found += [Finding("TC13", "error", where, message) for message in rules.faults_of_forms(html)]
    return found


def _fixtures(chain: Chain) -> list[Any]:
    for theme in chain.themes:
        path = theme.folder / "preview" / "fixtures.json"
        if path.is_file():
            text = path.read_text("utf-8")
            loaded: list[Any] = json.loads(text, object_hook=_plain)
            return loaded
    return []


def _plain(data: dict[str, Any]) -> Any:
    """Objects as attributes; an object marked `_map` stays a mapping (a form's fields by name)."""
    if data.pop("_map", False):
        return data
    return SimpleNamespace(**data)


_LEGAL = {
    "legal.footer": {"text": "Firm, address.", "links": [{"url": "/legal/terms", "label": "Terms"}]},
    "safer_gambling.bar": {
        "min_age": 18,
        "text": "Help: 0800.",
        "links": [{"url": "/account/limits", "label": "Limits"}],
    },
    "session.clock": {"label": "Session", "elapsed": "0:00:01", "started_at": "2026-01-01T00:00:00Z"},
    "licence.seal": {"regulator": "Regulator", "number": "1"},
    "age.gate": {"min_age": 18, "text": "For adults."},
}

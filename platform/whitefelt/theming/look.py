"""A look: theme + preset + a brand's values, computed once and remembered by what it was made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any

from whitefelt.tenancy import Brand
from whitefelt.theming import tokens
from whitefelt.theming.errors import ThemeError
from whitefelt.theming.manifest import Chain, chain_of
from whitefelt.theming.settings import accept_all


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that rendering needs; `values` are the checked settings (and under `night` those that change),
    `css` the generated stylesheet."""

    chain: Chain = field(repr=False)
    brand: str
    preset: str
    values: Mapping[str, Any]
    texts: Mapping[str, str] = field(repr=False)
    css: str = field(repr=False)
    css_hash: str
    theme_colour: str

    def text(self, key: str, **values: Any) -> str:
        """The text of that key; `{name}` parts are filled in. ThemeError for an unknown key."""
        text = self.texts.get(key)
        if text is None:
            raise ThemeError(f"There is no text {key!r}.")
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    @property
    def css_url(self) -> str:
        return f"/-/theme/{self.brand}/{self.css_hash}.css"


def look_of(brand: Brand) -> Look:
    """The brand's look. ThemeError when its theme, preset or values cannot be used or some text would be unreadable."""
    return plain_look(brand.theme, brand.preset, brand.look, brand=brand.slug)


def plain_look(theme: str, preset: str, values: Mapping[str, Any] | None = None, *, brand: str) -> Look:
    """As `look_of`, from plain values (previews, tests)."""
    return _computed(theme, preset, json.dumps(values or {}, sort_keys=True), brand)


@lru_cache(maxsize=256)
def _computed(theme: str, preset: str, values: str, brand: str) -> Look:
    return compute_look(chain_of(theme), preset, json.loads(values), brand)


def compute_look(chain: Chain, preset_name: str, own: Mapping[str, Any], brand: str) -> Look:
    """Merge preset and own values, compute tokens by day and by night, refuse what cannot be read."""
    preset = chain.presets.get(preset_name)
    if preset is None:
        raise ThemeError(f"{chain.name}: there is no preset {preset_name!r}.")
    where = f"{chain.name}: brand {brand}"
    mine = accept_all(chain.settings, own, where)
    day_values = {**preset.values, **mine}
    night_values = {**day_values, **preset.night} if preset.night else None
    day = tokens.compute(chain.tokens, day_values)
    night = tokens.compute(chain.tokens, night_values) if night_values else None
    faults = tokens.unreadable(day, chain.pairs)
    faults += [f"by night: {fault}" for fault in tokens.unreadable(night, chain.pairs)] if night else []
    if faults:
        raise ThemeError(f"{where}: unreadable: " + " ".join(faults))
    text = tokens.css(day, night, day_values["scheme"])
    return Look(
        chain=chain, brand=brand, preset=preset_name, values={**day_values, "night": preset.night},
        texts={**chain.texts, **preset.texts},
        css=text, css_hash=sha256(text.encode()).hexdigest()[:16], theme_colour=day["surface-0"],
    )  # fmt: skip

"""Values become tokens; a brand's own values go over its preset; what cannot be read is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from whitefelt import theming
from whitefelt.theming import colour, tokens
from whitefelt.theming.errors import ThemeError
from whitefelt.theming.manifest import chain_of


def custom_properties(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+):([^;]+);", css.partition("@media")[0]))


def test_contrast_of_black_and_white() -> None:
    assert colour.contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert colour.contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


def test_mix_and_readable_text() -> None:
    assert colour.mix("#000000", "#ffffff", 50) == "#808080"
    assert colour.readable_on("#ffffff", "#000000", "#ffffff") == "#000000"
    assert colour.readable_on("#0f4a5c", "#07111c", "#ffffff") == "#ffffff"


def test_the_presets_are_two_brands_and_not_two_colours() -> None:
    aurora = theming.plain_look("base", "aurora", brand="a").values
    nordlys = theming.plain_look("base", "nordlys", brand="n").values
    shapes = (
        "radius",
        "pills",
        "icons",
        "frame",
        "hero",
        "hero_art",
        "tile_ratio",
        "tile_title",
        "density",
        "font_display",
        "logo",
    )
    assert [name for name in shapes if aurora[name] == nordlys[name]] == []


@pytest.mark.parametrize("preset", ["aurora", "nordlys"])
def test_every_declared_pair_is_readable(preset: str) -> None:
    chain = chain_of("base")
    day = tokens.compute(chain.tokens, chain.presets[preset].values)
    night = tokens.compute(chain.tokens, {**chain.presets[preset].values, **chain.presets[preset].night})
    assert len(chain.pairs) >= 20
    assert tokens.unreadable(day, chain.pairs) == []
    assert tokens.unreadable(night, chain.pairs) == []


def test_a_brands_own_value_goes_over_the_preset() -> None:
    plain = theming.plain_look("base", "aurora", brand="a")
    own = theming.plain_look("base", "aurora", {"radius": 4}, brand="a")
    assert custom_properties(plain.css)["radius-l"] == "22px"
    assert custom_properties(own.css)["radius-l"] == "4px"
    assert plain.css_url != own.css_url


@pytest.mark.parametrize(
    "own",
    [
        {"accent": "red"}, {"accent": "#fff"}, {"radius": 29}, {"radius": "4"}, {"hero": "sideways"}, {"pills": "yes"},
        {"hero_art": "../secret.svg"}, {"hero_art": "https://x.example/a.svg"}, {"tagline": "x" * 161}, {"colour": "#ffffff"},
        {"font_text": "Comic; } body { display:none"},
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused(own: dict[str, object]) -> None:
    with pytest.raises(ThemeError):
        theming.plain_look("base", "aurora", own, brand="a")


def test_an_unreadable_deposit_button_is_refused() -> None:
    with pytest.raises(ThemeError, match="accent on surface-0"):
        theming.plain_look("base", "nordlys", {"accent": "#e9e7e0"}, brand="n")
    assert theming.plain_look("base", "nordlys", {"accent": "#5a2a12"}, brand="n").css


def test_night_is_checked_too() -> None:
    # The same accent at day and, through a brand without a night of its own, on a dark ground.
    chain = chain_of("base")
    values = chain.presets["nordlys"].values
    dark = {**chain.presets["nordlys"].night, "warning": "#333333"}
    assert tokens.unreadable(tokens.compute(chain.tokens, values), chain.pairs) == []
    faults = tokens.unreadable(tokens.compute(chain.tokens, {**values, **dark}), chain.pairs)
    assert faults and all(fault.startswith("warning on") or "warning-wash" in fault for fault in faults)


def test_at_most_twenty_four_settings() -> None:
    assert len(chain_of("base").settings) <= 24


def test_the_stylesheet_is_addressed_by_content() -> None:
    look = theming.plain_look("base", "aurora", brand="a")
    found = theming.stylesheet(look, look.css_hash)
    assert found is not None and found.content_type.startswith("text/css")
    assert theming.stylesheet(look, "0" * 16) is None


def test_theme_css_uses_tokens_only() -> None:
    css = (Path(chain_of("base").themes[0].folder) / "assets" / "theme.css").read_text()
    named = set(re.findall(r"var\(--([a-z0-9-]+)", css))
    assert named - set(chain_of("base").tokens) == set()
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", css) == []

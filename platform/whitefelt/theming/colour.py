"""Colours as sRGB triples: parsing, mixing and WCAG 2.2 contrast. Pure."""

from __future__ import annotations

import re

from whitefelt.theming.errors import ThemeError

Rgb = tuple[int, int, int]

_HEX = re.compile(r"#([0-9a-fA-F]{6})")


def parse(text: str) -> Rgb:
    """The colour of `#rrggbb`; ThemeError for anything else."""
    match = _HEX.fullmatch(text)
    if match is None:
        raise ThemeError(f"{text!r} is not a colour of the form #rrggbb.")
    digits = match.group(1)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def text_of(rgb: Rgb) -> str:
    """`#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def mix(first: str, second: str, percent: int) -> str:
    """`percent` of the second colour over the first."""
    one, two = parse(first), parse(second)
    red, green, blue = (round((a * (100 - percent) + b * percent) / 100) for a, b in zip(one, two, strict=True))
    return text_of((red, green, blue))


def luminance(rgb: Rgb) -> float:
    """Relative luminance, 0 (black) to 1 (white)."""

    def channel(value: int) -> float:
        part = value / 255
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (channel(value) for value in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """WCAG contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((luminance(parse(first)), luminance(parse(second))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable_on(background: str, dark: str, light: str) -> str:
    """Whichever of the two texts reads better on that background."""
    return dark if contrast(background, dark) >= contrast(background, light) else light

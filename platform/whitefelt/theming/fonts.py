"""The list of type faces that a preset may choose from: system stacks only, so that no font is ever fetched."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Face:
    """A font stack with the weight and letter spacing that suit it as a display face."""

    stack: str
    weight: int = 700
    tracking: str = "0"


FACES: dict[str, Face] = {
    "geometric": Face(
        "'Avenir Next', Avenir, 'Century Gothic', 'URW Gothic', 'Nunito Sans', Montserrat, sans-serif", 700, "-0.025em"
    ),
    "oldstyle": Face(
        "'Iowan Old Style', 'Palatino Linotype', Palatino, P052, 'Book Antiqua', Georgia, serif", 400, "-0.012em"
    ),
    "grotesque": Face("'Helvetica Neue', 'Segoe UI', 'Nimbus Sans', Roboto, 'Liberation Sans', Arial, sans-serif", 650),
    "humanist": Face(
        "Seravek, 'Gill Sans Nova', 'Gill Sans', Candara, 'Segoe UI', 'Nimbus Sans', Arial, sans-serif", 500
    ),
}

"""Tile artwork (3:4) and the roulette wheel, drawn from data: always the same bytes, nothing from outside."""

import math
import re
from functools import cache
from pathlib import Path

from .maths import SLOT, Game
from .roulette import WHEEL, colour_of

_STATIC = Path(__file__).parent / "static"
_FILL = {"green": "#0f8a54", "red": "#c3202f", "black": "#17141f"}
_SERIF = "Georgia,'Times New Roman','DejaVu Serif',serif"


@cache
def _inlined(name: str, x: float, y: float, size: float, turn: float = 0) -> str:
    """A drawn symbol placed on a tile, its gradient ids made its own."""
    source = (_STATIC / f"{name}.svg").read_text("utf-8").strip()
    tag = name.rsplit("/", 1)[-1][:2]
    body = re.sub(r'id="(\w+)"', rf'id="{tag}\1"', source)
    body = re.sub(r"url\(#(\w+)\)", rf"url(#{tag}\1)", body)
    inner = body[body.index(">") + 1 : body.rindex("</svg>")]
    box = 48 if name == "mark" else 100
    scale = f"{size / box:.3f}".rstrip("0").rstrip(".")
    return f'<g transform="translate({x:g} {y:g}) rotate({turn:g}) scale({scale})">{inner}</g>'


def _stars(count: int, height: int) -> str:
    """Stars by a small fixed generator, so that the picture never changes."""
    seed, drawn = 20, []
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2**31
        x, y, r = seed % 300, (seed >> 9) % height, 5 + (seed >> 18) % 9
        drawn.append(f"M{x} {y}h{r % 2}")
    return f'<path d="{"".join(drawn)}" stroke="#fff" stroke-width="1.8" stroke-linecap="round" opacity=".75"/>'


def _title(first: str, second: str, y: int, size: int, ids: str) -> str:
    """Two lines of lettering with a dark edge and a lit face."""
    lines = "".join(
        f'<text x="150" y="{y + number * size}" textLength="248" lengthAdjust="spacingAndGlyphs">{word}</text>'
        for number, word in enumerate((first, second))
    )
    return (
        f'<g font-family="{_SERIF}" font-weight="700" font-size="{size}" text-anchor="middle" fill="url(#{ids})"'
        f' paint-order="stroke" stroke="#0a0718" stroke-width="9" stroke-linejoin="round">{lines}</g>'
    )


def _frame(label: str, defs: str, body: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 400" width="600" height="800" role="img"'
        f' aria-label="{label}"><defs>{defs}<linearGradient id="face" x1="0" y1="0" x2="0" y2="1">'
        '<stop offset="0" stop-color="#fffdf0"/><stop offset=".5" stop-color="#ffe08a"/>'
        f'<stop offset="1" stop-color="#f0952b"/></linearGradient></defs>{body}</svg>\n'
    )


@cache
def artwork(game: Game) -> str:
    """The tile of a game as an SVG text under 8 kB."""
    return _orchard_tile() if game.code == SLOT else _roulette_tile()


def _orchard_tile() -> str:
    defs = (
        '<linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#0a0b2e"/>'
        '<stop offset=".55" stop-color="#2a2a7c"/><stop offset="1" stop-color="#5b3aa0"/></linearGradient>'
        '<radialGradient id="lune" cx=".42" cy=".38" r=".7"><stop offset="0" stop-color="#fff"/>'
        '<stop offset=".6" stop-color="#ffeeb8"/><stop offset="1" stop-color="#f2c25c"/></radialGradient>'
        '<radialGradient id="glow"><stop offset=".4" stop-color="#ffe9a8" stop-opacity=".55"/>'
        '<stop offset="1" stop-color="#ffe9a8" stop-opacity="0"/></radialGradient>'
        '<linearGradient id="dim" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#0a0718" stop-opacity="0"/>'
        '<stop offset="1" stop-color="#0a0718" stop-opacity=".92"/></linearGradient>'
    )
    leaves = "".join(
        f'<ellipse cx="{x}" cy="{y}" rx="{r}" ry="{r * 0.55:g}" transform="rotate({a} {x} {y})"/>'
        for x, y, r, a in (
            *((14, 44, 30, -20), (52, 24, 28, 12), (4, 92, 24, 40), (92, 12, 30, -8), (34, 68, 20, 30)),
            *((292, 60, 26, 30), (268, 26, 30, -16), (296, 104, 20, -30), (226, 8, 28, 10)),
        )
    )
    body = (
        '<path fill="url(#sky)" d="M0 0h300v400H0z"/>'
        + _stars(20, 210)
        + '<circle cx="158" cy="146" r="150" fill="url(#glow)"/><circle cx="158" cy="146" r="92" fill="url(#lune)"/>'
        '<g fill="#dba844" opacity=".4"><circle cx="122" cy="118" r="17"/><circle cx="196" cy="106" r="10"/>'
        '<circle cx="206" cy="168" r="15"/><circle cx="150" cy="84" r="7"/><circle cx="116" cy="176" r="9"/></g>'
        '<path d="M0 262q70-44 150-22t150-18v178H0Z" fill="#241a5e"/>'
        '<path d="M0 292q90-34 160-12t140-6v126H0Z" fill="#160f42"/>'
        '<path d="M-6 20Q40 92 34 196q46-16 122-12 70 4 150-26v14q-70 32-146 28-80-4-122 16-8 80 4 190H-6Z"'
        ' fill="#0e0a2c"/>'
        f'<g fill="#123a3e">{leaves}</g>'
        + _inlined("symbols/owl", 96, 76, 118)
        + _inlined("symbols/cherry", 206, 172, 76, 8)
        + _inlined("symbols/apple", 22, 200, 78, -8)
        + '<path fill="url(#dim)" d="M0 220h300v180H0z"/>'
        + _title("MIDNIGHT", "ORCHARD", 318, 47, "face")
        + _inlined("mark", 138, 374, 22)
    )
    return _frame("Midnight Orchard", defs, body)


def _point(radius: float, turn: float) -> str:
    angle = 2 * math.pi * turn
    return f"{radius * math.sin(angle):.1f} {-radius * math.cos(angle):.1f}"


def _sector(index: int, inner: float, outer: float) -> str:
    start, end = (index - 0.5) / 37, (index + 0.5) / 37
    return (
        f"M{_point(outer, start)}A{outer:g} {outer:g} 0 0 1 {_point(outer, end)}"
        f"L{_point(inner, end)}A{inner:g} {inner:g} 0 0 0 {_point(inner, start)}Z"
    )


def _sectors(inner: float, outer: float) -> str:
    by_colour: dict[str, list[str]] = {}
    for index, number in enumerate(WHEEL):
        by_colour.setdefault(colour_of(number), []).append(_sector(index, inner, outer))
    return "".join(f'<path fill="{_FILL[colour]}" d="{"".join(d)}"/>' for colour, d in by_colour.items())


def _roulette_tile() -> str:
    defs = (
        '<radialGradient id="felt" cx=".3" cy=".18" r="1"><stop offset="0" stop-color="#1f7d63"/>'
        '<stop offset=".5" stop-color="#0b4a41"/><stop offset="1" stop-color="#04211f"/></radialGradient>'
        '<linearGradient id="rim" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#ffe9ae"/>'
        '<stop offset=".45" stop-color="#b8792a"/><stop offset="1" stop-color="#5a3210"/></linearGradient>'
        '<radialGradient id="bowl" cx=".38" cy=".32" r=".8"><stop offset="0" stop-color="#a0602b"/>'
        '<stop offset="1" stop-color="#3a1c0a"/></radialGradient>'
        '<radialGradient id="lamp"><stop offset="0" stop-color="#fff3c4" stop-opacity=".95"/>'
        '<stop offset=".3" stop-color="#ffc85a" stop-opacity=".4"/>'
        '<stop offset="1" stop-color="#ffc85a" stop-opacity="0"/>'
        '</radialGradient><linearGradient id="dim" x1="0" y1="0" x2="0" y2="1">'
        '<stop offset="0" stop-color="#04211f" stop-opacity="0"/>'
        '<stop offset="1" stop-color="#04211f" stop-opacity=".95"/>'
        "</linearGradient>"
    )
    lamps = "".join(
        f'<g transform="translate({x} {y})"><path d="M0-{y}V-16" stroke="#ffdf9a" stroke-width="1.2" opacity=".6"/>'
        '<circle r="46" fill="url(#lamp)"/><path d="M-10-13h20l4 13-7 13H-7l-7-13Z" fill="#ffd36b" stroke="#7a4710"'
        ' stroke-width="2"/><path d="M0-12v25M-13 0h26" stroke="#b06a18" stroke-width="1.4"/></g>'
        for x, y in ((46, 62), (150, 40), (254, 70))
    )
    spokes = "".join(
        f'<path d="M0 0L{_point(40, turn / 4)}" stroke="#d9a24e" stroke-width="7" stroke-linecap="round"/>'
        f'<circle r="6" fill="#ffe9ae" transform="translate({_point(40, turn / 4)})"/>'
        for turn in range(4)
    )
    body = (
        f'<path fill="url(#felt)" d="M0 0h300v400H0z"/>{lamps}'
        '<g transform="translate(150 214) scale(1 .9) rotate(14)"><circle r="137" fill="#021311" opacity=".5" cy="8"/>'
        '<circle r="134" fill="url(#rim)"/><circle r="124" fill="url(#bowl)"/>'
        + _sectors(74, 112)
        + '<circle r="112" fill="none" stroke="#ffe1a0" stroke-width="2"/><circle r="74" fill="url(#bowl)"'
        f' stroke="#ffe1a0" stroke-width="2.5"/>{spokes}<circle r="15" fill="url(#rim)"/></g>'
        '<circle cx="206" cy="142" r="8.5" fill="#fff" stroke="#8b8f99"/><circle cx="203" cy="139" r="3" fill="#fff"/>'
        '<path fill="url(#dim)" d="M0 210h300v190H0z"/>'
        + _title("LANTERN", "ROULETTE", 318, 47, "face")
        + _inlined("mark", 138, 374, 22)
    )
    return _frame("Lantern Roulette", defs, body)


@cache
def wheel() -> str:
    """The inside of the roulette page's wheel, centred on 0 0 with radius 100, zero on top."""
    numbers = "".join(
        f'<text transform="rotate({index * 360 / 37:.2f})" y="-80.500">{number}</text>'.replace(".500", ".5")
        for index, number in enumerate(WHEEL)
    )
    frets = "".join(f"M{_point(52, (i + 0.5) / 37)}L{_point(92, (i + 0.5) / 37)}" for i in range(37))
    spokes = "".join(
        f'<path d="M0 0L{_point(33, turn / 4)}" stroke="#d9a24e" stroke-width="5" stroke-linecap="round"/>'
        f'<circle r="4.5" fill="#ffe9ae" transform="translate({_point(33, turn / 4)})"/>'
        for turn in range(4)
    )
    return (
        _sectors(52, 92)
        + f'<path d="{frets}" stroke="#e9c987" stroke-width=".7" opacity=".8"/>'
        + '<circle r="71" fill="none" stroke="#e9c987" stroke-width=".7" opacity=".55"/>'
        + '<circle r="61.5" fill="none" stroke="#000" stroke-width="19" opacity=".22"/>'
        + '<circle r="92" fill="none" stroke="#ffe1a0" stroke-width="1.4"/>'
        + f'<g class="wheel-numbers">{numbers}</g>'
        + '<circle r="52" fill="url(#wheel-bowl)" stroke="#ffe1a0" stroke-width="1.6"/>'
        + f'{spokes}<circle r="11" fill="url(#wheel-rim)"/><circle r="5" fill="#fff3d0"/>'
    )

"""Bar charts as SVG, made here: zero-based, labelled on the bar, nothing to load and nothing to script.

Positions across are percentages and heights are pixels, so that it fills any width and its text keeps its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

HEIGHT, TOP, FOOT = 168, 22, 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: the label under it, its size in whole units (may be negative), and its size in words."""

    label: str
    units: int
    text: str


def bars(values: Sequence[Bar], *, title: str) -> Markup:
    """The chart of at least one bar; the last one is "now" and stands out, the largest one carries its value too."""
    assert values, "a chart needs bars"
    scale = _Scale(values)
    parts = [
        Markup('<svg role="img" height="{}" focusable="false"><title>{}</title>').format(HEIGHT, title),
        Markup('<line x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(scale.zero),
    ]
    step_bp = 10_000 // len(values)  # hundredths of a percent, so that no fraction is needed
    largest = max(range(len(values)), key=lambda index: values[index].units)
    for index, bar in enumerate(values):
        last = index == len(values) - 1
        left = index * step_bp
        y, height = scale.place(bar.units)
        parts.append(
            Markup('<rect{} x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}: {}</title></rect>').format(
                Markup(' class="now"') if last else "", _percent(left + step_bp // 8), y, _percent(step_bp * 3 // 4),
                height, bar.label, bar.text,
            )
        )  # fmt: skip
        if (last or index == largest) and bar.units:
            parts.append(_label(left, step_bp, index, len(values), y - 6, bar.text, "value"))
        if index in (0, len(values) - 1) or (index == (len(values) - 1) // 2 and len(values) > 4):
            parts.append(_label(left, step_bp, index, len(values), HEIGHT - 4, bar.label, "axis"))
    if not any(bar.units for bar in values):
        parts.append(
            Markup('<text class="axis" x="50%" y="{}" text-anchor="middle">No movement in these days</text>').format(
                TOP + scale.room // 2
            )
        )
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


class _Scale:
    """Pixels for units, with zero inside the drawing."""

    def __init__(self, values: Sequence[Bar]) -> None:
        self.high = max(0, *(bar.units for bar in values))
        self.low = min(0, *(bar.units for bar in values))
        self.room = HEIGHT - TOP - FOOT
        spread = max(1, self.high - self.low)
        self.spread = spread
        self.zero = TOP + self.high * self.room // spread if self.high or self.low else TOP + self.room

    def place(self, units: int) -> tuple[int, int]:
        """Top and height of a bar; an amount that is not nothing is at least one pixel high."""
        height = abs(units) * self.room // self.spread
        height = max(1, height) if units else 0
        return (self.zero - height if units >= 0 else self.zero), height


def _label(left: int, step: int, index: int, count: int, y: int, text: str, kind: str) -> Markup:
    # Near an edge a label grows inwards, so that it is never cut.
    if index < 2 and index < count - 1:
        x, anchor = left, "start"
    elif index > count - 3:
        x, anchor = left + step if index < count - 1 else 10_000, "end"
    else:
        x, anchor = left + step // 2, "middle"
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}" aria-hidden="true">{}</text>').format(
        kind, _percent(x), y, anchor, escape(text)
    )


def _percent(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}%"

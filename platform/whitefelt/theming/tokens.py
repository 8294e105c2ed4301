"""Values become tokens become CSS custom properties. A formula is a closed vocabulary: mix, on, face, weight, tracking.

"surface-1" = "mix({surface}, {ink}, 4)"        4 % of one colour over another
"on-accent" = "on({accent}, #10131f, #ffffff)"  the text that reads better on it
"radius-m"  = "{radius}px"                      a value with a unit
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from whitefelt.theming import colour
from whitefelt.theming.errors import ThemeError
from whitefelt.theming.fonts import FACES

MINIMUM = {"text": 4.5, "shape": 3.0}

_CALL = re.compile(r"(mix|on|face|weight|tracking|pick)\((.*)\)")
_VALUE = re.compile(r"\{([a-z_0-9]+)\}")
_TOKEN = re.compile(r"\$([a-z0-9-]+)")
_PLAIN = re.compile(r"[A-Za-z0-9#%.,()/ '*_-]*")


def compute(tokens: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, str]:
    """Every token's value, in order; a formula may use settings and the tokens above it."""
    found: dict[str, str] = {}
    for name, formula in tokens.items():
        try:
            found[name] = _evaluate(formula, values, found)
        except (KeyError, ValueError) as fault:
            raise ThemeError(f"token {name!r}: {formula!r} cannot be computed ({fault}).") from None
        if not _PLAIN.fullmatch(found[name]):
            raise ThemeError(f"token {name!r}: its value {found[name]!r} has characters that a token may not have.")
    return found


def _evaluate(formula: str, values: Mapping[str, Any], above: Mapping[str, str]) -> str:
    filled = _VALUE.sub(lambda m: _plain(values[m.group(1)]), formula)
    filled = _TOKEN.sub(lambda m: above[m.group(1)], filled)
    call = _CALL.fullmatch(filled)
    if call is None:
        return filled
    name, parts = call.group(1), [part.strip() for part in call.group(2).split(",")]
    if name == "mix":
        return colour.mix(parts[0], parts[1], int(parts[2]))
    if name == "on":
        return colour.readable_on(*parts)
    if name == "pick":  # pick(value, option=result, ..)
        return dict(part.split("=", 1) for part in parts[1:])[parts[0]]
    face = FACES[parts[0]]
    return {"face": face.stack, "weight": str(face.weight), "tracking": face.tracking}[name]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def unreadable(tokens: Mapping[str, str], pairs: tuple[tuple[str, str, str], ...]) -> list[str]:
    """A sentence for every declared pair whose contrast is below WCAG's minimum for its level."""
    faults = []
    for text, background, level in pairs:
        ratio = colour.contrast(tokens[text], tokens[background])
        if ratio < MINIMUM[level]:
            faults.append(f"{text} on {background}: contrast {ratio:.2f}, needs {MINIMUM[level]}.")
    return faults


def css(day: Mapping[str, str], night: Mapping[str, str] | None, scheme: str) -> str:
    """The generated stylesheet: `:root` with every token, and the differences for a dark system."""
    lines = [f":root{{color-scheme:{scheme if night is None else 'light dark'};"]
    lines += [f"--{name}:{value};" for name, value in day.items()]
    lines.append("}")
    if night is not None:
        changed = "".join(f"--{name}:{value};" for name, value in night.items() if day[name] != value)
        lines.append(f"@media (prefers-color-scheme:dark){{:root{{{changed}}}}}")
    return "\n".join(lines) + "\n"

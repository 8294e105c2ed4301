"""Settings of a theme: a closed list of types, so that the editor, the validator and the documents come from one place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whitefelt.theming import colour
from whitefelt.theming.errors import ThemeError
from whitefelt.theming.fonts import FACES

TYPES = ("colour", "scheme", "font", "image", "text", "select", "toggle", "range")
MAX_SETTINGS = 24

_ID = re.compile(r"[a-z][a-z0-9_]{0,31}")
_IMAGE = re.compile(r"img/[a-z0-9][a-z0-9_-]*\.svg")


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that a preset or a brand manager may choose."""

    id: str
    type: str
    group: str
    label: str
    help: str
    options: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 0
    default: Any = None


def read_settings(data: Mapping[str, Any], where: str) -> dict[str, Setting]:
    """The settings declared in a settings.toml; ThemeError for an unknown type, a missing help text or too many."""
    found: dict[str, Setting] = {}
    for group, entries in data.items():
        for setting_id, entry in entries.items():
            kind = entry.get("type", "")
            if not _ID.fullmatch(setting_id) or setting_id in found:
                raise ThemeError(f"{where}: setting {setting_id!r} is declared twice or badly named.")
            if kind not in TYPES:
                raise ThemeError(f"{where}: setting {setting_id!r} has the unknown type {kind!r}.")
            if not entry.get("label") or not entry.get("help"):
                raise ThemeError(f"{where}: setting {setting_id!r} needs a label and a help text.")
            options = tuple(entry.get("options", ("dark", "light") if kind == "scheme" else ()))
            found[setting_id] = Setting(
                setting_id, kind, group, entry["label"], entry["help"], options,
                entry.get("min", 0), entry.get("max", 0), entry.get("default"),
            )  # fmt: skip
            if found[setting_id].default is not None:
                accept(found[setting_id], found[setting_id].default, f"{where} (default)")
    if len(found) > MAX_SETTINGS:
        raise ThemeError(f"{where}: {len(found)} settings; a theme has at most {MAX_SETTINGS}.")
    return found


def accept(setting: Setting, value: Any, where: str) -> Any:
    """The value if it fits its setting's type; ThemeError says which setting and why not."""
    fits = {
        "colour": lambda: isinstance(value, str) and bool(colour.parse(value)),
        "scheme": lambda: value in setting.options,
        "select": lambda: value in setting.options,
        "font": lambda: value in FACES,
        "image": lambda: isinstance(value, str) and bool(_IMAGE.fullmatch(value)),
        "text": lambda: isinstance(value, str) and len(value) <= 160,
        "toggle": lambda: isinstance(value, bool),
        "range": lambda: type(value) is int and setting.minimum <= value <= setting.maximum,
    }[setting.type]
    try:
        good = fits()
    except ThemeError as fault:
        raise ThemeError(f"{where}: {setting.id}: {fault}") from None
    if not good:
        raise ThemeError(f"{where}: {setting.id}: {value!r} is not a {setting.type} that this setting takes.")
    return value


def accept_all(settings: Mapping[str, Setting], values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Every value checked; unknown ids are refused, so that a misspelt setting cannot be lost silently."""
    unknown = sorted(set(values) - set(settings))
    if unknown:
        raise ThemeError(f"{where}: unknown settings {', '.join(unknown)}.")
    return {key: accept(settings[key], value, where) for key, value in values.items()}

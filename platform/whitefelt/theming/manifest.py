"""Reads a theme's folder and its chain of parents. The folder is the truth; nothing is registered."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from whitefelt.kernel import paths
from whitefelt.theming.contract import ENGINE
from whitefelt.theming.errors import ThemeError
from whitefelt.theming.settings import Setting, accept_all, read_settings

MAX_CHAIN = 3
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_KINDS = ("layouts", "pages", "sections", "parts", "assets")


@dataclass(frozen=True, slots=True)
class Preset:
    """A complete set of values; `night` replaces colours where the visitor's system asks for dark."""

    name: str
    label: str
    values: Mapping[str, Any]
    night: Mapping[str, Any]
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Theme:
    """One folder as it was read."""

    name: str
    version: str
    extends: str
    folder: Path
    settings: Mapping[str, Setting]
    tokens: Mapping[str, str]
    pairs: tuple[tuple[str, str, str], ...]
    presets: Mapping[str, Preset]
    texts: Mapping[str, str]
    files: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """A theme and its parents, the theme itself first; the first hit wins."""

    themes: tuple[Theme, ...]
    settings: Mapping[str, Setting]
    tokens: Mapping[str, str]
    pairs: tuple[tuple[str, str, str], ...]
    presets: Mapping[str, Preset]
    texts: Mapping[str, str]
    digest: str

    @property
    def name(self) -> str:
        return self.themes[0].name

    def locate(self, path: str, first: int = 0) -> tuple[int, Path] | None:
        """Where `path` is found, looking from the chain's link number `first`: the link and the file."""
        for index, theme in enumerate(self.themes[first:], first):
            if path in theme.files:
                return index, theme.folder / path
        return None

    def paths(self, kind: str) -> list[str]:
        """Every path under `kind/`, each once."""
        return sorted({path for theme in self.themes for path in theme.files if path.startswith(f"{kind}/")})


@lru_cache(maxsize=64)
def chain_of(name: str) -> Chain:
    """The installed theme of that name with its parents; ThemeError if it cannot be used."""
    if not _NAME.fullmatch(name):
        raise ThemeError(f"{name!r} is not a theme's name.")
    return read_chain(paths.THEMES / name)


def read_chain(folder: Path) -> Chain:
    """The theme in `folder`; parents are looked for beside it, then among the installed themes."""
    themes = [read_theme(folder)]
    while themes[-1].extends:
        if len(themes) == MAX_CHAIN:
            raise ThemeError(f"{folder.name}: a chain has at most {MAX_CHAIN} themes.")
        parent = themes[-1].extends
        if parent in {theme.name for theme in themes} or not _NAME.fullmatch(parent):
            raise ThemeError(f"{folder.name}: cannot extend {parent!r}.")
        beside = folder.parent / parent
        themes.append(read_theme(beside if beside.is_dir() else paths.THEMES / parent))
    return _merge(tuple(themes))


def _merge(themes: tuple[Theme, ...]) -> Chain:
    settings: dict[str, Setting] = {}
    tokens: dict[str, str] = {}
    presets: dict[str, Preset] = {}
    texts: dict[str, str] = {}
    pairs: dict[tuple[str, str], tuple[str, str, str]] = {}
    for theme in reversed(themes):
        for setting_id, setting in theme.settings.items():
            if setting_id in settings and settings[setting_id].type != setting.type:
                raise ThemeError(f"{theme.name}: setting {setting_id!r} may not change its type.")
            settings[setting_id] = setting
        tokens |= theme.tokens
        presets |= theme.presets
        texts |= theme.texts
        pairs |= {(pair[0], pair[1]): pair for pair in theme.pairs}
    defaults = {one.id: one.default for one in settings.values() if one.default is not None}
    presets = {name: replace(preset, values={**defaults, **preset.values}) for name, preset in presets.items()}
    for preset in presets.values():
        where = f"{themes[0].name}: preset {preset.name}"
        accept_all(settings, preset.values, where)
        accept_all(settings, preset.night, f"{where} (night)")
        missing = sorted(set(settings) - set(preset.values))
        if missing:
            raise ThemeError(f"{where} gives no value for {', '.join(missing)}.")
    digest = sha256("\n".join(f"{t.name} {p} {h}" for t in themes for p, h in sorted(t.files.items())).encode())
    return Chain(themes, settings, tokens, tuple(pairs.values()), presets, texts, digest.hexdigest()[:16])


def read_theme(folder: Path) -> Theme:
    """One theme's folder; ThemeError for a manifest that cannot be used."""
    manifest = _toml(folder / "theme.toml", required=True)
    name = manifest.get("name", "")
    if name != folder.name or not _NAME.fullmatch(name):
        raise ThemeError(f"{folder.name}: theme.toml names the theme {name!r}.")
    if manifest.get("engine") != ENGINE:
        raise ThemeError(f"{name}: written for engine {manifest.get('engine')!r}; this platform speaks {ENGINE!r}.")
    tokens = _toml(folder / "tokens.toml")
    pairs = tuple((p["text"], p["on"], p.get("level", "text")) for p in tokens.get("pair", []))
    presets = {path.stem: _preset(path) for path in sorted((folder / "presets").glob("*.toml"))}
    return Theme(
        name=name, version=manifest.get("version", "0"), extends=manifest.get("extends", ""), folder=folder,
        settings=read_settings(_toml(folder / "settings.toml"), name), tokens=tokens.get("tokens", {}), pairs=pairs,
        presets=presets, texts=flat(_toml(folder / "locales" / "en.toml")), files=_files(folder),
    )  # fmt: skip


def _preset(path: Path) -> Preset:
    data = _toml(path)
    return Preset(
        path.stem,
        data.get("label", path.stem),
        data.get("values", {}),
        data.get("night", {}),
        flat(data.get("texts", {})),
    )


def _files(folder: Path) -> dict[str, str]:
    found = {}
    for kind in _KINDS:
        for path in sorted((folder / kind).rglob("*")):
            if path.is_symlink():
                raise ThemeError(f"{folder.name}: {path.name} is a link; a theme holds files only.")
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = sha256(path.read_bytes()).hexdigest()[:16]
    return found


def _toml(path: Path, *, required: bool = False) -> dict[str, Any]:
    if not path.is_file():
        if required:
            raise ThemeError(f"{path.parent.name}: {path.name} is missing.")
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ThemeError(f"{path.parent.name}/{path.name}: {fault}") from None


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested tables of texts as dotted keys."""
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = str(value)
    return found

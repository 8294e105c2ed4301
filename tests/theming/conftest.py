"""A child theme of the base theme in a temporary folder, to be spoilt one fault at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from whitefelt.kernel import paths

MANIFEST = 'name = "child"\nversion = "1.0.0"\nengine = "1"\nextends = "base"\n'


@pytest.fixture
def child(tmp_path: Path) -> Callable[..., Path]:
    """Make the child theme; keyword arguments are files by path, `{base}` in them is the base theme's file of that path."""

    def make(files: dict[str, str] | None = None, manifest: str = MANIFEST) -> Path:
        folder = tmp_path / "child"
        folder.mkdir()
        (folder / "theme.toml").write_text(manifest)
        for name, text in (files or {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            original = paths.THEMES / "base" / name
            path.write_text(text.replace("{base}", original.read_text() if original.is_file() else ""))
        return folder

    return make

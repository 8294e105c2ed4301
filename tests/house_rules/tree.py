"""Where the project's files are: what git would commit, and the parsed modules of the package."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "platform" / "whitefelt"
#: Never looked into when there is no git to ask (an unpacked archive).
GENERATED = {
    ".git",
    ".venv",
    ".whitefelt",
    "build",
    "dist",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
}


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root, its dotted name, its text and syntax tree."""

    path: str
    name: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """The module of the house that the file belongs to: `wallet` for `whitefelt.wallet.call`."""
        parts = self.name.split(".")
        return parts[1] if len(parts) > 1 else ""


def source(text: str, name: str = "whitefelt.wallet.example") -> Source:
    """A Source made of a snippet, for the twins that must fail."""
    return Source(name.replace(".", "/") + ".py", name, text, ast.parse(text))


@cache
def package() -> tuple[Source, ...]:
    """Every module of the package `whitefelt`."""
    return tuple(_read(path) for path in sorted(PACKAGE.rglob("*.py")) if not GENERATED & set(path.parts))


@cache
def everything_else() -> tuple[Source, ...]:
    """Python files beside the package: tests, migrations, tools, wsgi.py."""
    return tuple(
        _read(ROOT / path) for path in committed() if path.endswith(".py") and not path.startswith("platform/")
    )


def _read(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    relative = path.relative_to(ROOT)
    dotted = relative.with_suffix("").parts
    dotted = dotted[1:] if dotted[0] == "platform" else dotted
    dotted = dotted[:-1] if dotted[-1] == "__init__" else dotted
    return Source(relative.as_posix(), ".".join(dotted), text, ast.parse(text))


@cache
def committed() -> tuple[str, ...]:
    """Paths of all files that are, or would be, in git; in an archive, all files that nothing generated."""
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listing.returncode == 0:
        return tuple(sorted(path for path in listing.stdout.splitlines() if (ROOT / path).is_file()))
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return tuple(sorted(path.as_posix() for path in found if not GENERATED & set(path.parts)))

"""Where the project's data folders lie: beside the source root of a checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MIGRATIONS = ROOT / "migrations"
TENANTS = ROOT / "tenants"
THEMES = ROOT / "themes"

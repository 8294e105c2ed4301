"""One shape in three places: the contract's variables, the view models, and the fixtures that `theme check` renders."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from typing import Any

import pytest

from whitefelt import theming
from whitefelt.kernel import paths
from whitefelt.surfaces.storefront import views

FIXTURES: list[dict[str, Any]] = json.loads((paths.THEMES / "base" / "preview" / "fixtures.json").read_text())

#: What each page's variables are made of.
MODELS: dict[str, Any] = {
    "frame": views.Frame, "featured": tuple[views.Tile, ...], "rails": tuple[views.Rail, ...],
    "steps": tuple[views.Step, ...], "query": str, "kinds": tuple[views.Kind, ...], "tiles": tuple[views.Tile, ...],
    "title": views.Tile, "play": views.Play | None, "gate": views.Gate | None, "form": views.Form,
    "documents": tuple[views.Document, ...], "min_age": int, "movements": tuple[views.MovementRow, ...],
    "methods": tuple[views.Method, ...], "quick_amounts": tuple[views.QuickAmount, ...], "pending": bool,
    "movement": views.Movement, "person": views.PersonCard, "identity": views.IdentityState, "exclusion": str,
    "required": bool, "breaks": tuple[views.BreakChoice, ...], "lines": tuple[views.StatementLine, ...],
    "newer_url": str, "older_url": str, "document": views.DocumentText, "problem": views.ProblemCard,
}  # fmt: skip
BY_PAGE: dict[tuple[str, str], Any] = {
    ("deposit", "limits"): tuple[str, ...], ("account", "limits"): str, ("limits", "limits"): tuple[views.Limit, ...],
}  # fmt: skip


def faults(value: Any, kind: Any, where: str) -> list[str]:
    """Where a fixture's value is not of that type."""
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        options = typing.get_args(kind)
        if value is None:
            return [] if type(None) in options else [f"{where}: null"]
        return faults(value, next(one for one in options if one is not type(None)), where)
    if origin is tuple:
        return [f for i, one in enumerate(value) for f in faults(one, typing.get_args(kind)[0], f"{where}[{i}]")]
    if origin is Mapping:
        rest = {key: one for key, one in value.items() if key != "_map"}
        return [f for key, one in rest.items() for f in faults(one, typing.get_args(kind)[1], f"{where}.{key}")]
    if dataclasses.is_dataclass(kind):
        fields = typing.get_type_hints(kind)
        different = sorted(set(fields) ^ set(value))
        found = [f"{where}: {', '.join(different)}"] if different else []
        return found + [f for key in fields if key in value for f in faults(value[key], fields[key], f"{where}.{key}")]
    return [] if type(value) is kind else [f"{where}: {value!r} is not {kind}"]


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda one: one["name"])
def test_fixtures_have_the_shape_of_the_view_models(fixture: dict[str, Any]) -> None:
    page, variables = fixture["page"], fixture["variables"]
    assert set(variables) == {"frame", *theming.PAGES[page].variables}
    for name, value in variables.items():
        assert faults(value, BY_PAGE.get((page, name)) or MODELS[name], f"{page}.{name}") == []


def test_the_comparison_can_fail() -> None:
    assert faults({"name": "a", "url": "/", "icon": "x"}, views.Place, "place") == ["place: current"]
    assert faults({"name": "a", "url": "/", "icon": 1, "current": True}, views.Place, "place")


def test_every_page_has_a_fixture_and_every_model_is_frozen() -> None:
    assert {fixture["page"] for fixture in FIXTURES} == set(theming.PAGES)
    models = [one for one in vars(views).values() if dataclasses.is_dataclass(one)]
    assert len(models) > 20
    assert all(one.__dataclass_params__.frozen for one in models)  # type: ignore[union-attr]

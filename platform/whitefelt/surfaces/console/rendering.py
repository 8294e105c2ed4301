"""Rendering a console's page: one strict, autoescaped Jinja environment per console, and the frame around it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import g
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from whitefelt.kernel import clock, web
from whitefelt.surfaces.console import wording
from whitefelt.surfaces.console.assets import asset_url

_OWN = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation; `count` is shown when something waits there, `bad` says it is more than late."""

    path: str
    label: str
    count: int = 0
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Entries of one team's task."""

    title: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every page. `here` is the path of the current entry; `search` the search's path or empty."""

    console: str
    owner: str
    groups: tuple[Group, ...]
    here: str
    person: str
    role: str
    zone: str
    search: str = ""
    search_label: str = ""
    query: str = ""


def environment(folder: Path) -> Environment:
    """The environment of a console whose own templates lie in `folder`."""
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder), FileSystemLoader(_OWN)]),
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.filters.update(
        amount=wording.amount, money=wording.money, span=wording.span, when=_when, moment=_moment, since=_since,
        day=_day,
    )  # fmt: skip
    made.globals.update(asset=asset_url)
    return made


def render(env: Environment, template: str, frame: Frame, **model: Any) -> str:
    """A page in its frame, with everything a form needs."""
    return env.get_template(template).render(
        frame=frame, zone=frame.zone, csrf_token=web.csrf_token(), now=clock.now(), **model
    )


def render_alone(env: Environment, template: str, **model: Any) -> str:
    """A page without a frame: signing in, problems."""
    trace = g.get("trace", "")
    return env.get_template(template).render(
        trace=trace, csrf_token=web.csrf_token(), zone="UTC", now=clock.now(), **model
    )


@pass_context
def _when(context: Context, at: datetime, seconds: bool = False) -> str:
    return wording.when(at, context["zone"], seconds=seconds)


@pass_context
def _moment(context: Context, at: datetime, seconds: bool = False) -> Markup:
    """A `<time>` element in the operator's time zone."""
    shown = wording.when(at, context["zone"], seconds=seconds)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), shown)


@pass_context
def _since(context: Context, at: datetime) -> str:
    """How long ago, in words."""
    now: datetime = context["now"]
    return wording.span(max(timedelta(), now - at))


def _day(at: date) -> str:
    return f"{at.day}\u00a0{at:%b}"

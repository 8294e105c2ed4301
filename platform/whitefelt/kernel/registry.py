"""Connectors, found by presence: a module in `whitefelt.connectors.<kind>`, or an installed package's entry point.

Installed is not enabled: presence makes a connector available, a row in `platform.integrations` makes it active.

A connector module declares
- `NAME`     the vendor's name, as integrations write it: `[a-z][a-z0-9_-]*`
- `CONFIG`   a tuple of `Setting`: every key an integration may hold, secrets marked
- `ORIGINS`  a function from an integration's config to `{CSP directive: origin}`: what a browser must be allowed to reach
and the functions of its kind's port (`whitefelt.<domain>.ports`).
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType, ModuleType
from typing import Any

from whitefelt.kernel.errors import Code, Problem

KINDS = ("play", "pay", "kyc", "message", "odds")
ENTRY_POINTS = "whitefelt.connectors"
CONNECTOR_UNKNOWN = Code("connector_unknown", 503, "No connector of that name is installed.", retryable=True)

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of an integration's configuration; a `secret` is kept sealed and never shown again."""

    key: str
    help: str
    secret: bool = False
    required: bool = True


class ConnectorFault(Exception):
    """A module that claims to be a connector breaks the contract; the message says how."""


@cache
def connectors(kind: str) -> Mapping[str, Any]:
    """Every connector of that kind by its name; found once per process. ConnectorFault if one breaks the contract.

    An entry point of the group `whitefelt.connectors` is named `<kind>.<anything>` and points at a module.
    """
    assert kind in KINDS, f"unknown kind of connector {kind!r}"
    found: dict[str, Any] = {}
    for module in [*_in_folder(kind), *_installed(kind)]:
        name = checked(kind, module)
        if name in found:
            raise ConnectorFault(f"two {kind} connectors are named {name!r}")
        found[name] = module
    return MappingProxyType(found)


def connector(kind: str, name: str) -> Any:
    """The connector of that kind and name; `connector_unknown` when none is installed."""
    found = connectors(kind).get(name)
    if found is None:
        raise Problem(CONNECTOR_UNKNOWN)
    return found


def checked(kind: str, module: Any) -> str:
    """The connector's name, once its declarations have been checked; ConnectorFault names what is wrong."""
    where = f"{kind} connector {getattr(module, '__name__', module)!s}"
    name, config = getattr(module, "NAME", None), getattr(module, "CONFIG", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConnectorFault(f"{where}: NAME must be a lower-case word")
    if not isinstance(config, tuple) or not all(isinstance(one, Setting) for one in config):
        raise ConnectorFault(f"{where}: CONFIG must be a tuple of Setting")
    if len({one.key for one in config}) != len(config):
        raise ConnectorFault(f"{where}: CONFIG names a key twice")
    if not callable(getattr(module, "ORIGINS", None)):
        raise ConnectorFault(f"{where}: ORIGINS must be a function of the configuration")
    return name


def _in_folder(kind: str) -> list[ModuleType]:
    try:
        package = importlib.import_module(f"whitefelt.connectors.{kind}")
    except ModuleNotFoundError as error:
        if error.name in ("whitefelt.connectors", f"whitefelt.connectors.{kind}"):
            return []
        raise
    names = sorted(one.name for one in pkgutil.iter_modules(package.__path__) if not one.name.startswith("_"))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def _installed(kind: str) -> list[Any]:
    points = sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)
    return [point.load() for point in points if point.name.partition(".")[0] == kind]

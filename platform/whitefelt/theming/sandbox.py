"""The only environment in which a theme's templates run: sandboxed, autoescaping, strict, with short lists of helpers."""

from __future__ import annotations

from typing import Any

from jinja2 import BaseLoader, StrictUndefined, TemplateNotFound
from jinja2.environment import Environment
from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from whitefelt.theming.manifest import Chain

FILTERS = ("join", "length", "lower", "upper", "first", "last", "default", "batch", "e", "escape", "urlencode")
TESTS = ("defined", "none", "equalto", "eq", "in", "odd", "even", "string")


class _ChainLoader(BaseLoader):
    """Templates of a chain. `parent/<path>` reaches the next theme up that has it; `@n/<path>` is how that is named inside."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Any]:
        link, path = self.split(template)
        found = self.chain.locate(path, link)
        if found is None or not path.endswith(".html"):
            raise TemplateNotFound(template)
        return found[1].read_text("utf-8"), str(found[1]), lambda: True

    @staticmethod
    def split(template: str) -> tuple[int, str]:
        if template.startswith("@") and "/" in template:
            link, path = template[1:].split("/", 1)
            return int(link), path
        return 0, template


class ThemeEnvironment(ImmutableSandboxedEnvironment):
    """Attributes of plain data only; nothing may be called but macros, blocks and the platform's helpers."""

    def __init__(self, chain: Chain) -> None:
        super().__init__(
            loader=_ChainLoader(chain), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, cache_size=200, auto_reload=False,
        )  # fmt: skip
        self.chain = chain
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.tests = {name: self.tests[name] for name in TESTS}
        self.globals = {}

    def join_path(self, template: str, parent: str) -> str:
        if not template.startswith("parent/"):
            return template
        link, path = _ChainLoader.split(parent)
        found = self.chain.locate(path, link)
        assert found is not None
        return f"@{found[0] + 1}/{template.removeprefix('parent/')}"

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return not attr.startswith("_") and (not callable(value) or isinstance(obj, LoopContext))

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(obj, Macro | BlockReference) or getattr(obj, "theme_helper", False) is True


_environments: dict[str, ThemeEnvironment] = {}
_MAX_ENVIRONMENTS = 64


def environment(chain: Chain) -> ThemeEnvironment:
    """The environment of that chain: one per digest, so that two versions of a theme never share a template."""
    found = _environments.get(chain.digest)
    if found is None:
        if len(_environments) >= _MAX_ENVIRONMENTS:
            _environments.clear()
        found = _environments[chain.digest] = ThemeEnvironment(chain)
    return found

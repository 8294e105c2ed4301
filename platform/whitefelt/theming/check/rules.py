"""The rules of `theme check` that look at a chain's files: each gives (where, what to do) for every fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

from jinja2 import TemplateSyntaxError, meta, nodes
from jinja2.exceptions import TemplateAssertionError

from whitefelt.theming import assets
from whitefelt.theming.contract import COMMON, HELPERS, PAGES
from whitefelt.theming.manifest import Chain
from whitefelt.theming.sandbox import environment

MAX_CSS_BYTES = 60_000
MAX_JS_BYTES = 80_000
MAX_LOOP_DEPTH = 3

Faults = Iterator[tuple[str, str]]


def _own(chain: Chain, suffix: str) -> Iterator[tuple[str, str]]:
    """Path and text of the theme's own files (its parents were checked on their own)."""
    theme = chain.themes[0]
    for path in sorted(theme.files):
        if path.endswith(suffix):
            yield path, (theme.folder / path).read_text("utf-8")


def _trees(chain: Chain) -> Iterator[tuple[str, nodes.Template]]:
    for path, source in _own(chain, ".html"):
        try:
            environment(chain).compile(source)
        except TemplateSyntaxError:
            continue  # `compiles` tells it
        yield path, environment(chain).parse(source)


def compiles(chain: Chain) -> Faults:
    """TC03: every template compiles, with the filters and tests that there are."""
    for path, source in _own(chain, ".html"):
        try:
            environment(chain).compile(source)
        except (TemplateSyntaxError, TemplateAssertionError) as fault:
            yield path, f"line {fault.lineno}: {fault.message}"
    for page in PAGES:
        if chain.locate(f"pages/{page}.html") is None:
            yield f"pages/{page}.html", "This page is missing from the theme and its parents."


def known_variables(chain: Chain) -> Faults:
    """TC04: templates name only what the contract gives them."""
    every = {name for page in PAGES.values() for name in page.variables}
    for path, tree in _trees(chain):
        kind, name = path.split("/", 1)
        page = PAGES.get(name.removesuffix(".html")) if kind == "pages" else None
        allowed = {*COMMON, *HELPERS, "caller", *(page.variables if page else every), *_imported(tree)}
        unknown = sorted(meta.find_undeclared_variables(tree) - allowed)
        if unknown:
            yield path, f"unknown variables: {', '.join(unknown)}."


def _imported(tree: nodes.Template) -> Iterator[str]:
    """Names that the template imports at its top: blocks see them too."""
    for node in tree.find_all(nodes.FromImport):
        yield from (name if isinstance(name, str) else name[1] for name in node.names)


def literal_includes(chain: Chain) -> Faults:
    """TC14: extends, include and import name a file that exists; loops are not nested deeply."""
    for path, tree in _trees(chain):
        for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
            target = getattr(node, "template", None)
            if not isinstance(target, nodes.Const) or not isinstance(target.value, str):
                yield path, f"line {node.lineno}: name the template in quotes."
            elif not target.value.startswith("parent/") and chain.locate(target.value) is None:
                yield path, f"line {node.lineno}: there is no {target.value}."
        if _depth(tree) > MAX_LOOP_DEPTH:
            yield path, f"loops are nested deeper than {MAX_LOOP_DEPTH}."


def _depth(node: nodes.Node) -> int:
    below = max((_depth(child) for child in node.iter_child_nodes()), default=0)
    return below + (1 if isinstance(node, nodes.For) else 0)


def known_texts(chain: Chain) -> Faults:
    """TC11: every text that a template names exists; a key that is put together has at least one text of its group."""
    for path, tree in _trees(chain):
        for call in tree.find_all(nodes.Call):
            if not (isinstance(call.node, nodes.Name) and call.node.name == "t" and call.args):
                continue
            key = call.args[0]
            if isinstance(key, nodes.Const) and key.value not in chain.texts:
                yield path, f"line {call.lineno}: there is no text {key.value!r} in locales/en.toml."
            if isinstance(key, nodes.Concat) and isinstance(key.nodes[0], nodes.Const):
                prefix = str(key.nodes[0].value)
                if not any(text.startswith(prefix) for text in chain.texts):
                    yield path, f"line {call.lineno}: there are no texts under {prefix!r}."
    for preset in chain.presets.values():
        for unknown in sorted(set(preset.texts) - set(chain.texts)):
            yield f"presets/{preset.name}.toml", f"text {unknown!r} replaces nothing."


def plain_source(chain: Chain) -> Faults:
    """TC09: nothing remote, nothing inline, in templates, stylesheets, scripts and pictures."""
    for path, source in _own(chain, ".html"):
        for match in re.finditer(
            r"<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son[a-z]+=|(?:src|href|action)=[\"']\s*(?:https?:)?//", source
        ):
            yield path, f"{match.group(0).strip()!r}: no inline script or style, no remote address."
    for path, source in _own(chain, ".css"):
        for match in re.finditer(r"@import|url\(|expression\(|https?:", source):
            yield path, f"{match.group(0)!r}: a stylesheet loads nothing."
        if re.search(r"\.wf-slot\b(?![^{]*:empty\))[^{]*\{[^}]*(display|visibility|opacity|clip|height)", source):
            yield path, "a legal slot may be placed, not hidden."
    for path, source in _own(chain, ".js"):
        for match in re.finditer(r"https?://|\beval\(|new Function|document\.write|innerHTML", source):
            yield path, f"{match.group(0)!r}: not in a theme's script."
    for path, source in _own(chain, ".svg"):
        for match in re.finditer(r"<script|<foreignObject|\son[a-z]+=|href=[\"'](?!#)|<style|<!ENTITY", source):
            yield path, f"{match.group(0).strip()!r}: a picture holds shapes only."


def asset_budget(chain: Chain) -> Faults:
    """TC10 and TC08: sizes of stylesheet and script, kinds of files, and assets that settings name."""
    for suffix, most in ((".css", MAX_CSS_BYTES), (".js", MAX_JS_BYTES)):
        size = sum(len(text.encode()) for _, text in _own(chain, suffix))
        if size > most:
            yield "assets", f"{suffix} files have {size} bytes; at most {most}."
    for path in chain.themes[0].files:
        if path.startswith("assets/") and path[path.rfind(".") :] not in assets.TYPES:
            yield path, f"an asset must be one of {', '.join(assets.TYPES)}."
    for preset in chain.presets.values():
        for setting in chain.settings.values():
            image = f"assets/{preset.values[setting.id]}"
            if setting.type == "image" and chain.locate(image) is None:
                yield f"presets/{preset.name}.toml", f"{setting.id}: there is no {image}."
    for needed in ("assets/theme.css", "assets/theme.js"):
        if chain.locate(needed) is None:
            yield needed, "is missing from the theme and its parents."


def used_settings(chain: Chain) -> Faults:
    """TC06: every setting does something."""
    sources = " ".join(text for _, text in _own(chain, ".html"))
    for theme in chain.themes[1:]:
        sources += " ".join((theme.folder / path).read_text("utf-8") for path in theme.files if path.endswith(".html"))
    for setting_id in chain.settings:
        in_tokens = any("{" + setting_id + "}" in formula for formula in chain.tokens.values())
        built_in = setting_id in ("scheme", "mark")
        if not in_tokens and not built_in and f"look.{setting_id}" not in sources:
            yield "settings.toml", f"{setting_id}: no token and no template uses it."


ALL: tuple[tuple[str, Callable[[Chain], Faults]], ...] = (
    ("TC03", compiles), ("TC04", known_variables), ("TC06", used_settings), ("TC09", plain_source), ("TC10", asset_budget),
    ("TC11", known_texts), ("TC14", literal_includes),
)  # fmt: skip


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.forms: list[dict[str, bool]] = []
        self.ids: set[str] = set()
        self.labels: set[str] = set()
        self.inputs: list[str] = []
        self.post_open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "style" or (tag == "script" and "src" not in given) or "style" in given:
            self.faults.append(f"<{tag}>: inline script or style.")
        if any(name.startswith("on") for name in given):
            self.faults.append(f"<{tag}>: inline event handler.")
        if tag != "iframe":
            for name in ("src", "href", "action", "srcset"):
                if given.get(name, "").startswith(("http:", "https:", "//")):
                    self.faults.append(f"<{tag} {name}>: remote address {given[name]!r}.")
        if tag == "img" and ("alt" not in given or "width" not in given or "height" not in given):
            self.faults.append(f"<img src={given.get('src')!r}>: needs alt, width and height.")
        if "id" in given:
            if given["id"] in self.ids:
                self.faults.append(f"<{tag}>: the id {given['id']!r} is there twice.")
            self.ids.add(given["id"])
        self._form(tag, given)

    def _form(self, tag: str, given: dict[str, str]) -> None:
        if tag == "form":
            self.post_open = given.get("method", "get").lower() == "post"
            if self.post_open:
                self.forms.append({"csrf": False})
        if tag == "input" and self.post_open and given.get("name") == "csrf_token":
            self.forms[-1]["csrf"] = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.post_open = False


def faults_of_html(html: str) -> list[str]:
    """What is wrong with a rendered page: inline code, remote addresses, images without size or alternative, double ids."""
    page = _Page()
    page.feed(html)
    return page.faults


def faults_of_forms(html: str) -> list[str]:
    """Forms that post without the CSRF field."""
    page = _Page()
    page.feed(html)
    return ["A form posts without {{ csrf_field() }}."] * sum(not form["csrf"] for form in page.forms)

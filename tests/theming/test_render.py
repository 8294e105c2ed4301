"""Rendering: exact variables, escaping, the sandbox, and legal slots that cannot be lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2.exceptions import SecurityError, TemplateError

from whitefelt import theming
from whitefelt.kernel import paths
from whitefelt.theming.errors import SlotMissing
from whitefelt.theming.look import compute_look
from whitefelt.theming.manifest import read_chain
from whitefelt.theming.sandbox import environment

BASE = paths.THEMES / "base"
LAYOUT = (BASE / "layouts" / "page.html").read_text()
SLOTS: dict[str, Any] = {
    "legal.footer": {"text": "Firm <script>", "links": []}, "safer_gambling.bar": {"min_age": 18, "text": "Help", "links": []},
    "age.gate": {"min_age": 18, "text": "Adults only"},
}  # fmt: skip


def page(**problem: Any) -> dict[str, Any]:
    told = {"code": "not_found", "status": 404, "title": "Gone", "text": "", "trace": "", "actions": (), **problem}
    frame = SimpleNamespace(
        page="error", brand_name="B & B", language="en", min_age=18, places=(), player=None, balance=None, notices=()
    )
    return {"frame": frame, "problem": SimpleNamespace(**told)}


def draw(look: theming.Look, variables: dict[str, Any]) -> str:
    return theming.render(look, "error", variables, slots=SLOTS, csrf=lambda: "t")


@pytest.fixture
def look() -> theming.Look:
    return theming.plain_look("base", "aurora", brand="b")


def test_a_page_has_every_slot_and_escapes_what_it_shows(look: theming.Look) -> None:
    html = draw(look, page(title="<b>x</b>"))
    assert sorted(re.findall(r'data-slot="([a-z_.]+)"', html)) == sorted(theming.SLOTS)
    assert "&lt;b&gt;x&lt;/b&gt;" in html and "<b>x</b>" not in html
    assert "Firm &lt;script&gt;" in html and "B &amp; B" in html


def test_the_protected_stylesheet_comes_last(look: theming.Look) -> None:
    sheets = re.findall(r'rel="stylesheet" href="([^"]+)"', draw(look, page()))
    assert len(sheets) == 3 and sheets[-1].startswith("/-/legal/")


def test_assets_in_a_page_can_be_fetched_and_only_at_their_hash(look: theming.Look) -> None:
    found = re.findall(r"/-/asset/([a-z]+)/([0-9a-f]{16})/([a-z0-9/._-]+)", draw(look, page()))
    assert {path for _, _, path in found} >= {"theme.css", "theme.js", "img/aurora-mark.svg"}
    for theme, content_hash, path in found:
        assert theming.asset(theme, content_hash, path) is not None
        assert theming.asset(theme, "0" * 16, path) is None
    theme, content_hash, path = found[0]
    assert theming.asset(theme, content_hash, "../theme.toml") is None
    assert theming.asset("../base", content_hash, path) is None


def test_variables_must_be_those_of_the_contract(look: theming.Look) -> None:
    with pytest.raises(AssertionError, match="contract"):
        draw(look, {**page(), "more": 1})
    with pytest.raises(AssertionError, match="contract"):
        draw(look, {"frame": page()["frame"]})


def test_a_theme_that_loses_a_slot_is_answered_with_the_base_theme(child: Callable[..., Path]) -> None:
    spoilt = LAYOUT.replace('{{ slot("legal.footer") }}', "").replace("<body>", '<body class="spoilt">')
    html = draw(compute_look(read_chain(child({"layouts/page.html": spoilt})), "aurora", {}, "b"), page())
    assert "spoilt" not in html and 'data-slot="legal.footer"' in html


def test_a_theme_that_keeps_its_slots_is_drawn_itself(child: Callable[..., Path]) -> None:
    own = LAYOUT.replace("<body>", '<body class="own">')
    html = draw(compute_look(read_chain(child({"layouts/page.html": own})), "aurora", {}, "b"), page())
    assert 'class="own"' in html


def test_the_base_theme_cannot_fall_back_on_itself(look: theming.Look, monkeypatch: pytest.MonkeyPatch) -> None:
    from whitefelt.theming import contract

    monkeypatch.setitem(contract.PAGES, "error", contract.Page(("problem",), (*contract.SLOTS, "another.slot")))
    with pytest.raises(SlotMissing, match="another"):
        draw(look, page())


@pytest.mark.parametrize(
    "template",
    [
        "{{ frame.__class__.__mro__ }}", "{{ frame.places.append(1) }}", "{{ ''.join(['a']) }}", "{{ t.__globals__ }}",
        "{{ 'x'|attr('__class__') }}", "{{ cycler }}", "{{ frame.nothing }}", "{{ nothing }}", "{{ range(9) }}",
        "{{ '<b>'|safe }}", "{% for x in frame.places.__iter__() %}{% endfor %}",
    ],
)  # fmt: skip
def test_the_sandbox_gives_nothing_away(look: theming.Look, template: str) -> None:
    with pytest.raises((SecurityError, TemplateError)) as caught:
        environment(look.chain).from_string(template).render(frame=SimpleNamespace(places=[1]), t=lambda key: key)
    assert caught.type.__name__ in ("SecurityError", "UndefinedError", "TemplateAssertionError", "TemplateRuntimeError")


def test_the_sandbox_lets_plain_data_through(look: theming.Look) -> None:
    template = environment(look.chain).from_string(
        "{% for p in frame.places %}{{ loop.index }}{{ p|upper }}{% endfor %}"
    )
    assert template.render(frame=SimpleNamespace(places=["a", "<"])) == "1A2&lt;"


def test_one_environment_per_digest(child: Callable[..., Path]) -> None:
    chain = read_chain(child({"assets/theme.css": "a{}"}))
    assert environment(chain) is environment(read_chain(chain.themes[0].folder))
    (chain.themes[0].folder / "assets" / "theme.css").write_text("b{}")
    assert environment(read_chain(chain.themes[0].folder)) is not environment(chain)

"""Every theme of the project passes `theme check`; every rule has a theme that fails it, and only by its own fault."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from whitefelt import theming
from whitefelt.kernel import paths

BASE = paths.THEMES / "base"
LAYOUT = (BASE / "layouts" / "page.html").read_text()
SIGN_IN = (BASE / "pages" / "sign_in.html").read_text()
PRESET = (BASE / "presets" / "aurora.toml").read_text()


@pytest.mark.parametrize("folder", sorted(p for p in paths.THEMES.iterdir() if p.is_dir()), ids=lambda p: p.name)
def test_every_theme_passes(folder: Path) -> None:
    assert [str(finding) for finding in theming.check(folder)] == []


def test_a_child_that_changes_little_passes(child: Callable[..., Path]) -> None:
    files = {
        "pages/sign_in.html": '{% extends "parent/pages/sign_in.html" %}{% block heading %}Hello{% endblock %}',
        "assets/theme.css": "{base}\n.hero{margin:0}",
    }
    assert [str(finding) for finding in theming.check(child(files))] == []


def without(text: str, part: str) -> str:
    assert part in text, part
    return text.replace(part, "")


@pytest.mark.parametrize(
    ("code", "path", "text"),
    [
        ("TC03", "pages/sign_in.html", SIGN_IN + "{% if %}"),
        ("TC03", "pages/sign_in.html", SIGN_IN.replace("{{ form.next }}", "{{ form.next|safe }}")),
        ("TC04", "pages/sign_in.html", SIGN_IN.replace("{{ form.next }}", "{{ movements }}")),
        ("TC04", "pages/sign_in.html", SIGN_IN.replace("{{ form.next }}", "{{ form.nonsense }}")),
        ("TC04", "pages/sign_in.html", SIGN_IN.replace("{{ form.next }}", "{{ frame.places.__class__ }}")),
        ("TC05", "layouts/page.html", without(LAYOUT, '{{ slot("safer_gambling.bar") }}')),
        ("TC05", "layouts/page.html", LAYOUT.replace('{{ slot("licence.seal") }}', '{% set a = slot("licence.seal") %}')),
        ("TC05", "layouts/page.html", without(LAYOUT, "{{ head() }}")),
        ("TC06", "settings.toml", '[more]\nunused = { type = "toggle", default = true, label = "A", help = "B" }\n'),
        ("TC07", "presets/aurora.toml", PRESET.replace('ink = "#f3f5ff"', 'ink = "#5a5f88"')),
        ("TC09", "layouts/page.html", LAYOUT.replace("<body>", '<body style="margin:0">')),
        ("TC09", "layouts/page.html", LAYOUT.replace("<body>", "<body><script>1</script>")),
        ("TC09", "layouts/page.html", LAYOUT.replace("<body>", '<body><img src="https://x.example/a.svg" alt="" width="1" height="1">')),
        ("TC09", "assets/theme.css", "@import 'x.css';"),
        ("TC09", "assets/theme.css", ".wf-slot{display:none}"),
        ("TC09", "assets/theme.js", "eval('1')"),
        ("TC09", "assets/img/aurora-sky.svg", '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'),
        ("TC10", "assets/theme.css", ".a{color:red}\n" * 6000),
        ("TC10", "assets/img/photo.exe", "x"),
        ("TC11", "pages/sign_in.html", SIGN_IN.replace('t("sign_in.title")', 't("sign_in.titel")')),
        ("TC13", "pages/sign_in.html", without(SIGN_IN, "{{ csrf_field() }}")),
        ("TC14", "pages/sign_in.html", SIGN_IN.replace('"layouts/narrow.html"', "frame.page")),
    ],
)  # fmt: skip
def test_each_fault_is_found(child: Callable[..., Path], code: str, path: str, text: str) -> None:
    findings = theming.check(child({path: text}))
    assert code in {finding.code for finding in findings}, [str(finding) for finding in findings]
    assert all(finding.blocks for finding in findings)


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ('name = "other"\nengine = "1"\nextends = "base"\n', "names the theme"),
        ('name = "child"\nengine = "9"\nextends = "base"\n', "engine"),
        ('name = "child"\nengine = "1"\nextends = "child"\n', "cannot extend"),
        ('name = "child"\nengine = "1"\nextends = "../base"\n', "cannot extend"),
        ('name = "child"\nengine = "1"\nextends = "nowhere"\n', "missing"),
        ("name = ", "Invalid"),
    ],
)
def test_a_manifest_that_cannot_be_used(child: Callable[..., Path], manifest: str, told: str) -> None:
    (finding,) = theming.check(child(manifest=manifest))
    assert finding.code == "TC01"
    assert told in finding.message


def test_a_link_out_of_the_folder_is_refused(child: Callable[..., Path], tmp_path: Path) -> None:
    folder = child()
    (folder / "assets").mkdir()
    (folder / "assets" / "theme.css").symlink_to("/etc/hostname")
    (finding,) = theming.check(folder)
    assert "link" in finding.message

"""Style as a failing test: the rules of the house over the whole tree, each with a twin that shows it can find a fault."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from datetime import date

import pytest
import yaml

from house_rules import imports, shape, words
from house_rules.tree import PACKAGE, ROOT, committed, everything_else, package, source


def report(faults: list[str]) -> str:
    return f"{len(faults)} fault(s):\n  " + "\n  ".join(faults)


# --- the tree ---------------------------------------------------------------------------------------------------------


def test_the_source_root_is_no_package() -> None:
    """`platform/__init__.py` would shadow the standard library's platform module."""
    assert not (ROOT / "platform" / "__init__.py").exists()
    told = subprocess.run(
        [sys.executable, "-c", "import platform; print(platform.python_version())"],
        cwd=ROOT, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert told.stdout.strip() == ".".join(map(str, sys.version_info[:3]))


def test_no_file_has_a_name_that_attracts_everything() -> None:
    found = [item.path for item in package() if item.path.rsplit("/", 1)[-1] in shape.FORBIDDEN_NAMES]
    assert not found, report(found)
    assert "service.py" in shape.FORBIDDEN_NAMES


def test_files_and_functions_can_be_read_in_one_go() -> None:
    faults = [fault for item in (*package(), *everything_else()) for fault in shape.too_long(item)]
    faults += [
        f"{path} has {lines} lines" for path in committed() if path.endswith((".js", ".html", ".css"))
        and (lines := (ROOT / path).read_text(encoding="utf-8").count("\n")) > 2 * shape.MAX_FILE_LINES
    ]  # fmt: skip
    assert not faults, report(faults)


def test_long_files_and_functions_are_found() -> None:
    assert shape.too_long(source("x = 1\n" * 401))
    assert not shape.too_long(source("x = 1\n" * 400))
    assert shape.too_long(source("def f():\n" + "    x = 1\n" * 60))
    assert not shape.too_long(source("def f():\n" + "    x = 1\n" * 59))


# --- who may know whom ------------------------------------------------------------------------------------------------


def test_only_faces_are_imported_and_only_by_those_who_may() -> None:
    faults = [fault for item in package() for fault in imports.faults(item)]
    assert not faults, report(faults)


@pytest.mark.parametrize(("importer", "statement"), [
    ("whitefelt.cashier.deposits", "from whitefelt.wallet.models import Pocket"),
    ("whitefelt.cashier.deposits", "def f():\n    import whitefelt.wallet.call"),
    ("whitefelt.wallet.call", "from whitefelt import tenancy"),
    ("whitefelt.tenancy.directory", "from whitefelt.audit import record"),
    ("whitefelt.accounts.players", "from whitefelt import compliance"),
    ("whitefelt.games.library", "from whitefelt import cashier"),
    ("whitefelt.kernel.db", "from whitefelt.facts import money"),
    ("whitefelt.facts.money", "from whitefelt import wallet"),
    ("whitefelt.connectors.pay.acme", "from whitefelt import cashier"),
    ("whitefelt.connectors.pay.acme", "from whitefelt.cashier.models import Deposit"),
    ("whitefelt.connectors.pay.acme", "from whitefelt.connectors.pay import sandpay"),
    ("whitefelt.sandbox.psp.api", "from whitefelt.kernel import money"),
    ("whitefelt.sandbox.psp.api", "from whitefelt.kernel.money import Money"),
    ("whitefelt.surfaces.storefront.pages", "from whitefelt.cashier.models import Deposit"),
    ("whitefelt.surfaces.storefront.pages", "from whitefelt import app"),
    ("whitefelt.app", "from whitefelt.wallet.call import run"),
    ("whitefelt.newcomer.thing", "from whitefelt import wallet"),
])  # fmt: skip
def test_a_forbidden_import_is_found(importer: str, statement: str) -> None:
    assert imports.faults(source(statement, importer))


@pytest.mark.parametrize(("importer", "statement"), [
    ("whitefelt.cashier.deposits", "from whitefelt.wallet import deposit"),
    ("whitefelt.cashier.deposits", "from whitefelt import accounts, compliance, wallet"),
    ("whitefelt.cashier.deposits", "from whitefelt.cashier.models import Deposit"),
    ("whitefelt.cashier.deposits", "from whitefelt.kernel.errors import Problem"),
    ("whitefelt.cashier.handlers", "from whitefelt.facts.money import DepositSettled"),
    ("whitefelt.connectors.pay.acme", "from whitefelt.cashier.ports import PayVendor"),
    ("whitefelt.connectors.pay.acme", "from whitefelt.kernel import money"),
    ("whitefelt.games.library", "from whitefelt.wagering.ports import Launch"),
    ("whitefelt.sandbox.psp.api", "from whitefelt.kernel import settings"),
    ("whitefelt.surfaces.storefront.pages", "from whitefelt import cashier"),
    ("whitefelt.app", "from whitefelt.cashier.api import player_api"),
])  # fmt: skip
def test_a_rightful_import_is_not_found(importer: str, statement: str) -> None:
    if importer.startswith("whitefelt.sandbox"):
        statement = "from whitefelt.kernel.settings import current"
    assert not imports.faults(source(statement, importer))


def test_the_floors_are_contracts() -> None:
    """`make check` runs import-linter on these; here only that nobody removed them or let a module out."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    kinds = [contract["type"] for contract in told["contracts"]]
    assert {"layers", "forbidden", "independence"} <= set(kinds)
    floors = told["contracts"][0]
    assert floors["exhaustive"] and set(floors["exhaustive_ignores"]) == {"__main__"}
    named = set(re.findall(r"[a-z]+", " ".join(floors["layers"])))
    modules = {
        path.stem
        for path in PACKAGE.iterdir()
        if not path.name.startswith("_") and (path.is_dir() or path.suffix == ".py")
    }
    assert modules <= named, modules - named
    assert modules <= set(imports.MAY_IMPORT) | imports.COMPOSITION | imports.FACES_OF_ALL | {"connectors"}


# --- what is written --------------------------------------------------------------------------------------------------


def test_no_banned_word_is_written() -> None:
    faults = [fault for item in package() for fault in words.faults(item)]
    faults += [f"{item.path}:{line} {what}" for item in everything_else() for line, what in words._later(item)]
    for path in committed():
        if path.endswith((".sql", ".html", ".css", ".js", ".toml", ".md")) and words.LATER.search(
            (ROOT / path).read_text(encoding="utf-8")
        ):
            faults.append(f"{path} puts work off")
    assert not faults, report(faults)


@pytest.mark.parametrize(("name", "text"), [
    ("whitefelt.wallet.x", "a = float(amount)"),
    ("whitefelt.kernel.money", "a = float(amount)"),
    ("whitefelt.cashier.x", "from datetime import datetime\nnow = datetime.now()"),
    ("whitefelt.cashier.x", "import datetime\nnow = datetime.datetime.utcnow()"),
    ("whitefelt.cashier.x", "import time\nnow = time.time()"),
    ("whitefelt.cashier.x", "def f(work):\n    work.session.commit()"),
    ("whitefelt.cashier.x", "from sqlalchemy import text\nq = text('SELECT 1')"),
    ("whitefelt.cashier.x", "import sqlalchemy as sa\nq = sa.text('SELECT 1')"),
    ("whitefelt.kernel.x", "q = 'SET search_path TO a'"),
    ("whitefelt.kernel.x", "q = 'BEGIN; SET ROLE a'"),
    ("whitefelt.kernel.x", "q = \"SELECT set_config('role', %s, false)\""),
    ("whitefelt.cashier.x", "print('x')"),
    ("whitefelt.cashier.x", "from sqlalchemy import Enum"),
    ("whitefelt.cashier.x", "import sqlalchemy as sa\nc = sa.Enum('a')"),
    ("whitefelt.cashier.x", "try:\n    f()\nexcept:\n    raise"),
    ("whitefelt.cashier.x", "try:\n    f()\nexcept Exception:\n    pass"),
    ("whitefelt.cashier.x", "a = 1  # TO" + "DO later"),
])  # fmt: skip
def test_a_banned_word_is_found(name: str, text: str) -> None:
    assert words.faults(source(text, name))


@pytest.mark.parametrize(("name", "text"), [
    ("whitefelt.supervisor.x", "a = float(seconds)"),
    ("whitefelt.sandbox.psp.x", "import time\nnow = time.time()"),
    ("whitefelt.kernel.db", "def f(session):\n    session.commit()"),
    ("whitefelt.wallet.x", "from sqlalchemy import text\nq = text('SELECT 1')"),
    ("whitefelt.kernel.x", "q = \"SELECT set_config('role', %s, true)\""),
    ("whitefelt.kernel.x", "q = 'SET LOCAL lock_timeout = 3'\nr = 'UPDATE a SET b = 1'"),
    ("whitefelt.cashier.x", "try:\n    f()\nexcept ValueError:\n    pass"),
])  # fmt: skip
def test_a_rightful_word_is_not_found(name: str, text: str) -> None:
    assert not words.faults(source(text, name))


def test_every_file_says_what_it_is_for() -> None:
    faults = [fault for item in package() for fault in shape.undocumented(item)]
    faults += [
        fault for item in everything_else() if "/versions/" not in item.path for fault in shape.undocumented(item)
    ]
    assert not faults, report(faults)
    assert shape.undocumented(source("x = 1\n"))


def test_everything_in_a_face_says_what_it_does() -> None:
    faces = [
        item.name
        for item in package()
        if item.path.endswith("__init__.py") and item.name.count(".") == 1 and "__all__" in item.text
    ]
    assert len(faces) > 8, faces
    faults = [fault for name in faces for fault in shape.undocumented_face(name)]
    assert not faults, report(faults)


def test_an_undocumented_function_is_found() -> None:
    def silent() -> None:
        return None

    assert not shape.documented(silent)
    assert shape.documented(shape.documented)


# --- connectors, markets, themes --------------------------------------------------------------------------------------

VENDORS = [item for item in package() if re.fullmatch(r"whitefelt\.connectors\.[a-z]+\.[a-z0-9_]+", item.name)]


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda item: item.name.removeprefix("whitefelt.connectors."))
def test_a_connector_has_exchanges_on_file(vendor: object) -> None:
    """Play: files of exchanges. Pay and kyc: the same, or tests that hold the exchanges with the vendor's process."""
    _, _, kind, name = vendor.name.split(".")  # type: ignore[attr-defined]
    folder = ROOT / "tests" / "connectors" / kind
    exchanges = [path for path in (folder / name).rglob("*") if path.suffix in (".http", ".json", ".toml", ".txt")]
    tests = list(folder.glob(f"test_{name}*.py")) if kind != "play" else []
    assert exchanges or tests, f"put what {name} sends and is answered into {(folder / name).relative_to(ROOT)}/"


def untranslated(codes: dict[object, object]) -> set[str]:
    """Codes of play that a connector's map forgets."""
    from whitefelt.wagering.ports import PlayCode

    return {code.value for code in PlayCode} - {str(getattr(code, "value", code)) for code in codes}


@pytest.mark.parametrize("vendor", [v for v in VENDORS if ".play." in v.name], ids=lambda item: item.name)
def test_a_play_connector_translates_every_code(vendor: object) -> None:
    codes = importlib.import_module(vendor.name).CODES  # type: ignore[attr-defined]
    assert not untranslated(codes)
    assert untranslated(dict(list(codes.items())[1:]))


MARKETS = sorted((PACKAGE / "compliance" / "jurisdictions").glob("*.toml"))


@pytest.mark.parametrize("path", MARKETS, ids=lambda path: path.stem)
def test_a_market_says_where_each_rule_is_from_and_since_when(path: object) -> None:
    told = tomllib.loads(path.read_text())  # type: ignore[attr-defined]
    assert told["code"].lower() == path.stem and told["version"]  # type: ignore[attr-defined]
    faults = unsourced(told["rules"])
    assert told["rules"] and not faults, report(faults)


def unsourced(rules: dict[str, list[dict[str, object]]]) -> list[str]:
    """Spans of rules without source, evidence or first day."""
    return [
        f"{name}: no {key}"
        for name, spans in rules.items()
        for span in spans
        for key, kind in (("source", str), ("evidence", str), ("from", date))
        if not span.get(key) or not isinstance(span[key], kind)
    ]


def test_a_rule_without_a_source_is_found() -> None:
    whole = {"value": 18, "from": date(2020, 1, 1), "source": "Act 1", "evidence": "official"}
    assert not unsourced({"min_age": [whole]})
    for key in ("from", "source", "evidence"):
        assert unsourced({"min_age": [{k: v for k, v in whole.items() if k != key}]})


@pytest.mark.parametrize("folder", sorted(path.name for path in (ROOT / "themes").iterdir() if path.is_dir()))
def test_a_theme_can_go_live(folder: str) -> None:
    from whitefelt.theming import check

    faults = [f"{f.code} {f.where}: {f.message}" for f in check(ROOT / "themes" / folder) if f.severity == "error"]
    assert not faults, report(faults)


# --- what is in git ---------------------------------------------------------------------------------------------------

#: Addresses of package indexes and paths of somebody's machine. Written in pieces, so that this file is not one of them.
NOT_IN_GIT = (
    re.compile(r"https?://[^\s\"'<>]*(?:py" + r"pi\.|python" + r"hosted|npm" + r"js|/simple/)"),
    re.compile(r"--(?:extra-)?index" + r"-url|--find" + r"-links"),
    re.compile(r"\"resol" + r"ved\"\s*:"),
    re.compile(
        r"(?<![\w.])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/[a-z]+|Us" + r"ers/[a-z]+|opt/whe" + r"els|tmp/br" + r"ief)/"
    ),
    re.compile(r"shared/des" + r"ign|hou" + r"se\.md|led" + r"ger\.md"),
)
BINARY = (".png", ".jpg", ".webp", ".ico", ".woff2", ".gz", ".zip")


def strangers(text: str) -> list[str]:
    """What a text holds that belongs to one machine or one index."""
    return [match.group(0) for pattern in NOT_IN_GIT for match in pattern.finditer(text)]


def test_nothing_in_git_belongs_to_one_machine() -> None:
    faults = []
    for path in committed():
        if not path.endswith(BINARY):
            faults += [f"{path}: {word}" for word in strangers((ROOT / path).read_text(encoding="utf-8"))]
    assert not faults, report(faults)
    assert (
        strangers("see /wo" + "rk/main")
        and strangers("https://py" + "pi.org/simple")
        and not strangers("https://example.com/rework/main")
    )


def test_the_licence_and_the_two_commands_are_told() -> None:
    licence = (ROOT / "LICENSE").read_text()
    assert (
        "Apache License" in licence
        and "Version 2.0, January 2004" in licence
        and "END OF TERMS AND CONDITIONS" in licence
    )
    readme = (ROOT / "README.md").read_text()
    assert "make demo" in readme and "make test" in readme


def test_everything_installed_is_pinned_by_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        entries = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text().strip())
        unpinned = [
            entry.splitlines()[0]
            for entry in entries
            if "==" not in entry.splitlines()[0] or "--hash=sha256:" not in entry
        ]
        assert len(entries) > 20 and not unpinned, unpinned


def test_the_longer_lock_holds_the_shorter_one() -> None:
    """`make test` installs over what `make demo` installed: nothing may change versions between the two."""
    pins = [
        set(re.findall(r"^[\w.-]+==\S+", (ROOT / name).read_text(), re.M))
        for name in ("requirements.lock", "requirements-dev.lock")
    ]
    assert pins[0] < pins[1], pins[0] - pins[1]


def test_the_compose_file_names_servers_of_this_machine_only() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert {"postgres", "valkey"} <= set(services)
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert ports and all(str(port).startswith("127.0.0.1:") for port in ports), ports

"""Words that may not be written, found in the syntax tree so that a comment or a sentence is no offence."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from house_rules.tree import Source

#: Modules that count money: no float may appear in them, not even as a literal.
MONEY = {
    "wallet",
    "wagering",
    "cashier",
    "games",
    "compliance",
    "accounts",
    "tenancy",
    "audit",
    "facts",
    "bonuses",
    "reporting",
    "connectors",
}
#: Where SQL is written by hand.
SQL_MODULES = {"kernel", "wallet", "reporting"}
SESSION_SET = re.compile(r"(?:^|;)\s*SET\s+(?:SESSION|ROLE\b|(?!LOCAL\b)[a-z_.]+\s*(?:=|TO\b))", re.IGNORECASE)
SESSION_CONFIG = re.compile(r"set_config\s*\([^)]*,\s*false\s*\)", re.IGNORECASE)
LATER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")

Check = Callable[[Source], Iterator[tuple[int, str]]]


def faults(source: Source) -> list[str]:
    """Every banned word of the file, with its line and what to use instead."""
    return sorted(f"{source.path}:{line} {message}" for check in CHECKS for line, message in check(source))


def _calls(source: Source) -> Iterator[tuple[ast.Call, str]]:
    """Every call and the dotted name that is called, as far as it is made of names."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of names and attributes; what is not a name is left out."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _floats(source: Source) -> Iterator[tuple[int, str]]:
    if source.module in MONEY or source.name == "whitefelt.kernel.money":
        for node, name in _calls(source):
            if name == "float":
                yield node.lineno, "float( where money is counted: integers in units, or Decimal at the edge"


def _clocks(source: Source) -> Iterator[tuple[int, str]]:
    if source.module == "sandbox" or source.name == "whitefelt.kernel.clock":
        return
    for node, name in _calls(source):
        if name.endswith(("datetime.now", "datetime.today", "date.today", ".utcnow")) or name in (
            "time.time",
            "time.time_ns",
        ):
            yield node.lineno, f"{name}(: kernel.clock knows the time"


def _commits(source: Source) -> Iterator[tuple[int, str]]:
    if source.module in ("kernel", "sandbox"):
        return
    for node, name in _calls(source):
        if name.endswith((".commit", ".rollback")):
            yield node.lineno, f"{name}(: a transaction ends at the edge, in kernel.db"


def _raw_sql(source: Source) -> Iterator[tuple[int, str]]:
    if source.module in SQL_MODULES or source.module == "proof" or source.name.endswith(".models"):
        return
    for node, name in _calls(source):
        if name in ("text", "sa.text", "sqlalchemy.text") and _imports_text(source):
            yield node.lineno, "text(: SQL by hand belongs to the kernel, the wallet and reporting"


def _imports_text(source: Source) -> bool:
    return any(
        (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy") and any(a.name == "text" for a in node.names))
        or (isinstance(node, ast.Import) and any(alias.name == "sqlalchemy" for alias in node.names))
        for node in ast.walk(source.tree)
    )  # fmt: skip


def _session_settings(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if SESSION_SET.search(node.value) and "UPDATE" not in node.value.upper():
                yield (
                    node.lineno,
                    "SET for a session: it would follow the connection to the next tenant; SET LOCAL or set_config(.., true)",
                )
            if SESSION_CONFIG.search(node.value):
                yield node.lineno, "set_config(.., false) outlives the transaction"


def _prints(source: Source) -> Iterator[tuple[int, str]]:
    for node, name in _calls(source):
        if name == "print":
            yield node.lineno, "print(: commands use click.echo, everything else logs"


def _enums(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.ImportFrom)
            and (node.module or "").startswith("sqlalchemy")
            and any(a.name in ("Enum", "ENUM") for a in node.names)
        ):
            yield node.lineno, "a native enum: text and a CHECK list"
    for node, name in _calls(source):
        if name in ("sa.Enum", "sqlalchemy.Enum", "postgresql.ENUM"):
            yield node.lineno, "a native enum: text and a CHECK list"


def _swallowed(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if node.type is None:
            yield node.lineno, "a bare except: name what is expected"
        elif (
            isinstance(node.type, ast.Name)
            and node.type.id in ("Exception", "BaseException")
            and all(isinstance(s, ast.Pass) for s in node.body)
        ):
            yield node.lineno, "every error swallowed: name what is expected, or log"


def _later(source: Source) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if LATER.search(line):
            yield number, "work put off in a comment: do it, or write an issue"


CHECKS: tuple[Check, ...] = (
    _floats, _clocks, _commits, _raw_sql, _session_settings, _prints, _enums, _swallowed, _later,
)  # fmt: skip

"""Who may know whom, and through which door. import-linter holds the floors; this holds the finer table and the faces."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from house_rules.tree import Source

#: What each module may import besides itself, kernel and facts. A module that is not here is a fault.
MAY_IMPORT: dict[str, set[str]] = {
    "kernel": set(),
    "facts": set(),
    "tenancy": set(),
    "wallet": set(),
    "audit": set(),
    "accounts": {"tenancy", "audit"},
    "theming": {"tenancy"},
    # The flag that stops stakes must change in the commit that changes a player's standing.
    "compliance": {"tenancy", "accounts", "audit", "wallet"},
    "risk": {"tenancy", "accounts", "audit"},
    "bonuses": {"tenancy", "accounts", "audit", "wallet"},
    "wagering": {"tenancy", "accounts", "audit", "wallet", "compliance", "risk", "bonuses"},
    "cashier": {"tenancy", "accounts", "audit", "wallet", "compliance", "risk", "bonuses"},
    "games": {"tenancy", "accounts", "audit", "compliance", "wagering"},
    "crm": {"tenancy", "accounts", "audit"},
    "reporting": {"tenancy", "accounts", "audit", "wallet", "compliance", "wagering", "cashier", "games"},
    "connectors": set(),
    "sandbox": set(),
    "supervisor": set(),
}
#: The surfaces see the faces of all below; the composition sees everything.
FACES_OF_ALL = {"surfaces"}
COMPOSITION = {"app", "cli", "commands", "demo", "proof", "__main__"}
#: Submodules that are doors of their own: the language and the kernel anywhere, ports for those who implement or use them.
OPEN_INSIDE = {"kernel", "facts"}
COMPOSED_DOORS = {"api", "handlers"}
UPPER = COMPOSITION | FACES_OF_ALL | {"connectors", "sandbox", "supervisor"}


def imported(source: Source) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of everything of the package that a file imports, also inside functions."""
    here = source.name.split(".")
    package = here if source.path.endswith("__init__.py") else here[:-1]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "whitefelt")
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])
            if base.split(".")[0] != "whitefelt":
                continue
            if base == "whitefelt":
                yield from ((node.lineno, f"whitefelt.{alias.name}") for alias in node.names)
            elif base in ("whitefelt.connectors", "whitefelt.surfaces") or base.startswith("whitefelt.connectors."):
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, base


def faults(source: Source) -> list[str]:
    """Every import of the file that its module may not make."""
    found = []
    for line, name in imported(source):
        parts = name.split(".")
        target = parts[1]
        if target.startswith("__") or target == source.module:
            if target == "connectors" and len(parts) > 3 and not name.startswith(source.name):
                found.append(f"{source.path}:{line} connectors never know one another: {name}")
            continue
        reason = _refusal(source.module, target, parts)
        if reason:
            found.append(f"{source.path}:{line} {reason}: {name}")
    return found


def _refusal(module: str, target: str, parts: list[str]) -> str | None:
    if module == "kernel":
        return "the kernel imports nobody"
    if module == "sandbox":
        return None if parts[1:] == ["kernel", "settings"] else "a simulator shares nothing with what it exercises"
    if target in OPEN_INSIDE:
        return None
    if module == "facts":
        return "facts know the kernel only"
    inside = parts[2:]
    if module == "connectors":
        return None if inside == ["ports"] else "a connector sees the kernel and one domain's ports"
    if module in COMPOSITION:
        return None if _is_door(target, inside) else "only a module's face is imported"
    if inside and inside != ["ports"]:
        return "only a module's face is imported"
    if module in FACES_OF_ALL:
        return None if target not in UPPER else "that lies above"
    if module not in MAY_IMPORT:
        return "a module that the table of who may know whom does not name (tests/house_rules/imports.py)"
    return None if target in MAY_IMPORT[module] else "these may not know one another"


def _is_door(target: str, inside: list[str]) -> bool:
    """Doors that the composition may use: faces, `api`, `handlers`, the parts of commands and surfaces, the vendors."""
    if not inside or inside[0] in COMPOSED_DOORS:
        return True
    return target in {"commands", "surfaces", "sandbox"} and len(inside) == 1

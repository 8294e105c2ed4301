"""Sizes and documentation: files and functions that can be read in one go, and say what they are for."""

from __future__ import annotations

import ast
import importlib
import inspect

from house_rules.tree import Source

MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 60
FORBIDDEN_NAMES = {
    "service.py",
    "services.py",
    "utils.py",
    "util.py",
    "helpers.py",
    "helper.py",
    "managers.py",
    "manager.py",
}


def too_long(source: Source) -> list[str]:
    """The file if it has more than 400 lines, and its functions of more than 60."""
    lines = source.text.count("\n")
    found = [f"{source.path} has {lines} lines (at most {MAX_FILE_LINES})"] if lines > MAX_FILE_LINES else []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                found.append(
                    f"{source.path}:{node.lineno} {node.name} has {length} lines (at most {MAX_FUNCTION_LINES})"
                )
    return found


def undocumented(source: Source) -> list[str]:
    """The file if it has no docstring that says what it is for."""
    return [] if (ast.get_docstring(source.tree) or "").strip() else [f"{source.path} has no docstring"]


def undocumented_face(module_name: str) -> list[str]:
    """Functions and classes of a module's `__all__` without a docstring of their own; names there that do not exist."""
    module = importlib.import_module(module_name)
    found = []
    for name in getattr(module, "__all__", ()):
        thing = getattr(module, name, None)
        if thing is None and not hasattr(module, name):
            found.append(f"{module_name}.{name} is in __all__ and does not exist")
        elif inspect.isfunction(thing) or inspect.isclass(thing):
            found += [f"{module_name}.{name} has no docstring"] if not documented(thing) else []
    return found


def documented(thing: object) -> bool:
    """True for a docstring that a person wrote (a dataclass without one gets its signature)."""
    text = (vars(thing).get("__doc__") or "") if inspect.isclass(thing) else (inspect.getdoc(thing) or "")
    return bool(text.strip()) and not text.startswith(f"{getattr(thing, '__name__', '')}(")

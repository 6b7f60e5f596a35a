"""Reads a package's source without running it: its modules, and what each of them imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen


@frozen
class SourceModule:
    """One source file: its dotted name, whether it is a package's ``__init__``, and its syntax tree."""

    name: str
    is_package: bool
    tree: ast.Module

    @property
    def unit(self) -> str:
        """The module or package directly below the root that this file belongs to; empty for the root itself."""
        return unit_of(self.name)


@frozen
class Import:
    """One imported name, ``package.module.name`` where it is taken from a module, and the line it stands on."""

    target: str
    line: int


def unit_of(dotted_name: str) -> str:
    """The second part of a dotted name: ``core`` of ``mm_fsm.core.messages``."""
    parts = dotted_name.split(".")
    return parts[1] if len(parts) > 1 else ""


def modules_of(package: Path) -> list[SourceModule]:
    """Every module of the package in the directory ``package``, in order of path."""
    modules = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        modules.append(SourceModule(name, is_package, ast.parse(path.read_text(encoding="utf-8"), str(path))))
    return modules


def imports_of(module: SourceModule) -> Iterator[Import]:
    """Every import in the module: at the top, inside functions, for type checkers only, and by name at run time."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(module, node)
            for alias in node.names:
                yield Import(f"{source}.{alias.name}", node.lineno)
        elif isinstance(node, ast.Call) and node.args and _called_name(node) in {"import_module", "__import__"}:
            target = node.args[0]
            yield Import(str(target.value) if isinstance(target, ast.Constant) else "?", node.lineno)


def _absolute(module: SourceModule, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.name.split(".")
    ascent = node.level - 1 if module.is_package else node.level
    base = package[: len(package) - ascent]
    return ".".join([*base, node.module] if node.module else base)


def _called_name(node: ast.Call) -> str | None:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else None

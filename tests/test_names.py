"""A name means one thing: no function hides its module, no new class takes a name, only the CLI says options."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import mm_fsm

PACKAGE: Final = Path(mm_fsm.__file__).parent
SHARED: Final = frozenset(
    {
        "Account", "Amounts", "Block", "Connection", "Desk", "Fact", "Fault", "InspectedMarket", "Keys", "MarketSource",
        "Message", "Moment", "News", "Outcome", "Refusal", "Row", "SentOrder", "Source", "Streams", "Stretch", "Tally",
        "Walk", "Watch",
    }
)  # fmt: skip
"""Public classes that share a name, in packages that never meet. Only fewer."""


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "templates" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_nothing_that_a_package_exports_hides_a_module_of_its() -> None:
    """``import a.b.c`` would give the function, not the module."""
    found = []
    for path, tree in modules():
        if path.name != "__init__.py":
            continue
        inside = {each.stem for each in path.parent.iterdir() if each.suffix == ".py" or each.is_dir()}
        for statement in tree.body:
            if isinstance(statement, ast.ImportFrom):
                names = {each.asname or each.name for each in statement.names}
                found += [f"{path.parent.name}.{name}" for name in names & inside]
    assert found == []


def test_no_further_public_class_takes_the_name_of_another() -> None:
    names = Counter(
        statement.name
        for _, tree in modules()
        for statement in tree.body
        if isinstance(statement, ast.ClassDef) and not statement.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} == SHARED


def test_what_runs_knows_no_option_of_the_command_line() -> None:
    """Its errors name what it was given; whoever asked on a command line is told by the option's name there."""
    named = [
        f"{path.name}: {node.args[0].value}"
        for path, tree in modules()
        if path.is_relative_to(PACKAGE / "runtime") or path.is_relative_to(PACKAGE / "watching")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if str(node.args[0].value).startswith("--")
    ]
    assert named == []

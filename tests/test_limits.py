"""Rooms stay small: no file, function or class grows beyond what can be read in one go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mm_fsm

pytestmark = pytest.mark.smoke

ROOT = Path(mm_fsm.__file__).parent
LINES_OF_A_FILE = 450
LINES_OF_A_FUNCTION = 50
METHODS_OF_A_CLASS = 25
"""Properties are read like fields, and are not counted."""
THE_CHART = "MarketMakingStateMachine"
"""Its guards and actions are as many as the chart has, each with one line of purpose."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> Iterator[tuple[Path, str]]:
    """Every module of the package, with its text."""
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def nodes() -> Iterator[tuple[str, ast.AST]]:
    """Every node of every module, with a name to report it by."""
    for path, text in modules():
        for node in ast.walk(ast.parse(text)):
            yield f"{path}:{getattr(node, 'name', '')}", node


def methods(node: ast.ClassDef) -> list[Function]:
    """What a class body defines to be called."""
    found = [item for item in node.body if isinstance(item, Function)]
    return [
        item
        for item in found
        if not any("property" in ast.unparse(d) or "setter" in ast.unparse(d) for d in item.decorator_list)
    ]


def test_no_file_is_too_long() -> None:
    lengths = {str(path): len(text.splitlines()) for path, text in modules()}
    assert {path: length for path, length in lengths.items() if length > LINES_OF_A_FILE} == {}


def test_no_function_is_too_long() -> None:
    lengths = {
        name: (node.end_lineno or node.lineno) - node.lineno + 1 for name, node in nodes() if isinstance(node, Function)
    }
    assert {name: length for name, length in lengths.items() if length > LINES_OF_A_FUNCTION} == {}


def test_no_class_but_the_chart_has_too_many_methods() -> None:
    counts = {name: len(methods(node)) for name, node in nodes() if isinstance(node, ast.ClassDef)}
    assert {name for name, count in counts.items() if count > METHODS_OF_A_CLASS} <= {
        f"machine/market_making.py:{THE_CHART}"
    }


def test_every_guard_and_action_of_the_chart_has_one_line_of_purpose() -> None:
    (chart,) = [node for _, node in nodes() if isinstance(node, ast.ClassDef) and node.name == THE_CHART]
    for method in methods(chart):
        assert method.name.startswith("_") or (ast.get_docstring(method) or "").splitlines()[0].endswith("."), (
            method.name
        )

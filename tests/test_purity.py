"""What decides reads no clock, draws no random number and does no I/O: here a test looks for it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import mm_fsm
from tests.source_tree import SourceModule, imports_of, modules_of

PURE_UNITS = ("errors", "chart", "core", "books", "services", "machine")

ALLOWED_MODULES = frozenset(
    {
        "__future__",
        "abc",
        "attr",
        "attrs",
        "bisect",
        "cattrs",
        "collections",
        "contextlib",
        "copy",
        "decimal",
        "difflib",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "inspect",
        "itertools",
        "json",
        "keyword",
        "math",
        "mm_fsm",
        "numbers",
        "operator",
        "re",
        "statemachine",
        "statistics",
        "string",
        "textwrap",
        "types",
        "typing",
    }
)
"""Anything else may have a clock, a random number, a thread or a file behind it."""

ALLOWED_IN = {
    # Finds installed services by name when a machine is put together, before it is told its first fact.
    "mm_fsm.services.registry": frozenset({"importlib"}),
}
"""What one module may import besides."""

FORBIDDEN_CALLS = frozenset({"__import__", "breakpoint", "eval", "exec", "input", "open", "print"})


def purity_violations(package: Path) -> list[str]:
    """One line for each import or call in a pure unit that could reach outside the process or depend on the run."""
    found = []
    for module in modules_of(package):
        if module.unit in PURE_UNITS:
            found += _imports_outside(module) + _calls_outside(module)
    return found


def _imports_outside(module: SourceModule) -> list[str]:
    allowed = ALLOWED_MODULES | ALLOWED_IN.get(module.name, frozenset())
    return [
        f"{module.name}, line {imported.line}: imports {imported.target}; pure code may import only ALLOWED_MODULES"
        for imported in imports_of(module)
        if imported.target.split(".", maxsplit=1)[0] not in allowed
    ]


def _calls_outside(module: SourceModule) -> list[str]:
    return [
        f"{module.name}, line {node.lineno}: calls {node.func.id}()"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS
    ]


def write_module(parent: Path, file: str, text: str) -> Path:
    """A package called mm_fsm with one module in it."""
    path = parent / "mm_fsm" / file
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return parent / "mm_fsm"


def test_the_core_is_pure() -> None:
    """Chart, core, services and machine import nothing that has a clock, a random number or a file behind it."""
    package = Path(mm_fsm.__file__).parent
    assert {module.unit for module in modules_of(package)} >= {"errors", "chart", "core"}
    assert purity_violations(package) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import time", "imports time"),
        ("from time import monotonic_ns", "imports time.monotonic_ns"),
        ("from datetime import datetime", "imports datetime.datetime"),
        ("def f():\n    import random", "imports random"),
        ("import secrets", "imports secrets"),
        ("import uuid", "imports uuid"),
        ("from os import environ", "imports os.environ"),
        ("import socket", "imports socket"),
        ("import asyncio", "imports asyncio"),
        ("import threading", "imports threading"),
        ("import logging", "imports logging"),
        ("from loguru import logger", "imports loguru.logger"),
        ("from pathlib import Path", "imports pathlib.Path"),
        ("import numpy.random", "imports numpy.random"),
        ("text = open('file').read()", "calls open()"),
        ("print('hello')", "calls print()"),
        ("clock = __import__('time')", "imports time"),
        ("exec('import time')", "calls exec()"),
    ],
)
@pytest.mark.parametrize("unit", PURE_UNITS)
def test_a_planted_impurity_is_found(tmp_path: Path, unit: str, text: str, expected: str) -> None:
    """A clock, a random number or a file in any pure unit is found."""
    violations = purity_violations(write_module(tmp_path, f"{unit}/planted.py", text))
    assert any(expected in violation for violation in violations), violations


@pytest.mark.parametrize(
    ("file", "text", "count"),
    [
        ("services/registry.py", "from importlib.metadata import entry_points", 0),
        ("services/registry.py", "import time", 1),
        ("services/spreads.py", "from importlib.metadata import entry_points", 1),
    ],
)
def test_an_exception_is_for_one_module_and_one_library(tmp_path: Path, file: str, text: str, count: int) -> None:
    assert len(purity_violations(write_module(tmp_path, file, text))) == count


def test_adapters_may_do_what_pure_code_may_not(tmp_path: Path) -> None:
    assert (
        purity_violations(write_module(tmp_path, "runtime/live.py", "import asyncio, time\nprint(time.time())")) == []
    )


def test_a_state_may_be_called_open(tmp_path: Path) -> None:
    """Only the built-in is forbidden, not an order's status of that name."""
    assert purity_violations(write_module(tmp_path, "core/orders.py", "filled = open.to(closed)")) == []

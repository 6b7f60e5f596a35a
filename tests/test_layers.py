"""Imports point down only, and each outside library is imported only where it belongs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import mm_fsm
from tests.source_tree import Import, SourceModule, imports_of, modules_of, unit_of

ROOT = Path(mm_fsm.__file__).parent

LAYERS = (
    ("cli",),
    ("testing",),
    ("coverage",),
    ("watching",),
    ("report",),
    ("diagram", "search"),
    ("runtime",),
    ("venues",),
    ("machine",),
    ("services",),
    ("books",),
    ("estimators",),
    ("core",),
    ("chart",),
    ("errors",),
)
"""From the top. Units of one layer do not know each other."""

DOCUMENTED = re.findall(r"^(\w+)  +\w", mm_fsm.__doc__ or "", flags=re.MULTILINE)
"""The layers as the package's docstring lists them."""

PARTS_OF_TESTING = (
    ("faults", "market_maker", "models", "rehearsal"),
    ("paths", "subjects"),
    ("driving",),
    ("problems",),
)
"""The same for the parts of one unit."""

DEPTHS = {unit: depth for depth, layer in enumerate(LAYERS) for unit in layer}

HOMES = {
    "ccxt": "mm_fsm.venues.ccxt or mm_fsm.testing.rehearsal.client",
    "aiohttp": "mm_fsm.testing.rehearsal or mm_fsm.venues.ccxt",
    "cryptography": "mm_fsm.testing.rehearsal",
    "typer": "mm_fsm.cli",
    "pytest": "mm_fsm.coverage or mm_fsm.testing",
    "_pytest": "mm_fsm.coverage",
    "hypothesis": "mm_fsm.coverage.mutation or mm_fsm.testing",
    "networkx": "mm_fsm.testing",
    "graphviz": "mm_fsm.diagram",
    "jinja2": "mm_fsm.report.pages",
    "pygraphviz": "mm_fsm.diagram",
    "pydot": "mm_fsm.diagram",
    "matplotlib": "mm_fsm.diagram",
    "optuna": "mm_fsm.search.tuning",
    "prometheus_client": "mm_fsm.watching.run_metrics",
    "apprise": "mm_fsm.watching.alert_targets",
    "ray": "mm_fsm.search.tuning",
}
"""Where a library may be imported: in the modules whose dotted name starts so, or so."""


def layer_violations(package: Path) -> list[str]:
    """One line for each import that the layers forbid. The root module, which only re-exports, is exempt."""
    modules = [module for module in modules_of(package) if module.unit]
    found = [
        f"{module.name}: {module.unit!r} is in no layer; add it to LAYERS"
        for module in modules
        if module.unit not in DEPTHS
    ]
    for module in modules:
        found += [problem for target in imports_of(module) if (problem := _problem(module, target))]
    return found + _second_exchange_files(modules)


def _second_exchange_files(modules: list[SourceModule]) -> list[str]:
    files = [
        module.name
        for module in modules
        if module.name.startswith("mm_fsm.venues.ccxt")
        and any(_library(target) == "ccxt" for target in imports_of(module))
    ]
    return [f"ccxt is imported by {len(files)} files, expected one: {files}"] if len(files) > 1 else []


def _library(imported: Import) -> str:
    return imported.target.split(".", maxsplit=1)[0]


def _problem(module: SourceModule, imported: Import) -> str | None:
    place = f"{module.name}, line {imported.line}"
    library = _library(imported)
    home = HOMES.get(library)
    if home is not None and not module.name.startswith(tuple(home.split(" or "))):
        return f"{place}: {library} belongs in {home}"
    if library != "mm_fsm":
        return None
    unit = unit_of(imported.target)
    if unit not in DEPTHS:
        return f"{place}: {imported.target} is taken from the root; import it from its own module"
    if unit != module.unit and DEPTHS[unit] <= DEPTHS.get(module.unit, -1):
        return f"{place}: {module.unit} must not import {unit}"
    return None


def write_package(parent: Path, files: dict[str, str]) -> Path:
    """A package called mm_fsm, one import down through every layer, with ``files`` written over it."""
    lines = {
        "__init__.py": "import mm_fsm.cli\n",
        "cli.py": "import typer\nfrom mm_fsm import diagram, errors\n",
        "diagram/__init__.py": "import graphviz\nfrom mm_fsm.diagram.arrows import Arrow\n",
        "diagram/arrows.py": "from ..runtime import run\n",
        "runtime.py": "import mm_fsm.venues.ccxt_exchange\n",
        "venues/__init__.py": "",
        "venues/ccxt_exchange.py": "def connect():\n    import ccxt.pro\n",
        "machine.py": "from mm_fsm import services\n",
        "services.py": "from .core import messages\n",
        "core/__init__.py": "",
        "core/messages.py": "from mm_fsm.chart import Chart\n",
        "chart.py": "from mm_fsm.errors import MarketMakerError\n",
        "errors.py": "",
    }
    package = parent / "mm_fsm"
    for name, text in {**lines, **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return package


def test_imports_point_down() -> None:
    """No module of the package imports from a layer above its own, or a library that belongs elsewhere."""
    assert layer_violations(ROOT) == []


def test_the_parts_of_testing_point_down_too() -> None:
    depths = {part: depth for depth, layer in enumerate(PARTS_OF_TESTING) for part in layer}
    parts = [(module, module.name.split(".")[1]) for module in modules_of(ROOT / "testing") if "." in module.name]
    assert {part for _, part in parts} == {*depths}, "say in PARTS_OF_TESTING where it belongs"
    upwards = [
        f"{module.name}, line {imported.line}: {part} must not import {other}"
        for module, part in parts
        for imported in imports_of(module)
        if imported.target.startswith("mm_fsm.testing.")
        and (other := imported.target.split(".")[2]) != part
        and depths[other] <= depths[part]
    ]
    assert upwards == []


def test_an_orderly_package_has_no_violation(tmp_path: Path) -> None:
    assert layer_violations(write_package(tmp_path, {})) == []


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        pytest.param("core/x.py", "import mm_fsm.services", "core must not import services", id="upwards"),
        pytest.param("core/x.py", "from mm_fsm import venues", "core must not import venues", id="from-the-root"),
        pytest.param("core/x.py", "from ..runtime import run", "core must not import runtime", id="relative"),
        pytest.param("core/__init__.py", "from .. import cli", "core must not import cli", id="relative-in-a-package"),
        pytest.param("chart.py", "def f():\n    from mm_fsm.core import y", "chart must not import core", id="inside"),
        pytest.param("search.py", "from mm_fsm.diagram import z", "search must not import diagram", id="sideways"),
        pytest.param(
            "services.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mm_fsm.machine",
            "services must not import machine",
            id="for-types-only",
        ),
        pytest.param(
            "errors.py",
            "import importlib\nimportlib.import_module('mm_fsm.chart')",
            "errors must not import chart",
            id="by-name",
        ),
        pytest.param("runtime.py", "from mm_fsm import Chart", "mm_fsm.Chart is taken from the root", id="root-name"),
        pytest.param("runtime.py", "import mm_fsm", "mm_fsm is taken from the root", id="root"),
        pytest.param("tools.py", "", "'tools' is in no layer", id="unknown-unit"),
        pytest.param("venues/paper.py", "import ccxt", "ccxt belongs in mm_fsm.venues.ccxt", id="ccxt-elsewhere"),
        pytest.param("venues/ccxt_orders.py", "from ccxt import x", "ccxt is imported by 2 files", id="ccxt-twice"),
        pytest.param("core/x.py", "import pytest", "pytest belongs in mm_fsm.coverage", id="test-tool-in-core"),
        pytest.param("core/x.py", "from graphviz import x", "graphviz belongs in mm_fsm.diagram", id="plot-in-core"),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, file: str, text: str, expected: str) -> None:
    """One forbidden import in an otherwise orderly package is found, and nothing else is."""
    violations = layer_violations(write_package(tmp_path, {file: text}))
    assert len(violations) == 1
    assert expected in violations[0]


def test_the_package_lists_its_layers_from_the_top() -> None:
    assert [unit for layer in LAYERS for unit in layer] == DOCUMENTED


def packages_with_a_map() -> dict[str, tuple[set[str], set[str]]]:
    """By package, its modules and those that its docstring names; where it names three, it is meant to name all."""
    found = {}
    for package in sorted(ROOT.rglob("__init__.py")):
        text = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""
        first_column = " ".join(re.findall(r"^\S.*?(?=  )", text, re.MULTILINE))
        words = {*re.findall(r"``(\w+)``", text), *re.findall(r"\w+", first_column)}
        inside = [each for each in package.parent.iterdir() if each.suffix == ".py" or (each / "__init__.py").exists()]
        modules = {each.stem for each in inside} - {"__init__"}
        if len(modules & words) >= 3:
            found[package.parent.relative_to(ROOT.parent).as_posix()] = (modules, words)
    return found


@pytest.mark.parametrize(("modules", "words"), packages_with_a_map().values(), ids=packages_with_a_map())
def test_a_package_that_lists_its_modules_lists_all(modules: set[str], words: set[str]) -> None:
    assert modules - words == set()

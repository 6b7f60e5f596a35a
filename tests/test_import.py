"""``import mm_fsm`` costs next to nothing, and every public name is there when it is asked for."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import mm_fsm
import mm_fsm.testing

pytestmark = pytest.mark.smoke

ROOT = Path(mm_fsm.__file__)
OPTIONAL_OR_SLOW = {
    "ccxt",
    "graphviz",
    "hypothesis",
    "matplotlib",
    "networkx",
    "numpy",
    "pandas",
    "polars",
    "pygraphviz",
    "pytest",
    "rich",
    "typer",
}


def modules_loaded_by(statement: str) -> set[str]:
    """Names of the modules that ``statement`` loads in a fresh interpreter."""
    program = f"""
import sys
before = set(sys.modules)
{statement}
loaded = sorted(set(sys.modules) - before)
import json
print(json.dumps(loaded))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT.parents[1])}
    environment.pop("MM_FSM_COVERAGE", None)  # measuring is asked for in this way, and loads what measures
    finished = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    return set(json.loads(finished.stdout))


def names_for_type_checkers(package: ModuleType) -> dict[str, str]:
    """Name and module of every import in a package's stub, as a parser reads it."""
    return imported_by(stub_of(package))


def imported_by(text: str) -> dict[str, str]:
    found = {}
    for statement in ast.parse(text).body:
        if not isinstance(statement, ast.ImportFrom):
            continue
        for alias in statement.names:
            if alias.name == "*":
                package = importlib.import_module(str(statement.module))
                found |= imported_by(Path(str(package.__file__)).read_text(encoding="utf-8"))
            else:
                found[str(alias.asname)] = str(statement.module)
    return found


def test_importing_the_package_loads_no_other_module() -> None:
    assert modules_loaded_by("import mm_fsm") == {"mm_fsm"}


def test_the_whole_public_interface_loads_nothing_optional() -> None:
    """Using every public name loads no exchange, plotting, data frame, command line or test library."""
    loaded = modules_loaded_by("from mm_fsm import *")
    assert {"mm_fsm", "statemachine", "attrs"} <= loaded
    assert not loaded & OPTIONAL_OR_SLOW


@pytest.mark.parametrize("name", mm_fsm.__all__)
def test_a_public_name_is_the_one_in_its_module(name: str) -> None:
    assert getattr(mm_fsm, name) is getattr(importlib.import_module(mm_fsm._MODULES[name]), name)


@pytest.mark.parametrize("package", [mm_fsm, mm_fsm.testing], ids=lambda package: package.__name__)
def test_public_names_stand_once_in_the_stub(package: ModuleType) -> None:
    """What loads at run time and what ``import *`` gives are the names that type checkers read, in their modules."""
    assert names_for_type_checkers(package) == vars(package)["_MODULES"]
    assert sorted(vars(package)["_MODULES"]) == package.__all__
    assert sorted(imported_by(stub_of(package))) == package.__all__


def stub_of(package: ModuleType) -> str:
    """The text of a package's stub."""
    return Path(str(package.__file__)).with_suffix(".pyi").read_text(encoding="utf-8")


def test_dir_shows_names_before_they_are_loaded() -> None:
    assert {*mm_fsm.__all__, "__version__"} <= set(dir(mm_fsm))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'mm_fsm' has no attribute 'MarketMoker'"):
        _ = mm_fsm.MarketMoker  # type: ignore[attr-defined]


def test_type_information_is_shipped() -> None:
    assert ROOT.with_name("py.typed").is_file()

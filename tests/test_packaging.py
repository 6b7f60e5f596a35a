"""The pinned environment: every package that an installation with all extras brings has one exact version."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mm_fsm

ROOT = Path(__file__).resolve().parents[1]


def pinned() -> dict[str, str]:
    """Version by canonical name, as ``constraints.txt`` has them."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {str(canonicalize_name(name)): version for name, version in pairs}


def closure(distribution: str, extras: frozenset[str]) -> set[str]:
    """Canonical names of everything that ``distribution`` with ``extras`` requires here, itself included."""
    found: set[str] = set()
    todo = [(distribution, extras)]
    seen = set(todo)
    while todo:
        name, wanted = todo.pop()
        found.add(str(canonicalize_name(name)))
        for line in requires(name) or ():
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in wanted | {""}):
                step = (requirement.name, frozenset(requirement.extras))
                if step not in seen:
                    seen.add(step)
                    todo.append(step)
    return found


def test_every_package_of_the_environment_is_pinned() -> None:
    """Whatever ``mm-fsm[all]`` brings on this interpreter stands in constraints.txt, and nothing else does."""
    try:
        installed = closure("mm-fsm", frozenset({"all"}))
    except PackageNotFoundError as missing:
        pytest.skip(f"needs an environment made by make: {missing.name} is not installed")
    assert set(pinned()) == installed - {"mm-fsm"}


def test_the_build_requirement_is_the_pinned_one() -> None:
    build_system = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    assert build_system["requires"] == [f"hatchling=={pinned()['hatchling']}"]


def test_the_version_is_the_one_in_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert mm_fsm.__version__ == project["version"]

"""Runs python-statemachine's own tests with and without ``--fsm-cov``, and compares what became of each.

python tests/sweep/own_suite.py    # some minutes; makes an environment with what these tests need, under .cache
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.sweep.source import CACHE, fetch

ENVIRONMENT = CACHE / "own_suite"
ROOT = Path(__file__).resolve().parents[2]
NEEDED = ["pytest>=9.1", "pytest-asyncio", "pytest-mock", "pytest-benchmark", "pytest-django", "pytest-timeout"]
NEEDED += ["pytest-xdist"]
NEEDED += ["django", "pydot", "pyyaml", "jsonschema", "babel", "pdbr", "hatchling"]
OPTIONS = [
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
    "--benchmark-disable",
    "--timeout=60",
    "-n",
    "2",
    "tests",
]
NOT_RUN = ["tests/scrape_images.py", "tests/django_project", "tests/test_profiling.py", "tests/examples"]
"""They fetch, need settings of Django, measure time, or ask a person."""


def python() -> Path:
    """An interpreter that has what these tests need."""
    program = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / ".ready").exists():
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        install = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *NEEDED], check=True)
        subprocess.run([*install, "--no-build-isolation", "--editable", str(ROOT)], check=True)
        (ENVIRONMENT / ".ready").touch()
    return program


def outcomes(directory: Path, name: str, *options: str) -> Mapping[str, str]:
    """What became of each test."""
    report = CACHE / f"{name}.xml"
    command = [str(python()), "-m", "pytest", *OPTIONS, *(f"--ignore={one}" for one in NOT_RUN)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with (CACHE / f"{name}.log").open("w", encoding="utf-8") as log:
        subprocess.run(
            [*command, f"--junit-xml={report}", *options],
            cwd=directory,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    cases = ET.parse(report).iter("testcase")
    return {f"{case.get('classname')}::{case.get('name')}": case[0].tag if len(case) else "passed" for case in cases}


def main() -> int:
    """Print the counts of both runs, and each test that differs; 1 when one does."""
    directory = fetch()
    plain, watched = outcomes(directory, "plain"), outcomes(directory, "watched", "--fsm-cov", "--fsm-cov-report=term")
    for name, found in (("without --fsm-cov", plain), ("with --fsm-cov", watched)):
        kinds = sorted(set(found.values()))
        print(name, {kind: sum(outcome == kind for outcome in found.values()) for kind in kinds})
    differing = [test for test in sorted({*plain, *watched}) if plain.get(test) != watched.get(test)]
    for test in differing:
        print(f"DIFFERS {test}: {plain.get(test)} without, {watched.get(test)} with")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())

"""The container of the demonstration, as far as it can be held without an engine: its build's steps, done here."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from mm_fsm.cli.durations import duration_in_words, parse_duration

ROOT = Path(__file__).resolve().parents[1]
LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
STEPS = [tuple(line.split(maxsplit=1)) for line in LINES if line and not line.startswith("#")]
"""Instruction and the rest of its line."""
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()


def only(instruction: str) -> str:
    """What stands behind an instruction that is there once."""
    (rest,) = [rest for name, rest in STEPS if name == instruction]
    return rest


def copied(place: Path) -> Path:
    """A directory with what the build copies, and nothing else."""
    for name, rest in STEPS:
        if name == "COPY":
            *sources, target = rest.split()
            for source in sources:
                assert not any(fnmatch(source, pattern) for pattern in IGNORED), source
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, place / target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / source, place / target)
    return place


def test_the_image_has_a_python_that_is_supported() -> None:
    found = re.fullmatch(r"python:(\d\.\d+)-slim", only("FROM"))
    assert found is not None
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"Programming Language :: Python :: {found[1]}" in about["classifiers"]


def test_what_is_copied_installs_and_makes_the_demonstration(tmp_path: Path) -> None:
    """Installed from the copied files alone, in the order of the build; the command then runs, for a minute."""
    commands = [rest for name, rest in STEPS if name == "RUN"]
    assert "--constraint constraints.txt '.[pictures]'" in commands[-1]
    source, installed, work = (tmp_path / name for name in ("source", "installed", "work"))
    source.mkdir()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", installed, copied(source)], check=True, capture_output=True, timeout=240)
    work.mkdir()
    arguments = json.loads(only("CMD"))
    arguments[arguments.index("--duration") + 1] = "1m"
    assert json.loads(only("ENTRYPOINT")) == ["mm-fsm"]
    finished = subprocess.run(
        [sys.executable, installed / "bin" / "mm-fsm", *arguments],
        cwd=work, env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert (work / "runs" / "demo" / "result.json").exists()


def test_the_container_makes_what_make_demo_makes() -> None:
    """The Makefile says what the demonstration is; here is the same, and the README says how long it is."""
    written = runpy.run_path(str(ROOT / "docs" / "site" / "written_parts.py"))
    arguments = written["demonstration_arguments"]()
    assert json.loads(only("CMD")) == [*arguments, "--out", "runs/demo"]
    seconds = parse_duration(arguments[arguments.index("--duration") + 1])
    assert seconds is not None
    assert f"make demo     # makes two simulated markets for {duration_in_words(seconds)}" in (
        ROOT / "README.md"
    ).read_text(encoding="utf-8")


def test_the_results_lie_where_the_image_lets_its_user_write() -> None:
    """A directory of the host in its place would belong to the engine's user; a volume takes the image's owner."""
    yaml = pytest.importorskip("yaml", reason="comes with the site's builder")
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    (mount,) = compose["services"]["demo"]["volumes"]
    volume, place = mount.split(":")
    assert volume in compose["volumes"]
    assert place == only("VOLUME") == f"{only('WORKDIR')}/runs"
    assert f"chown {only('USER')} runs" in [rest for name, rest in STEPS if name == "RUN"][-1]

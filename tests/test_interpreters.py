"""make and continuous integration find every supported Python, also those that only a version manager knows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FINDER = ROOT / ".ci" / "pythons"
TOOLS = ("awk", "paste", "sort")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The finder's answer, in an environment of its own."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    return subprocess.run(
        [bash, str(FINDER), *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def interpreter(path: Path, version: Sequence[int | str], then: str = "") -> Path:
    """This Python under another path, which says that it is of another version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    disguise = f"import sys; sys.version_info = {(*version, 'final', 0)[:5]}; sys.executable = {str(path)!r}; {then}"
    path.write_text(f'#!/bin/sh\nexec \'{sys.executable}\' -c "{disguise}\nexec(sys.argv[1])" "$2"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A directory for PATH that has what the finder itself needs, and no Python."""
    directory = tmp_path / "tools"
    directory.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        if found is None:
            pytest.skip(f"needs {name}")
        (directory / name).symlink_to(found)
    return directory


def test_each_minor_version_is_found_once_and_the_newest_first(tmp_path: Path, tools: Path) -> None:
    """On PATH, and in the directories that the version managers document."""
    home = tmp_path / "my home"
    on_path = interpreter(tools / "python3.11", (3, 11, 9))
    interpreter(tools / "python3", (3, 9, 2))
    interpreter(home / ".pyenv/versions/3.11.7/bin/python3", (3, 11, 7))
    pyenv = interpreter(home / ".pyenv/versions/3.12.10/bin/python3", (3, 12, 10))
    interpreter(home / ".asdf/installs/python/3.12.9/bin/python3", (3, 12, 9))
    interpreter(home / ".local/share/mise/installs/python/3.13.1/bin/python3", (3, 13, 1))
    uv = interpreter(home / ".local/share/uv/python/cpython-3.13.2-linux-x86_64-gnu/bin/python3", (3, 13, 2))
    answer = run(PATH=str(tools), HOME=str(home))
    assert answer.stdout == f"3.13.2\t{uv}\n3.12.10\t{pyenv}\n3.11.9\t{on_path}\n"


@pytest.mark.parametrize(
    ("variable", "below"),
    [
        ("PYENV_ROOT", "versions"),
        ("ASDF_DATA_DIR", "installs/python"),
        ("MISE_DATA_DIR", "installs/python"),
        ("UV_PYTHON_INSTALL_DIR", "."),
        ("XDG_DATA_HOME", "mise/installs/python"),
        ("XDG_DATA_HOME", "uv/python"),
    ],
)
def test_a_version_manager_may_install_elsewhere(tmp_path: Path, tools: Path, variable: str, below: str) -> None:
    moved = tmp_path / "elsewhere"
    path = interpreter(moved / below / "3.12.4/bin/python3", (3, 12, 4))
    answer = run(PATH=str(tools), HOME=str(tmp_path), **{variable: str(moved)})
    assert answer.stdout == f"3.12.4\t{path}\n"


@pytest.mark.parametrize(
    ("version", "then"),
    [
        ((3, 10, 13), ""),
        ((3, 14, 0), ""),
        ((2, 7, 18), ""),
        ((3, 13, 0, "candidate"), ""),
        ((3, 13, 1), "sys.implementation.name = 'pypy'"),
        ((3, 13, 1), "import sysconfig; sysconfig.get_config_var = lambda name: name == 'Py_GIL_DISABLED'"),
        ((3, 13, 1), "sys.modules['ensurepip'] = None"),
        ((3, 13, 1), "sys.exit(127)"),
    ],
)
def test_what_cannot_run_the_project_is_refused_with_what_to_do(
    tmp_path: Path, tools: Path, version: Sequence[int | str], then: str
) -> None:
    """Too old, too new, not final, another implementation, without the lock or without pip, or a shim to nowhere."""
    path = interpreter(tmp_path / "bin/python3", version, then)
    answer = run(str(path), PATH=str(tools), HOME=str(tmp_path))
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert f"needs Python 3.11, 3.12 or 3.13 with its venv module; tried: {path}.\n" in answer.stderr
    assert "make PYTHON=/path/to/python" in answer.stderr


def test_a_python_that_is_named_is_the_only_one_that_is_tried(tmp_path: Path, tools: Path) -> None:
    named = interpreter(tmp_path / "bin/python", (3, 11, 5))
    interpreter(tools / "python3.13", (3, 13, 2))
    assert run(str(named), PATH=str(tools)).stdout == f"3.11.5\t{named}\n"


def test_this_python_is_supported_and_so_is_what_pyproject_says() -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    answer = run(sys.executable, PATH=os.environ["PATH"])
    assert answer.stdout == f"{version}\t{sys.executable}\n", answer.stderr
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert "OLDEST='(3, 11)' NEWEST='(3, 13)'" in FINDER.read_text(encoding="utf-8")


def test_a_python_that_is_named_wins_over_the_environment_that_is_there(tmp_path: Path) -> None:
    """The environment is set up anew then; with the same version it stays."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("needs make")

    def says(path: Path, version: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\necho Python {version}\n")
        path.chmod(0o755)
        return path

    environment = tmp_path / "environment"
    says(environment / "bin/python", "3.12.1")
    for stamp in (".runs", ".ready"):
        (environment / stamp).touch()
    same, other = says(tmp_path / "same", "3.12.1"), says(tmp_path / "other", "3.12.9")
    clean = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}  # nothing of a make above

    def would_do(*arguments: str) -> str:
        command = [make, "-C", str(ROOT), "--dry-run", "environment", f"VENV={environment}", *arguments]
        return subprocess.run(command, env=clean, capture_output=True, text=True, check=True, timeout=60).stdout

    assert "-m venv" not in would_do()
    assert "-m venv" not in would_do(f"PYTHON={same}")
    assert "-m venv" in would_do(f"PYTHON={other}")
    (environment / ".runs").unlink()
    assert "-m venv" in would_do()

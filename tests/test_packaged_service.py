"""The page about packaging a service works from nothing: its files, put where it says, make a name for settings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "package-a-service.md"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files, and beside them the packages as pip installs them."""
    pytest.importorskip("hatchling", reason="building a package needs its build tool: make environment")
    directory = tmp_path_factory.mktemp("package")
    for name, text in re.findall(r"```\w+\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        (directory / name).write_text(text, encoding="utf-8")
    (directory / "elsewhere").mkdir()
    (directory / "settings.toml").rename(directory / "elsewhere" / "settings.toml")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(directory / "installed"), str(directory)]
    subprocess.run([*command, *options], check=True, capture_output=True, text=True, timeout=120)
    return directory


def command_line(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, (str(directory / "installed"), str(ROOT))))
    return subprocess.run(
        [sys.executable, "-c", "from mm_fsm.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=directory / "elsewhere",
        env={**os.environ, "PYTHONPATH": path},
    )


def test_the_service_is_listed_with_its_package(installed: Path) -> None:
    listed = json.loads(command_line(installed, "plugins", "--json").stdout)["services"]
    assert {
        "role": "spreads",
        "name": "funding",
        "origin": "funding-spreads",
        "target": "funding_spreads:FundingSpreadService",
        "problem": None,
    } in listed


def test_settings_choose_it_by_name(installed: Path) -> None:
    checked = command_line(installed, "check", "settings.toml", "--json")
    assert checked.returncode == 0, checked.stderr
    assert len(json.loads(checked.stdout)["symbols"][0]["levels"]) == 6


def test_a_broken_entry_point_is_listed_with_what_is_wrong(installed: Path) -> None:
    (installed / "installed" / "funding_spreads.py").rename(installed / "away.py")
    try:
        listed = command_line(installed, "plugins")
        assert listed.returncode == 1
        assert "No module named 'funding_spreads'" in " ".join(listed.stdout.split())
    finally:
        (installed / "away.py").rename(installed / "installed" / "funding_spreads.py")

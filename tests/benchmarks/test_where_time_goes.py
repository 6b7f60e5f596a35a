"""The shares of a backtest's time: places of the package, all of the time, and no time judged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.where_time_goes import PACKAGE, RECORDINGS, place_of

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "where_time_goes.py"


@pytest.mark.parametrize(
    ("file", "module", "folder"),
    [
        (str(PACKAGE / "books" / "ledger.py"), "books/ledger.py", "books"),
        ("/somewhere/decimal.py", "elsewhere", "elsewhere"),
        ("~", "elsewhere", "elsewhere"),
    ],
)
def test_a_file_is_a_place_of_the_package_or_none(file: str, module: str, folder: str) -> None:
    assert (place_of(file, by_folder=False), place_of(file, by_folder=True)) == (module, folder)


@pytest.mark.parametrize("recording", RECORDINGS)
def test_shares_are_of_the_packages_folders_and_add_up(recording: str, recorded_data: Callable[[str], Path]) -> None:
    recorded_data(RECORDINGS[recording])
    options = ["--events=400", f"--recording={recording}", "--by-folder", "--json"]
    finished = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=True)
    shares = json.loads(finished.stdout)[recording]
    assert sum(shares.values()) == pytest.approx(100, abs=1)
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert shares.keys() - {"elsewhere"} <= folders
    assert {"machine", "books", "venues", "runtime"} <= shares.keys()

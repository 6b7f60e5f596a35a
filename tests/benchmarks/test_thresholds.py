"""How often thresholds acted is counted on a little of the recorded data."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not (ROOT.parent / "shared" / "data").is_dir(), reason="the recordings are not here")
def test_every_threshold_has_its_count() -> None:
    finished = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "thresholds.py"), "--hours=1", "--only=gemini", "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=250,
    )
    (row,) = (json.loads(line) for line in finished.stdout.splitlines())
    assert row["orders"] > 0
    assert {"max_jump_bps", "trade_beyond_book_bps", "touch_size_share", "rate_counter_limit"} <= row["acted"].keys()
    assert row["acted"]["touch_size_share"] > 0
    assert {name for name, steps in row["steps"].items() if steps} == {n for n in row["steps"] if row["acted"][n]}
    assert all(row["acted"][name] <= steps for name, steps in row["steps"].items()), "a doubt that lasts is one"
    assert 0 < row["acted"]["thin_touch_seconds"] < row["steps"]["thin_touch_seconds"]

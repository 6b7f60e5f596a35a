"""The comparison of policies runs on a little of the recorded data."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not (ROOT.parent / "shared" / "data").is_dir(), reason="the recordings are not here")
def test_every_policy_trades_the_same_market() -> None:
    finished = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "policies.py"), "--only=binance", "--hours=0.05", "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=250,
    )
    rows = [json.loads(line) for line in finished.stdout.splitlines()]
    assert [row["policy"] for row in rows] == ["default", "avellaneda_stoikov", "glft", "fixed", "refresher"]
    for row in rows:
        assert row["success"]
        assert row["orders"] > 0
        assert 0 <= row["refused_share"] <= 1
        lower, upper = row["net_interval"]
        assert lower <= row["net"] <= upper

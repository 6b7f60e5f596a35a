"""The published simulation table of Avellaneda and Stoikov (2008), gamma = 0.1, through the whole machine."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "avellaneda_stoikov.py"
PATHS, PUBLISHED_PATHS = 60, 1000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "profit", "profit_deviation", "inventory", "inventory_deviation"),
    [("inventory", 65.0, 6.6, 0.08, 2.9), ("symmetric", 68.4, 12.7, 0.26, 8.4)],
)
def test_the_published_table_is_reproduced(
    strategy: str, profit: float, profit_deviation: float, inventory: float, inventory_deviation: float
) -> None:
    """Means and deviations within three standard errors of the difference of two such samples."""
    finished = subprocess.run(
        [sys.executable, str(SCRIPT), f"--strategy={strategy}", f"--paths={PATHS}", "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=280,
    )
    row = json.loads(finished.stdout)
    error = math.sqrt(1 / PATHS + 1 / PUBLISHED_PATHS)
    assert row["profit"] == pytest.approx(profit, abs=3 * profit_deviation * error)
    assert row["inventory"] == pytest.approx(inventory, abs=3 * inventory_deviation * error)
    assert row["profit_deviation"] == pytest.approx(profit_deviation, rel=3 * error / math.sqrt(2))
    assert row["inventory_deviation"] == pytest.approx(inventory_deviation, rel=3 * error / math.sqrt(2))

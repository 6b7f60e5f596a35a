"""Every example runs as it stands, and prints what it is about."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

EXPECTED = {
    # Two windows of 60 s are announced, and nothing else pauses.
    "add_a_state": r"paused for 12[01] s; 2 pauses",
    # A diagram of the machine with the added state and both its edges.
    "draw_a_machine": r"(?s)monitoring_orders --> paused.*paused --> idle",
    # Three levels a side rest until the end, and none is left afterwards.
    "embed_in_a_bot": r"(?s)^(bid [\d.]+ at [\d.]+\n){3}(ask [\d.]+ at [\d.]+\n){3}completed, 0 orders left",
    "own_risk_check": r"the bid side was held by risk for [1-9]\d* s",
    "own_spread_service": r"\d+ orders traded, all of them innermost quotes",
    "override_a_callback": r"[1-9]\d* fills, the largest 0\.0[0-9]+ ETH",
    # Half of ten minutes at least, and the warm-up.
    "override_a_guard": r"idle 3[0-9]{2} s of 600 s, \d+ orders traded",
    "remove_a_state": r"[1-9]\d+ cycles, \d+ orders traded",
    "replace_an_edge": r"ended in completed: no limit was passed",
    # All of it, within the limit; and what it did replays.
    "time_weighted_execution": r"(?s)^done: bought 2.0000 of 2 at 1[\d.]+ on average\n.*bit for bit.*\nclean\n$",
    "watch_a_machine": r"(?m)^ +\d+\.\d\d s  idle --ready--> calculating_spreads$",
}


def test_every_example_is_expected_here() -> None:
    """A new example needs a line above."""
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_example_runs(name: str) -> None:
    """It ends without an error, says nothing on stderr, and prints what it promises."""
    finished = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"], capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == ""
    assert re.search(EXPECTED[name], finished.stdout), finished.stdout

"""The comparison with other engines: the policy they get, how figures are put together, and that ours is run whole."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers import DIFFERS, PEERS, RECORDINGS, SCRIPTS, policy_of, summary
from mm_fsm.runtime.settings_file import read_preset

SCRIPT = PEERS.with_suffix(".py")


def answer(total: float, run: float, *, start: float = 9.0, **figures: Any) -> dict[str, Any]:
    seconds = {"start_and_imports": start, "read": total - run, "run": run}
    counts = {"events": 100, "seen": 80, "placed": 3, "canceled": 2, "fills": 1, "pnl": 1.234, "python": "3.12.1"}
    return {"total": total, "seconds": seconds, **counts, **figures}


def test_a_ratio_is_the_median_of_the_rounds_and_not_the_ratio_of_medians() -> None:
    """Rounds 2/1, 9/3 and 4/4: ratios 2, 3 and 1, their median 2. The medians' ratio would be 4/3."""
    ours = [answer(2, 1), answer(9, 6), answer(4, 2)]
    theirs = [answer(1, 1), answer(3, 1), answer(4, 4)]
    found = summary({"mm-fsm": ours, "nautilus": theirs})
    assert found["nautilus"]["ours_over_it"] == 2
    assert found["nautilus"]["ours_over_it_running_alone"] == 1
    assert found["mm-fsm"]["ours_over_it"] == 1
    assert found["mm-fsm"]["seconds"] == 4
    assert found["nautilus"]["stages"] == {"start_and_imports": 9, "read": 0, "run": 1}


def test_a_rate_counts_what_the_strategy_saw() -> None:
    found = summary({"mm-fsm": [answer(4, 2)]})
    assert found["mm-fsm"]["seen_a_second"] == 20


def test_every_one_of_them_has_a_script_pins_and_words_about_it() -> None:
    assert SCRIPTS.keys() == DIFFERS.keys()
    for script, requirements in SCRIPTS.values():
        assert (PEERS / script).is_file()
        if requirements is not None:
            lines = (PEERS / "requirements" / requirements).read_text(encoding="utf-8").splitlines()
            assert lines
            assert all(line.count("==") == 1 for line in lines)


@pytest.mark.parametrize("recording", RECORDINGS)
def test_the_policy_is_the_presets(recording: str) -> None:
    preset = RECORDINGS[recording][0]
    policy, settings = policy_of(preset), read_preset(preset).strategy
    assert policy["target_bps"] == settings.target_spread_bps
    assert policy["level_decay"] == settings.level_size_decay
    assert policy["levels"] == 3, "two of the peers are compiled for three levels"
    assert json.loads(json.dumps(policy)) == policy
    expected = {"gemini": (21.0, "0.01", 14), "binance": (5.0, "0.1", 10)}
    # 20 % of the innermost half-spread: 0.2 * 21e-4 / 2 * 2200 / 0.01 and 0.2 * 5e-4 / 2 * 64000 / 0.1.
    assert (policy["min_bps"], policy["tick_size"], policy["fixed_tolerance_ticks"]) == expected[recording]


@pytest.mark.parametrize("recording", RECORDINGS)
def test_ours_is_measured_on_a_part_and_prints_json(recording: str, recorded_data: Callable[[str], Path]) -> None:
    recorded_data(RECORDINGS[recording][1])
    command = [
        sys.executable,
        str(SCRIPT),
        "--alone",
        "--events=600",
        "--rounds=1",
        f"--recording={recording}",
        "--json",
    ]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)["recordings"][recording]["mm-fsm"]
    assert found["events"] == 600
    assert 0 < found["seen"] <= 600
    assert found["ours_over_it"] == 1
    assert {"seconds", "stages", "placed", "fills", "pnl", "differs"} <= found.keys()
    assert {"start_and_imports", "read", "run"} == found["stages"].keys()

"""Killed with SIGKILL at random points, again and again: after each restart the exchange audits the books."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SEED = 20
KILLS = 50


def test_fifty_kills_lose_nothing() -> None:
    """No orphan order, no lost and no doubled fill, ledger equal to the account, every replay clean.

    A process of its own, because it forks. The long form: ``python -m tests.runtime.journal.crash_harness``.
    """
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "tests.runtime.journal.crash_harness", "--kills", str(KILLS), "--seed", str(SEED)]
    finished = subprocess.run([*command, "--json"], cwd=root, capture_output=True, text=True, check=False, timeout=280)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    outcome = json.loads(finished.stdout.splitlines()[-1])
    assert outcome["kills"] == KILLS
    assert outcome["problems"] == []
    assert outcome["audits"] > KILLS / 5
    assert outcome["trades"] > KILLS / 2
    assert len(outcome["places"]) >= 5

"""Killed with SIGKILL at random points, again and again: after each restart the exchange audits the books."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SEED = 20


@pytest.mark.parametrize(("kills", "options"), [(50, ()), (25, ("--group-commit",))], ids=["by-step", "group-commit"])
def test_kills_lose_nothing(kills: int, options: tuple[str, ...]) -> None:
    """No orphan order, no lost and no doubled fill, ledger equal to the account, every replay clean.

    With a group commit also: the venue's own log has no placement that the journal lacks. A process of its own,
    because it forks. The long form: ``python -m tests.runtime.journal.crash_harness``.
    """
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "tests.runtime.journal.crash_harness", "--kills", str(kills), "--seed", str(SEED)]
    finished = subprocess.run(
        [*command, *options, "--json"], cwd=root, capture_output=True, text=True, check=False, timeout=280
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    outcome = json.loads(finished.stdout.splitlines()[-1])
    assert outcome["kills"] == kills
    assert outcome["problems"] == []
    assert outcome["audits"] > kills / 5
    assert outcome["trades"] > kills / 2
    assert len(outcome["places"]) >= 5

"""Killed while faults strike: ten times here, any number by ``python -m tests.venues.ccxt_venue.kills``."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.venues.ccxt_venue.kills import Outcome, run_harness

KILLS = 10


def test_whoever_is_killed_while_faults_strike_ends_with_the_books_of_the_exchange(tmp_path: Path) -> None:
    outcome = Outcome(seed=11)
    asyncio.run(run_harness(KILLS, outcome.seed, tmp_path, outcome))
    assert outcome.problems == []
    assert outcome.kills == KILLS
    assert outcome.judged >= KILLS / 3
    assert outcome.killed_with_open_orders > 0
    assert outcome.strikes.total() >= KILLS

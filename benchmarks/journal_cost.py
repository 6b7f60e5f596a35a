"""What a journal costs beside the step that it records, in units of the engine's bare self transition.

A simulated session runs in rounds, twice: once with what moves the machine on record, once with the market data too.
Each round measures the unit and gives the mean cost of writing down a step without intents and one with them, the
upkeep between steps spread over all; medians of the rounds. Processor time, so that the wait for the disk does not
count: the wait is shown apart, by the clock, and is the disk's and its other users' as much as the journal's.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine_unit import EngineUnit, median

from mm_fsm.runtime.journal import JournalSettings
from mm_fsm.runtime.journaled_session import open_journaled_session
from mm_fsm.runtime.session import for_session
from mm_fsm.runtime.settings_file import read_preset

PRESET = "paper_ethusd"
SEED = 7
ROUNDS = 15
ROUND_SECONDS = 60.0
"""Event time of one round."""
WARM_UP_SECONDS = 120.0
NANOSECONDS = 1_000_000_000


class Watched:
    """Counts and times what a journal is asked for, until the next round."""

    def __init__(self, journal: Any) -> None:
        self.waits: list[float] = []
        """Clock seconds of every record with intents, of all rounds."""
        self.begin_round()
        self._append, self._keep_up = journal.append, journal.keep_up
        journal.append, journal.keep_up = self.append, self.keep_up
        self._journal = journal

    def begin_round(self) -> None:
        """Count from nought."""
        self.with_intents: list[float] = []
        self.without: list[float] = []
        self.quiet = 0.0
        self.upkeep = 0.0

    def append(self, result: Any, machine: Any) -> None:
        """Record one step, timed."""
        records, began = self._journal.records, time.perf_counter()
        seconds = timed(lambda: self._append(result, machine))
        if result.intents:
            self.with_intents.append(seconds)
            self.waits.append(time.perf_counter() - began)
        elif self._journal.records > records:
            self.without.append(seconds)
        else:
            self.quiet += seconds

    def keep_up(self, machine: Any) -> None:
        """Upkeep, timed."""
        self.upkeep += timed(lambda: self._keep_up(machine))


def timed(action: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    started = time.process_time()
    action()
    return time.process_time() - started


def run(journal_settings: JournalSettings, rounds: int, round_seconds: float) -> dict[str, float]:
    """Ratios of one simulated session."""
    whole = WARM_UP_SECONDS + rounds * round_seconds
    configuration = for_session(read_preset(PRESET), duration_seconds=whole, seed=SEED)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "cost.journal"
        session, opened = open_journaled_session(configuration, path, journal_settings=journal_settings)
        with opened:
            runner, unit, watched = session.runner, EngineUnit(), Watched(opened.journal)
            end = runner.next_time + int(WARM_UP_SECONDS * NANOSECONDS)
            ratios, records = [], 0
            advance_until(runner, end)
            for _ in range(rounds):
                end += int(round_seconds * NANOSECONDS)
                records -= opened.journal.records
                ratios.append(one_round(runner, end, unit, watched))
                records += opened.journal.records
            facts = runner.facts
        size = path.stat().st_size
    with_intents, without = (median(column) for column in zip(*ratios, strict=True))
    return {
        "record_ratio": without,
        "step_with_intents_ratio": with_intents,
        "wait_with_intents_us": round(statistics.median(watched.waits) * 1e6, 1),
        "bytes_of_a_step": round(size / facts, 1),
        "records": records,
    }


def one_round(runner: Any, end: int, unit: EngineUnit, watched: Watched) -> tuple[float, float]:
    """Let a session run until ``end``; costs of a record with intents and of one without, in units."""
    watched.begin_round()
    first = unit.seconds()
    gc.collect()
    advance_until(runner, end)
    one = (first + unit.seconds()) / 2
    assert watched.with_intents, "no step of the round had intents: make rounds longer"
    assert watched.without, "no step of the round was recorded without intents: make rounds longer"
    shared = (watched.upkeep + watched.quiet) / (len(watched.with_intents) + len(watched.without))
    means = (statistics.mean(watched.with_intents), statistics.mean(watched.without))
    return ((means[0] + shared) / one, (means[1] + shared) / one)


def advance_until(runner: Any, end: int) -> None:
    """Let event time run."""
    while runner.next_time < end and not runner.machine.is_final:
        for _ in runner.advance():
            pass


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--round-seconds", type=float, default=ROUND_SECONDS, help="event time of a round")
    options = parser.parse_args()
    found = {
        name: run(JournalSettings(record_market_data=market_data), options.rounds, options.round_seconds)
        for name, market_data in (("decisions", False), ("market_data", True))
    }
    if options.json:
        print(json.dumps({**found.pop("decisions"), **found}, indent=2))
        return 0
    for name, figures in found.items():
        print(f"journal of {name.replace('_', ' ')}; in units of one self transition of the engine:")
        print(f"    a record without intents {figures['record_ratio']:6.2f}")
        print(f"    a step with intents      {figures['step_with_intents_ratio']:6.2f}", end="")
        print(f"    (by the clock, disk included: {figures['wait_with_intents_us']:.0f} us)")
        print(f"    bytes of a step, recorded or not {figures['bytes_of_a_step']:.0f}; {figures['records']} records")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What gathering the report costs a step beside the journal, in units of the engine's bare self transition.

A simulated session with its journal and its report's follower, tables included, runs in rounds. Each round measures
the unit, and gives the mean cost of a step for either; medians of the rounds. The journal's upkeep between steps is
spread over its steps. Processor time; the journal records market data, as on the paper exchange.
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
from journal_cost import advance_until

from mm_fsm import MachineObserver
from mm_fsm.machine.results import StepResult
from mm_fsm.report.run_data.market_follower import MarketFollower
from mm_fsm.report.run_data.market_tables import MarketTables
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


class Timed(MachineObserver):
    """Times the follower and the journal of one session, until the next round."""

    def __init__(self, follower: MarketFollower, journal: Any) -> None:
        self._follower = follower
        self._append, self._keep_up = journal.append, journal.keep_up
        journal.append, journal.keep_up = self.append, self.keep_up
        self.begin_round()

    def begin_round(self) -> None:
        """Count from nought."""
        self.report: dict[bool, list[float]] = {True: [], False: []}
        """By whether the step has intents."""
        self.journal: dict[bool, list[float]] = {True: [], False: []}
        self.upkeep = 0.0

    def step_ended(self, result: StepResult) -> None:
        """Gather one step, timed."""
        self.report[bool(result.intents)].append(timed(lambda: self._follower.step_ended(result)))

    def append(self, result: Any, machine: Any) -> None:
        """Record one step, timed."""
        self.journal[bool(result.intents)].append(timed(lambda: self._append(result, machine)))

    def keep_up(self, machine: Any) -> None:
        """Upkeep of the journal, timed."""
        self.upkeep += timed(lambda: self._keep_up(machine))


def timed(action: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    started = time.process_time()
    action()
    return time.process_time() - started


def measure(rounds: int, round_seconds: float) -> dict[str, float]:
    """The medians."""
    whole = WARM_UP_SECONDS + rounds * round_seconds
    configuration = for_session(read_preset(PRESET), duration_seconds=whole, seed=SEED)
    with tempfile.TemporaryDirectory() as directory:
        session, opened = open_journaled_session(configuration, Path(directory) / "cost.journal")
        with opened:
            tables = MarketTables(Path(directory))
            follower = MarketFollower(lambda: session.machine, rows=tables.rows)
            watch, runner, unit = Timed(follower, opened.journal), session.runner, EngineUnit()
            session.watch(watch)
            end = runner.next_time + int(WARM_UP_SECONDS * NANOSECONDS)
            advance_until(runner, end)
            ratios = []
            for _ in range(rounds):
                end += int(round_seconds * NANOSECONDS)
                ratios.append(one_round(runner, end, unit, watch))
            assert follower.failure is None, follower.failure
    names = ("report", "report_with_intents", "report_without", "journal", "journal_with_intents", "journal_without")
    found = {f"{name}_ratio": median(column) for name, column in zip(names, zip(*ratios, strict=True), strict=True)}
    return {**found, "report_over_journal": round(found["report_ratio"] / found["journal_ratio"], 4), "rounds": rounds}


def one_round(runner: Any, end: int, unit: EngineUnit, watch: Timed) -> tuple[float, ...]:
    """Let the session run until ``end``; means of a step, of one with intents and one without, of both, in units."""
    watch.begin_round()
    first = unit.seconds()
    gc.collect()
    advance_until(runner, end)
    one = (first + unit.seconds()) / 2
    found: list[float] = []
    for spent, besides in ((watch.report, 0.0), (watch.journal, watch.upkeep)):
        every = [*spent[True], *spent[False]]
        assert spent[True], "no step of the round had intents: make rounds longer"
        shared = besides / len(every)
        found += [(statistics.mean(each) + shared) / one for each in (every, spent[True], spent[False])]
    return tuple(found)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--round-seconds", type=float, default=ROUND_SECONDS, help="event time of a round")
    options = parser.parse_args()
    found = measure(options.rounds, options.round_seconds)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    print("in units of one self transition of the engine:          a step  with intents  without")
    for name in ("report", "journal"):
        figures = (found[f"{name}{kind}_ratio"] for kind in ("", "_with_intents", "_without"))
        print(f"{name:<54}" + "".join(f"{each:10.3f}" for each in figures))
    print(f"the report costs {found['report_over_journal']:.0%} of what the journal costs")
    return 0


if __name__ == "__main__":
    sys.exit(main())

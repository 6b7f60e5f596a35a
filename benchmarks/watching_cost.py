"""What metrics and alerts cost a run, in units of the engine's bare self transition.

Three simulated sessions of one seed take the same facts by turns: with metrics, with alerts, with neither. Each round
gives what a step costs more, and what one writing of all figures costs. Processor time; medians of the rounds.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from engine_unit import EngineUnit, median

from mm_fsm.runtime.session import for_session, open_session
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.runtime.watching_settings import AlertSettings
from mm_fsm.watching.run_alerts import RunAlerts
from mm_fsm.watching.run_metrics import RunMetrics

PRESET = "paper_ethusd"
SEED = 7
ROUNDS = 15
ROUND_SECONDS = 60.0
"""Event time of one round."""
WARM_UP_SECONDS = 120.0
WRITES = 10
"""Of one round."""
NANOSECONDS = 1_000_000_000


def opened(seconds: float) -> Any:
    """A session of so many seconds."""
    return open_session(for_session(read_preset(PRESET), duration_seconds=seconds, seed=SEED))


def advance(session: Any, end: int, watcher: Any = None) -> float:
    """Processor seconds until event time reaches ``end``."""
    gc.collect()
    began = time.process_time()
    while session.runner.next_time < end:
        for result in session.runner.advance():
            if watcher is not None:
                watcher.take(session, result)
    return time.process_time() - began


def written(metrics: RunMetrics) -> float:
    """Mean processor seconds of one writing."""
    gc.collect()
    began = time.process_time()
    for _ in range(WRITES):
        metrics.write()
    return (time.process_time() - began) / WRITES


def run(directory: Path, rounds: int, round_seconds: float) -> dict[str, float]:
    """Costs in units, by what they are of."""
    whole = WARM_UP_SECONDS + (rounds + 1) * round_seconds
    plain, counted, alerted = (opened(whole) for _ in range(3))
    metrics = RunMetrics(directory, [counted], clock=lambda: 0.0)
    alerts = RunAlerts([alerted], AlertSettings(), [])
    watched = {"metrics": (counted, metrics), "alerts": (alerted, alerts)}
    unit, end = EngineUnit(), plain.runner.next_time + int(WARM_UP_SECONDS * NANOSECONDS)
    for session, watcher in ((plain, None), *watched.values()):
        advance(session, end, watcher)
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        end += int(round_seconds * NANOSECONDS)
        facts, one = plain.runner.facts, unit.seconds()
        without = advance(plain, end)
        facts = plain.runner.facts - facts
        for name, (session, watcher) in watched.items():
            spent = advance(session, end, watcher)
            found.setdefault(f"{name}_step_more", []).append((spent - without) / facts / one)
            found.setdefault(f"{name}_share", []).append(spent / without)
        found.setdefault("write", []).append(written(metrics) / one)
    sizes = {"series": metrics.text.count(b"\nmm_fsm_"), "bytes": len(metrics.text)}
    return {name: median(values, 3) for name, values in found.items()} | sizes


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--round-seconds", type=float, default=ROUND_SECONDS, help="event time of a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = run(Path(directory), options.rounds, options.round_seconds)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    print("watching one market; in units of one self transition of the engine:")
    for name in ("metrics", "alerts"):
        share = f"(a run takes {found[f'{name}_share']:.2f} times as long)"
        print(f"    {name + ', a step more':24}{found[f'{name}_step_more']:7.3f}    {share}")
    print(f"    writing {found['series']:.0f} series      {found['write']:7.1f}    (once in five seconds)")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Where a backtest without a journal spends its time: percent of the profiled run by module, or by folder.

A function's own time counts, and with it the time of what it calls outside this package: built-in functions, decimals.
The profiler costs the most where calls are small and many, so shares are a guide and seconds mean nothing.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import mm_fsm
from mm_fsm.runtime.session import open_session
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.venues.recorded import open_recording

PACKAGE = Path(mm_fsm.__file__).parent
DATA = Path(os.environ.get("MM_FSM_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
RECORDINGS = {"gemini": "gemini_ethusd", "binance": "binance_usdm_btcusdt"}
"""Presets, which have the names of the directories below the data."""
EVENTS = 10_000
SHOWN = 25
ELSEWHERE = "elsewhere"


def place_of(file: str, *, by_folder: bool) -> str:
    """The module or folder of the package that a file is; elsewhere if it is none of its files."""
    path = Path(file)
    if not path.is_relative_to(PACKAGE):
        return ELSEWHERE
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if by_folder else str(relative)


def shares(recording: str, events: int, *, by_folder: bool) -> dict[str, float]:
    """Percent by place, the largest first."""
    name = RECORDINGS[recording]
    configuration = read_preset(name)
    files = sorted((DATA / name).glob("*.gz"))
    market = islice(open_recording(files, symbol=configuration.symbol), events)
    session = open_session(configuration, configuration.venue.on(market))
    with cProfile.Profile() as profile:
        for _ in session.runner.run():
            pass
    spent: Counter[str] = Counter()
    for (file, _, _), (*_, own, _, callers) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        place = place_of(file, by_folder=by_folder)
        if place != ELSEWHERE or not callers:
            spent[place] += own
            continue
        for (caller, _, _), (_, _, own_for_caller, _) in callers.items():
            spent[place_of(caller, by_folder=by_folder)] += own_for_caller
    total = spent.total()
    return {place: round(100 * seconds / total, 1) for place, seconds in spent.most_common()}


def main() -> int:
    """Profile and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recording", action="append", choices=RECORDINGS, help="again for more; else all")
    parser.add_argument("--events", type=int, default=EVENTS, metavar="N", help="the first of each recording")
    parser.add_argument("--by-folder", action="store_true", help="by folder of the package, not by module")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = {
        recording: shares(recording, options.events, by_folder=options.by_folder)
        for recording in options.recording or RECORDINGS
    }
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    for recording, places in found.items():
        print(f"{recording}, the first {options.events} events: percent of the run")
        for place, percent in list(places.items())[:SHOWN]:
            print(f"{percent:7.1f}  {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

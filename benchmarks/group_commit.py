"""How long a placement waits for its record: journals of many markets, written by one thread or by several.

Some markets have a record at the same moment, as after a move of the whole market. Each has a journal of its own, so
that each needs a write to the disk of its own. ``one file`` is what a single journal of all markets would take: all
records in one transaction. Milliseconds by the clock, from the moment until a record is durable, over all rounds; the
disk's other users are part of it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from sqlite3 import Connection

from rehearsed_run import quantile

from mm_fsm.runtime.journal.database import RecordRow, create, insert_together

BURSTS = (1, 4, 20, 100)
"""Markets that have a record at once."""
THREADS = (1, 2, 4, 8)
ROUNDS = 15
RECORD = "x" * 700
"""About as long as the fact, reasons and intents of a step with placements."""


def row(number: int) -> RecordRow:
    """A record as a step with placements leaves it."""
    return RecordRow(
        segment=1,
        sequence=number,
        time=number,
        fact=RECORD,
        state=None,
        transitions=None,
        reasons=None,
        intents=RECORD,
        faults=None,
        recorded=(),
        books=b"0" * 32,
        chain=b"0" * 16,
    )


def waits(connections: Sequence[Connection], pool: ThreadPoolExecutor, number: int) -> list[float]:
    """Seconds until each record is durable, by the threads of a pool."""

    def write(connection: Connection, began: float) -> float:
        insert_together(connection, [row(number)])
        return time.perf_counter() - began

    began = time.perf_counter()
    asked = [pool.submit(write, connection, began) for connection in connections]
    return [each.result() for each in asked]


def waits_in_one_file(connection: Connection, burst: int, first: int) -> list[float]:
    """Seconds until each record is durable, all in one transaction of one file."""
    began = time.perf_counter()
    insert_together(connection, [row(first + each) for each in range(burst)])
    return [time.perf_counter() - began] * burst


def told(found: list[float]) -> dict[str, float]:
    """Median and the slowest twentieth, milliseconds."""
    return {"p50": round(quantile(found, 0.5) * 1e3, 2), "p95": round(quantile(found, 0.95) * 1e3, 2)}


def measure(place: Path, rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """By burst and by who writes; in each round everybody has a turn, so that a busy disk is busy for all."""
    results: dict[str, dict[str, dict[str, float]]] = {}
    with ExitStack() as stack:
        files = [stack.enter_context(closing(create(place / f"{number}.journal", {}))) for number in range(max(BURSTS))]
        shared = stack.enter_context(closing(create(place / "shared.journal", {})))
        pools = {f"{threads} threads": stack.enter_context(ThreadPoolExecutor(threads)) for threads in THREADS}
        number = in_shared = 0
        for burst in BURSTS:
            found: dict[str, list[float]] = {name: [] for name in (*pools, "one file")}
            for each in range(rounds + 1):
                turns = [*pools.items()]
                for name, pool in turns[each % len(turns) :] + turns[: each % len(turns)]:
                    number += 1
                    found[name] += waits(files[:burst], pool, number)
                found["one file"] += waits_in_one_file(shared, burst, in_shared + 1)
                in_shared += burst
                if not each:  # the first round makes the files' first pages
                    found = {name: [] for name in found}
            results[f"{burst} records at once"] = {name: told(values) for name, values in found.items()}
    return results


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--place", type=Path, help="a directory on the disk that is meant; a temporary one by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.place) as directory:
        found = measure(Path(directory), options.rounds)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    for burst, entry in found.items():
        print(f"{burst}; ms until durable, median and 95 %:")
        for name, figures in entry.items():
            print(f"    {name:12}{figures['p50']:9.2f}{figures['p95']:9.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

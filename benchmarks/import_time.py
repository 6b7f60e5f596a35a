"""How long importing takes: median of fresh interpreters, less what an interpreter alone takes to start."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 15
NOTHING = "pass"
STATEMENTS = {
    "import mm_fsm": "import mm_fsm",
    "from mm_fsm import *  (every public name)": "from mm_fsm import *",
}


def milliseconds(statement: str) -> float:
    """Wall time of one fresh interpreter that runs ``statement``, in milliseconds."""
    started = time.perf_counter_ns()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return (time.perf_counter_ns() - started) / 1e6


def main() -> None:
    """Measure in turns, so that a slow moment of the machine falls on every statement alike."""
    statements = {"(interpreter alone)": NOTHING, **STATEMENTS}
    for statement in statements.values():
        milliseconds(statement)  # fills the byte code caches
    times: dict[str, list[float]] = {label: [] for label in statements}
    for _ in range(RUNS):
        for label, statement in statements.items():
            times[label].append(milliseconds(statement))
    medians = {label: statistics.median(values) for label, values in times.items()}
    startup = medians["(interpreter alone)"]
    print(f"median of {RUNS} fresh interpreters; starting one takes {startup:.1f} ms")
    for label in STATEMENTS:
        print(f"{medians[label] - startup:7.1f} ms  {label}")


if __name__ == "__main__":
    main()

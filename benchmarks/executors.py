"""What one transition costs on either executor: bare, and with a callback in each of the five places.

Processor time; both are measured in turns in every round, and the medians of the rounds are printed. The table is told
which edge to take, as by the gate. The engine is sent its event and asks the guards again; there are none here.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial

from engine_unit import median, processor_seconds

from mm_fsm.chart import Chart, EngineExecutor, Executor, State, TableExecutor, chart_of, definition_of, table_of

TRANSITIONS = {"engine": 200, "table": 20_000}
"""Of one round."""
ROUNDS = 15


class Bare(Chart):
    """The smallest chart whose transition leaves and enters a state."""

    chart_is_automatic = False

    here = State(initial=True)
    again = here.to.itself()


class Busy(Chart):
    """The same with callbacks that do nothing."""

    chart_is_automatic = False

    here = State(initial=True, enter="arrive", exit="leave")
    again = here.to.itself(before="make_ready", on="act", after="finish")

    def make_ready(self) -> None:
        """Before."""

    def leave(self) -> None:
        """Exit."""

    def act(self) -> None:
        """On."""

    def arrive(self) -> None:
        """Enter."""

    def finish(self) -> None:
        """After."""


def executor_of(chart: type[Chart], kind: str) -> Executor:
    """A machine's executor, in its only state."""
    machine = chart()
    machine.state = "here"  # type: ignore[attr-defined]
    if kind == "engine":
        return EngineExecutor(chart_of(chart), machine, "state")
    return TableExecutor(table_of(chart), machine, "state")


def measure(rounds: int) -> dict[str, float]:
    """Microseconds of one transition, by chart and executor."""
    found: dict[str, float] = {}
    for chart in (Bare, Busy):
        (edge,) = definition_of(chart).edges
        executors = {kind: executor_of(chart, kind) for kind in TRANSITIONS}
        seconds: dict[str, list[float]] = {kind: [] for kind in TRANSITIONS}
        for _ in range(rounds):
            for kind, executor in executors.items():
                count = TRANSITIONS[kind]
                seconds[kind].append(processor_seconds(partial(executor.fire, edge), count))
        for kind, times in seconds.items():
            found[f"{chart.__name__.lower()}_{kind}_us"] = median((one * 1e6 for one in times), 3)
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    found = measure(options.rounds)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    for title, name in (("a bare transition", "bare"), ("one with five callbacks", "busy")):
        engine, table = found[f"{name}_engine_us"], found[f"{name}_table_us"]
        print(f"{title:<26}{engine:8.1f} us on the engine {table:8.2f} us on the table {engine / table:8.0f} times")
    return 0


if __name__ == "__main__":
    sys.exit(main())

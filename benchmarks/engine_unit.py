"""The unit of the other benchmarks: what one bare self transition of python-statemachine costs, in processor time.

Machines are noisy and differ, and processor time on a shared one follows what the neighbours do. So a cost is told in
this unit, measured in the same round as the cost itself, and the ratio is the median of the rounds.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable

from statemachine import State, StateChart

CALLS = 200
"""Transitions in one measurement of the unit."""


class Toggle(StateChart):
    """The smallest chart whose transition leaves and enters a state."""

    here = State(initial=True)
    again = here.to.itself()


class EngineUnit:
    """Measures the unit, again in each round."""

    def __init__(self) -> None:
        self._toggle = Toggle()
        self.seconds()  # the first calls fill the engine's caches

    def seconds(self) -> float:
        """Processor seconds of one self transition, the mean of some."""
        return processor_seconds(lambda: self._toggle.send("again"), CALLS)


def processor_seconds(action: Callable[[], object], count: int) -> float:
    """Mean processor seconds of ``action`` over ``count`` calls; what lies about is collected before."""
    gc.collect()
    started = time.process_time()
    for _ in range(count):
        action()
    return (time.process_time() - started) / count


def median(values: Iterable[float], digits: int = 4) -> float:
    """The median, rounded for reading."""
    return round(statistics.median(values), digits)


def main() -> None:
    """Print the unit."""
    unit = EngineUnit()
    microseconds = [unit.seconds() * 1e6 for _ in range(10)]
    print(
        f"engine: one self transition {median(microseconds, 1)} us ({min(microseconds):.1f} to {max(microseconds):.1f})"
    )


if __name__ == "__main__":
    main()

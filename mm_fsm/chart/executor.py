"""How a machine's chart is run: from a table, or by python-statemachine's engine, which is the reference.

Both do the same: the same callbacks in the same order, the same state while each of them runs and after it, the same
errors and interruptions. A machine chooses one when it is made; ``tests/chart/test_executors_agree.py`` holds them
against each other.

Every ``Chart`` runs on either: a class body with nested or parallel states or asynchronous callbacks is refused when
the class is built. Charts declared with python-statemachine alone may have those; their own engine runs them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from mm_fsm.chart.definition import EdgeDefinition


class ExecutorKind(StrEnum):
    """What runs a machine's chart."""

    TABLE = "table"
    """Compiled from the chart's definition; some 200 times as fast."""
    ENGINE = "engine"
    """python-statemachine's engine, the reference."""

    @classmethod
    def _missing_(cls, value: object) -> ExecutorKind:
        raise ValueError(
            f"executor: expected {' or '.join(repr(kind.value) for kind in cls)}, found {value!r}; "
            "choose one, or leave it out."
        )


class Executor(Protocol):
    """Runs one machine's chart. The state lives in a field of the machine; guards have been asked before."""

    def enter_initial_state(self) -> None:
        """Run the initial state's entry actions; whatever they raise, the machine is in that state."""
        ...

    def fire(self, edge: EdgeDefinition) -> None:
        """Take one edge from the current state.

        An ``Exception`` from a callback propagates: one from ``before``, exit, ``on`` or entry leaves the machine in
        the state before, one from ``after`` in the state that was entered. Any other ``BaseException`` leaves the
        machine in the state that was reached; whoever called decides what an interruption means.

        Raises:
            EngineDisagreesError: the engine asked the guards again and did not take the edge.
        """
        ...

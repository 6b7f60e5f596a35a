"""How much computing each state takes. It only watches: with or without it, every decision is the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from time import perf_counter_ns

from mm_fsm.chart import BudgetMeasure, ChartDefinition
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.core.messages import Fact
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import StepResult, TransitionRecord


class StateStopwatch(MachineObserver):
    """Holds computing budgets against the clock.

    A transition's work is its target's: there its entry action runs. Everything else, booking and guards, is the work
    of the state the machine is in. What is held against a state's budget is its work within one step: for a state that
    is entered and left in one step that is its whole visit, for one that rests it is one cycle.

    Args:
        definition: the chart, with its budgets.
        clock: a monotonic clock, nanoseconds.
    """

    def __init__(self, definition: ChartDefinition, clock: Callable[[], int] = perf_counter_ns) -> None:
        self.computing: Counter[str] = Counter()
        """Nanoseconds of work, by state."""
        self.breaches: Counter[str] = Counter()
        """How often a state's work exceeded its computing budget, by state."""
        self._clock = clock
        self._budgets = {
            state.id: state.budget.milliseconds * NANOSECONDS_PER_MILLISECOND
            for state in definition.states
            if state.budget is not None and state.budget.measure is BudgetMeasure.COMPUTING
        }
        self._state = definition.initial.id
        self._mark = 0
        self._spent = 0

    def step_began(self, state: str, fact: Fact) -> None:
        """Start the clock."""
        self._state = state
        self._spent = 0
        self._mark = self._clock()

    def transition_began(self, state: str, event: str) -> None:
        """What came before is the work of the state that is left."""
        self._charge(state)

    def transition_was_taken(self, transition: TransitionRecord, time: int) -> None:
        """What the engine did is the work of the state that was entered."""
        if transition.target != transition.source:
            self._end_visit(transition.source)
        self._state = transition.target
        self._charge(transition.target)

    def step_ended(self, result: StepResult) -> None:
        """Stop the clock."""
        self._charge(self._state)
        self._end_visit(self._state)

    def _charge(self, state: str) -> None:
        now = self._clock()
        elapsed, self._mark = now - self._mark, now
        self.computing[state] += elapsed
        self._spent += elapsed

    def _end_visit(self, state: str) -> None:
        if self._spent > self._budgets.get(state, self._spent):
            self.breaches[state] += 1
        self._spent = 0

"""The strategy-neutral machine: a declared chart, and the stepper that runs it over the books of a bookkeeper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

import statemachine

from mm_fsm.chart import Chart, ChartDefinition, EngineExecutor, ExecutorKind, chart_of, definition_of
from mm_fsm.chart.listeners import WATCHERS
from mm_fsm.core.messages import Fact
from mm_fsm.machine.bookkeeper import Bookkeeper
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import StepResult
from mm_fsm.machine.stepper import STATE_FIELD, Stepper


class StrategyMachine(Chart):
    """Base of machines that trade: subclasses declare the chart, its guards and its actions.

    The machine does no I/O, reads no clock, draws no random number, and is synchronous.

    Args:
        bookkeeper: how facts are admitted and booked, and what follows; by default nothing but time is booked.
        executor: what runs the chart: ``"table"``, or ``"engine"`` for python-statemachine's, the reference. Decisions
            are the same.

    Raises:
        ValueError: ``executor`` is neither.
    """

    chart_fault_event: ClassVar[str | None] = "error_execution"
    remembered: ClassVar[tuple[str, ...]] = ()
    """Attributes of a subclass that later steps depend on: a restart and a replay carry them."""

    def __init__(self, bookkeeper: Bookkeeper | None = None, *, executor: str = ExecutorKind.TABLE) -> None:
        cls = type(self)
        definition = definition_of(cls)
        self.chart_state: str = definition.initial.id
        """The current state; the executor writes it."""
        reference = EngineExecutor(chart_of(cls), self, STATE_FIELD)
        self.stepper = Stepper(self, definition, bookkeeper or Bookkeeper(), reference, ExecutorKind(executor))
        """Runs the chart; its parts are no names of the chart."""
        for watcher in WATCHERS:
            watcher.machine_was_made(self)

    def step(self, fact: Fact) -> StepResult:
        """Book one fact, let the chart react, and return what is to be done.

        Raises:
            FactRefusedError: the fact is malformed or impossible; nothing has changed.
        """
        return self.stepper.step(fact)

    def observe(self, observer: MachineObserver) -> None:
        """Tell ``observer`` everything from now on."""
        self.stepper.observe(observer)

    def find_wake_time(self) -> int | None:
        """A time of your own at which a guard may change its answer; the host sends a ``Timer`` then. Override it."""
        return None

    # -- looking ----------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The latest time any fact carried, nanoseconds."""
        return self.stepper.bookkeeper.now

    @property
    def is_final(self) -> bool:
        """Whether the machine has ended."""
        return self.stepper.is_final

    @property
    def definition(self) -> ChartDefinition:
        """The chart that this machine runs."""
        return self.stepper.definition

    @property
    def engine(self) -> statemachine.StateChart[Any]:
        """The reference: python-statemachine's chart in this machine's state, whatever runs it.

        Look, do not send: events go through ``step``.
        """
        return self.stepper.reference.engine

    @property
    def sequence(self) -> int:
        """Steps taken so far."""
        return self.stepper.visits.sequence

    @property
    def transition_counts(self) -> Counter[str]:
        """How often each edge was taken, by ``source.event``."""
        return self.stepper.visits.transition_counts

    def durations_until_now(self) -> dict[str, int]:
        """Nanoseconds spent in each state, the current visit included."""
        return self.stepper.visits.durations_until(self.now, self.chart_state)

    # -- going on where another left off ----------------------------------------------------------------------------

    def remembered_values(self) -> dict[str, object]:
        """Everything that later steps depend on, by name; the values themselves, no copies."""
        names = [name for cls in type(self).__mro__ for name in vars(cls).get("remembered", ())]
        own = {name: getattr(self, name) for name in (STATE_FIELD, *names)}
        return {**own, "visits": self.stepper.visits, **self.stepper.bookkeeper.remembered_values()}

    def continue_from(self, values: Mapping[str, Any]) -> None:
        """Go on exactly where the machine stood whose ``remembered_values`` these are. No state is entered.

        Raises:
            ValueError: this machine's chart does not have the state it stood in.
        """
        states = [state.id for state in self.definition.states]
        if values[STATE_FIELD] not in states:
            raise ValueError(f"{STATE_FIELD}: expected one of {states}, found {values[STATE_FIELD]!r}.")
        parts = self.stepper.bookkeeper.remembered_values().keys()
        self.stepper.bookkeeper.continue_from({name: values[name] for name in parts})
        self.stepper.visits = values["visits"]
        for name in values.keys() - parts - {"visits"}:
            setattr(self, name, values[name])
        self.stepper.resume()

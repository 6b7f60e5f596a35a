"""The strategy-neutral machine: one fact, one step, one result.

``step(fact)`` books the fact, then fires, one at a time, the first declared event of the current state whose guards
hold, until none does. Intents are staged meanwhile and leave only with the result. A guard or a callback that raises
ends in the chart's fault state: what was to be placed in that step is withdrawn, cancels and queries stay.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, DivisionByZero, InvalidOperation, Overflow, localcontext
from typing import Any, ClassVar, Final

import statemachine

from mm_fsm.chart import (
    BudgetMeasure,
    Chart,
    ChartDefinition,
    EdgeDefinition,
    EngineDisagreesError,
    EngineExecutor,
    Executor,
    ExecutorKind,
    Gate,
    Table,
    TableExecutor,
    chart_of,
    definition_of,
)
from mm_fsm.chart.gate import GuardFailedError
from mm_fsm.chart.watching import WATCHERS
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.core.decisions import Fault, FaultCode
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import StepResult, TransitionRecord

_STATE_FIELD: Final = "chart_state"

TRANSITION_LIMIT: Final = 32
"""Transitions in one step beyond which the machine does not rest, which is a fault."""

ARITHMETIC: Final = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow])
"""How decimals are computed in every step, whatever the host has set for its own: precision decides prices."""


class StrategyMachine(Chart):
    """Base of machines that trade: subclasses declare the chart and say how facts are admitted and booked.

    The machine does no I/O, reads no clock, draws no random number, and is synchronous.

    Args:
        executor: what runs the chart: ``"table"``, or ``"engine"`` for python-statemachine's, the reference. Decisions
            are the same.

    Raises:
        ValueError: ``executor`` is neither.
    """

    chart_fault_event: ClassVar[str | None] = "error_execution"
    remembered: ClassVar[tuple[str, ...]] = (
        "chart_state",
        "sequence",
        "transition_counts",
        "state_durations",
        "budget_breaches",
        "_entered_at",
        "_unfinished_command",
    )
    """Attributes that later steps depend on; a subclass that keeps something between steps adds its own names."""

    def __init__(self, *, executor: str = ExecutorKind.TABLE) -> None:
        self.executor = ExecutorKind(executor)
        definition = definition_of(type(self))
        self.definition: ChartDefinition = definition
        self.chart_state: str = definition.initial.id
        """The current state; the executor writes it."""
        self.gate = Gate(definition, self)
        self.sequence = 0
        self.transition_counts: Counter[str] = Counter()
        """How often each edge was taken, by ``source.event``."""
        self.state_durations: Counter[str] = Counter()
        """Nanoseconds spent in each state, by the times that facts carried; the current visit is added on leaving."""
        self.budget_breaches: Counter[str] = Counter()
        """Visits to each state that took longer than its waiting budget."""
        self._final_states = frozenset(state.id for state in definition.states if state.final)
        self._fault_states = frozenset(edge.target for edge in definition.edges if edge.event == definition.fault_event)
        self._observers: list[MachineObserver] = []
        self._reference = EngineExecutor(chart_of(type(self)), self, _STATE_FIELD)
        self._running: Executor | None = None
        """What runs the chart, once the initial state has been entered."""
        self._entered_at: int | None = None
        self._unfinished_command: str | None = None
        """A command that was interrupted before the chart moved: it is sent again with the next fact."""
        self._intents: list[Intent] = []
        self._reasons: list[str] = []
        self._transitions: list[TransitionRecord] = []
        self._faults: list[Fault] = []
        for watcher in WATCHERS:
            watcher.machine_was_made(self)

    # -- what a strategy provides -----------------------------------------------------------------------------------

    @property
    @abstractmethod
    def now(self) -> int:
        """The latest time any fact carried, nanoseconds."""

    @abstractmethod
    def admit(self, fact: Fact) -> object:
        """Check a fact; raise ``FactRefusedError`` before anything has changed. The result is handed to ``book``."""

    @abstractmethod
    def book(self, fact: Fact, admitted: object) -> str | None:
        """Apply an admitted fact to the books. Return the command it carries, if any."""

    @abstractmethod
    def keep_house(self) -> None:
        """Once the chart rests: ask again, cancel again, whatever the state. Only stages cancels and queries."""

    @abstractmethod
    def find_wake_time(self) -> int | None:
        """When time alone will next change something, strictly after ``now``; None when never."""

    @abstractmethod
    def withdraw_placements(self) -> None:
        """Take staged placements back out of the books and out of the staged intents."""

    @abstractmethod
    def note_fault(self, fault: Fault) -> None:
        """Remember a fault; must not raise."""

    @abstractmethod
    def secure(self) -> None:
        """Last resort after a fault: every live order has a cancel in flight. Runs no replaceable code."""

    # -- stepping ---------------------------------------------------------------------------------------------------

    def observe(self, observer: MachineObserver) -> None:
        """Tell ``observer`` everything from now on."""
        self._observers.append(observer)
        if type(observer).guard_was_asked is not MachineObserver.guard_was_asked:
            self.gate.observe(observer)  # telling every outcome takes a slower way through the guards

    def step(self, fact: Fact) -> StepResult:
        """Book one fact, let the chart react, and return what is to be done.

        Raises:
            FactRefusedError: the fact is malformed or impossible; nothing has changed.
        """
        with localcontext(ARITHMETIC):
            return self._step(fact)

    def _step(self, fact: Fact) -> StepResult:
        admitted = self.admit(fact)
        for observer in self._observers:
            observer.step_began(self.chart_state, fact)
        try:
            self._book_and_react(fact, admitted)
        except BaseException:  # an interruption, or an observer's own error: nothing half decided may leave later
            self.withdraw_placements()
            raise
        if self._faults:
            self.withdraw_placements()
            self.secure()
        self.sequence += 1
        result = StepResult(
            sequence=self.sequence,
            time=self.now,
            fact=fact,
            state=self.chart_state,
            transitions=tuple(self._transitions),
            reasons=tuple(self._reasons),
            intents=tuple(self._intents),
            wake_at=self.find_wake_time(),
            faults=tuple(self._faults),
        )
        for staged in (self._transitions, self._reasons, self._intents, self._faults):
            staged.clear()
        for observer in self._observers:
            observer.step_ended(result)
        return result

    def explain(self, reason: str) -> None:
        """Add one line to the step's reasons."""
        self._reasons.append(reason)

    def stage(self, intent: Intent) -> None:
        """Let an intent leave with this step's result."""
        self._intents.append(intent)

    @property
    def is_final(self) -> bool:
        """Whether the machine has ended."""
        return self.chart_state in self._final_states

    # -- going on where another left off ----------------------------------------------------------------------------

    def remembered_values(self) -> dict[str, object]:
        """Everything that later steps depend on, by attribute; the values themselves, no copies."""
        names = (name for cls in type(self).__mro__ for name in vars(cls).get("remembered", ()))
        return {name: getattr(self, name) for name in names}

    def continue_from(self, values: Mapping[str, object]) -> None:
        """Go on exactly where the machine stood whose ``remembered_values`` these are. No state is entered.

        Raises:
            ValueError: this machine's chart does not have the state it stood in.
        """
        states = [state.id for state in self.definition.states]
        if values["chart_state"] not in states:
            raise ValueError(f"chart_state: expected one of {states}, found {values['chart_state']!r}.")
        for name, value in values.items():
            setattr(self, name, value)
        if self._entered_at is not None:
            self._running = self._new_executor()

    # -- inside -----------------------------------------------------------------------------------------------------

    def _book_and_react(self, fact: Fact, admitted: object) -> None:
        failure: Exception | None = None
        command: str | None = None
        try:
            command = self.book(fact, admitted)
        except Exception as error:  # noqa: BLE001 - every later fault is in the result
            failure = error
        if self._running is None:
            self._start()
        if failure is not None:
            self._fail(FaultCode.LEDGER, f"booking {type(fact).__name__}", failure, transient=False)
        self._send_command(command)
        if not self.is_final and not self._come_to_rest(TRANSITION_LIMIT):
            self._fail(FaultCode.DOES_NOT_REST, f"{TRANSITION_LIMIT} transitions in one step", None)
            self._come_to_rest(TRANSITION_LIMIT)
        try:
            self.keep_house()
        except Exception as error:  # noqa: BLE001
            self._fail(FaultCode.CALLBACK, "housekeeping", error)

    def _start(self) -> None:
        """Enter the initial state with the first fact booked, so that its entry action sees the fact."""
        self._entered_at = self.now
        self.entered(self.chart_state)
        executor, failure = self._new_executor(), None
        try:
            executor.enter_initial_state()
        except Exception as error:  # noqa: BLE001 - the state counts as entered, and the fault leads on from there
            failure = error
        self._running = executor
        if failure is not None:
            self._fail(FaultCode.CALLBACK, f"entering {self.chart_state!r}", failure)

    def _new_executor(self) -> Executor:
        if self.executor is ExecutorKind.ENGINE:
            return self._reference
        return TableExecutor(Table(self.definition), self, _STATE_FIELD)

    @property
    def engine(self) -> statemachine.StateChart[Any]:
        """The reference: python-statemachine's chart in this machine's state, whatever runs it.

        Look, do not send: events go through ``step``.
        """
        return self._reference.engine

    def _send_command(self, command: str | None) -> None:
        command, self._unfinished_command = command or self._unfinished_command, None
        if command is None:
            return
        taken = len(self._transitions)
        try:
            self._fire_command(command)
        except BaseException:  # an interruption: what the command has set already must not stand without its transition
            if len(self._transitions) == taken:
                self._unfinished_command = command
            raise

    def _fire_command(self, command: str) -> None:
        try:
            edge = self.gate.first_for_command(self.chart_state, command)
        except GuardFailedError as error:
            self._fail(FaultCode.GUARD, str(error), error.__cause__)
            return
        if edge is not None:
            self._fire(edge)
            return
        for observer in self._observers:
            observer.command_was_refused(self.chart_state, command)

    def _come_to_rest(self, limit: int) -> bool:
        """Fire events until no guard holds; False when that takes more than ``limit`` of them.

        In the fault state a step in which something failed ends: what follows waits for the next fact.
        """
        for _ in range(limit):
            if self._faults and self.chart_state in self._fault_states:
                return True
            try:
                edge = self.gate.first_enabled(self.chart_state)
            except GuardFailedError as error:
                self._fail(FaultCode.GUARD, str(error), error.__cause__)
                continue
            if edge is None:
                return True
            self._fire(edge)
        return self.is_final

    def _fire(self, edge: EdgeDefinition) -> None:
        """Take one edge; an error inside becomes a fault."""
        assert self._running is not None  # noqa: S101 - made by _start
        source, event = self.chart_state, edge.event
        for observer in self._observers:
            observer.transition_began(source, event)
        try:
            self._running.fire(edge)
        except EngineDisagreesError as error:
            self._fail(FaultCode.GUARD, str(error), None)
            return
        except Exception as error:  # noqa: BLE001
            self._fail(FaultCode.CALLBACK, f"event {event!r} in {source!r}", error)
            return
        except BaseException:  # an interruption: the edge counts as not taken, wherever in it that struck
            self.chart_state = source
            raise
        self._record(edge)

    def _fail(self, code: FaultCode, place: str, error: BaseException | None, *, transient: bool = True) -> None:
        """Note a fault, take back what was to be placed, and enter the fault state."""
        detail = f": {_raised(error)}" if error is not None else ""
        fault = Fault(code=code, reason=f"{place}{detail}", transient=transient, state=self.chart_state, at=self.now)
        self._enter_fault_state(fault)

    def _enter_fault_state(self, fault: Fault) -> None:
        self._faults.append(fault)
        self.explain(f"fault {fault.code}: {fault.reason}")
        self.withdraw_placements()
        self.note_fault(fault)
        event = self.chart_fault_event
        if event is None or self.is_final:
            return
        source = self.chart_state
        edge = next(edge for edge in self.definition.edges_from(source) if edge.event == event)
        assert self._running is not None  # noqa: S101 - made by _start
        try:
            self._running.fire(edge)
        except Exception as error:  # noqa: BLE001 - the fault state must be entered even if its own entry fails
            self.explain(f"entering {edge.target!r} failed too: {_raised(error)}")
            self.chart_state = edge.target
        self.withdraw_placements()
        self._record(edge)

    def _record(self, edge: EdgeDefinition) -> None:
        transition = TransitionRecord(edge.source, edge.event, self.chart_state)
        self._transitions.append(transition)
        self.transition_counts[f"{edge.source}.{edge.event}"] += 1
        if not edge.internal:
            self._end_visit(edge.source)
        self.entered(transition.target)
        for observer in self._observers:
            observer.transition_was_taken(transition, self.now)

    def entered(self, state: str) -> None:
        """Called after every transition with the state the machine is in; override to mirror it."""

    def _end_visit(self, state: str) -> None:
        entered_at = self.now if self._entered_at is None else self._entered_at
        duration = self.now - entered_at
        self.state_durations[state] += duration
        self._entered_at = self.now
        budget = self.definition.state(state).budget
        if budget is None or budget.measure is not BudgetMeasure.WAITING:
            return
        if duration > budget.milliseconds * NANOSECONDS_PER_MILLISECOND:
            self.budget_breaches[state] += 1
            spent = duration / NANOSECONDS_PER_MILLISECOND
            self.explain(f"{state} took {spent:.0f} ms; its budget is {budget.milliseconds} ms")

    def durations_until_now(self) -> dict[str, int]:
        """Nanoseconds spent in each state, the current visit included."""
        durations: dict[str, Any] = dict(self.state_durations)
        if self._entered_at is not None:
            durations[self.chart_state] = durations.get(self.chart_state, 0) + self.now - self._entered_at
        return durations


def _raised(error: BaseException) -> str:
    """What was raised, and in which function: the error itself does not leave the step."""
    text = f"{type(error).__name__}: {error}"
    innermost = error.__traceback__
    if innermost is None:
        return text
    while innermost.tb_next is not None:
        innermost = innermost.tb_next
    return f"{text}, raised in {innermost.tb_frame.f_code.co_qualname}"

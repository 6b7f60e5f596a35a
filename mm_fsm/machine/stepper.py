"""One fact, one step, one result, whatever the strategy.

``step(fact)`` books the fact, then takes, one at a time, the first declared edge of the current state whose guards
hold, until none does. Intents are staged meanwhile and leave only with the result. A guard or a callback that raises
ends in the chart's fault state: what was to be placed in that step is withdrawn, cancels and queries stay.
"""

from __future__ import annotations

from decimal import (
    ROUND_HALF_EVEN,
    Context,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    getcontext,
    setcontext,
)
from typing import Final, Protocol

from mm_fsm.chart import (
    ChartDefinition,
    EdgeDefinition,
    EngineDisagreesError,
    EngineExecutor,
    Executor,
    ExecutorKind,
    Gate,
    Table,
    TableExecutor,
)
from mm_fsm.chart.gate import GuardFailedError
from mm_fsm.core.decisions import Fault, FaultCode
from mm_fsm.core.messages import Fact
from mm_fsm.machine.bookkeeper import Bookkeeper
from mm_fsm.machine.observers import MachineObserver, Observers
from mm_fsm.machine.results import StepResult, TransitionRecord
from mm_fsm.machine.visits import Visits

STATE_FIELD: Final = "chart_state"
"""The machine's attribute that holds the state: both executors read and write it there."""

TRANSITION_LIMIT: Final = 32
"""Transitions in one step beyond which the machine does not rest, which is a fault."""

ARITHMETIC: Final = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[DivisionByZero, InvalidOperation, Overflow])
"""How decimals are computed in every step, whatever the host has set for its own: precision decides prices."""


class ChartOwner(Protocol):
    """The machine: its methods are the guards and callbacks of its chart."""

    chart_state: str

    def find_wake_time(self) -> int | None:
        """A time of the machine's own at which a guard may change its answer."""
        ...


class Stepper:
    """Runs one machine's chart over its bookkeeper's books. It decides nothing.

    Args:
        owner: the machine.
        definition: its chart.
        bookkeeper: admits and books facts, and follows up.
        reference: python-statemachine's engine for the chart.
        executor: what runs the chart.
    """

    def __init__(
        self,
        owner: ChartOwner,
        definition: ChartDefinition,
        bookkeeper: Bookkeeper,
        reference: EngineExecutor,
        executor: ExecutorKind,
    ) -> None:
        self.definition = definition
        self.bookkeeper = bookkeeper
        self.gate = Gate(definition, owner)
        self.reference = reference
        self.executor = executor
        self.visits = Visits()
        self.observers = Observers()
        self._owner = owner
        self._draft = bookkeeper.draft
        self._states = {state.id: state for state in definition.states}
        self._final_states = frozenset(state.id for state in definition.states if state.final)
        self._fault_states = frozenset(edge.target for edge in definition.edges if edge.event == definition.fault_event)
        self._arithmetic = ARITHMETIC.copy()
        self._running: Executor | None = None
        """What runs the chart, once the initial state has been entered."""

    @property
    def is_final(self) -> bool:
        """Whether the machine has ended."""
        return self._owner.chart_state in self._final_states

    def observe(self, observer: MachineObserver) -> None:
        """Tell ``observer`` everything from now on."""
        self.observers.add(observer)
        if type(observer).guard_was_asked is not MachineObserver.guard_was_asked:
            self.gate.observe(observer)  # telling every outcome takes a slower way through the guards

    def step(self, fact: Fact) -> StepResult:
        """Book one fact, let the chart react, and return what is to be done.

        Raises:
            FactRefusedError: the fact is malformed or impossible; nothing has changed.
        """
        arithmetic_of_host = getcontext()
        setcontext(self._arithmetic)
        try:
            return self._step(fact)
        finally:
            setcontext(arithmetic_of_host)

    def resume(self) -> None:
        """Go on in the state that the owner has, if its first fact has been booked. No state is entered."""
        if self.visits.entered_at is not None:
            self._running = self._new_executor()

    # -- inside -----------------------------------------------------------------------------------------------------

    def _step(self, fact: Fact) -> StepResult:
        bookkeeper, draft = self.bookkeeper, self._draft
        admitted = bookkeeper.admit(fact)
        state = self._owner.chart_state
        for step_began in self.observers.step_began:
            step_began(state, fact)
        try:
            self._book_and_react(fact, admitted, is_final=state in self._final_states)
            own_wake_time = self._find_own_wake_time()
        except BaseException:  # an interruption, or an observer's own error: nothing half decided may leave later
            bookkeeper.withdraw_placements()
            raise
        state = self._owner.chart_state
        is_final = state in self._final_states
        if draft.faults:
            bookkeeper.withdraw_placements()
            bookkeeper.cancel_all_live(is_final=is_final)
        wake_at = bookkeeper.find_wake_time(is_final=is_final)
        if own_wake_time is not None and (wake_at is None or own_wake_time < wake_at):
            wake_at = own_wake_time
        self.visits.sequence += 1
        result = StepResult(
            sequence=self.visits.sequence,
            time=bookkeeper.now,
            fact=fact,
            state=state,
            transitions=tuple(draft.transitions),
            reasons=tuple(draft.reasons),
            intents=tuple(draft.intents),
            wake_at=wake_at,
            faults=tuple(draft.faults),
        )
        draft.clear()
        for step_ended in self.observers.step_ended:
            step_ended(result)
        return result

    def _find_own_wake_time(self) -> int | None:
        """When the owner itself wants to be woken, strictly after now; an error inside becomes a fault."""
        try:
            wake_at = self._owner.find_wake_time()
            is_ahead = wake_at is not None and wake_at > self.bookkeeper.now
        except Exception as error:  # noqa: BLE001
            self._fail(FaultCode.CALLBACK, "finding the wake time", error)
            return None
        return wake_at if is_ahead else None

    def _book_and_react(self, fact: Fact, admitted: object, *, is_final: bool) -> None:
        failure: Exception | None = None
        command: str | None = None
        try:
            command = self.bookkeeper.book(fact, admitted, is_final=is_final)
        except Exception as error:  # noqa: BLE001 - every later fault is in the result
            failure = error
        if self._running is None:
            self._start()
        if failure is not None:
            self._fail(FaultCode.LEDGER, f"booking {type(fact).__name__}", failure, transient=False)
        self._send_command(command)
        if not self._come_to_rest(TRANSITION_LIMIT):
            self._fail(FaultCode.DOES_NOT_REST, f"{TRANSITION_LIMIT} transitions in one step", None)
            self._come_to_rest(TRANSITION_LIMIT)
        if self.bookkeeper.rests:
            return
        state = self._owner.chart_state
        try:
            self.bookkeeper.follow_up(state, is_final=state in self._final_states)
        except Exception as error:  # noqa: BLE001
            self._fail(FaultCode.CALLBACK, "following up", error)

    def _start(self) -> None:
        """Enter the initial state with the first fact booked, so that its entry action sees the fact."""
        self.visits.entered_at = self.bookkeeper.now
        executor, failure = self._new_executor(), None
        try:
            executor.enter_initial_state()
        except Exception as error:  # noqa: BLE001 - the state counts as entered, and the fault leads on from there
            failure = error
        self._running = executor
        if failure is not None:
            self._fail(FaultCode.CALLBACK, f"entering {self._owner.chart_state!r}", failure)

    def _new_executor(self) -> Executor:
        if self.executor is ExecutorKind.ENGINE:
            return self.reference
        return TableExecutor(Table(self.definition), self._owner, STATE_FIELD)

    def _send_command(self, command: str | None) -> None:
        command, self.visits.unfinished_command = command or self.visits.unfinished_command, None
        if command is None:
            return
        taken = len(self._draft.transitions)
        try:
            self._fire_command(command)
        except BaseException:  # an interruption: what the command has set already must not stand without its transition
            if len(self._draft.transitions) == taken:
                self.visits.unfinished_command = command
            raise

    def _fire_command(self, command: str) -> None:
        state = self._owner.chart_state
        try:
            edge = self.gate.first_for_command(state, command)
        except GuardFailedError as error:
            self._fail(FaultCode.GUARD, str(error), error.__cause__)
            return
        if edge is not None:
            self._fire(edge)
            return
        for command_was_refused in self.observers.command_was_refused:
            command_was_refused(state, command)

    def _come_to_rest(self, limit: int) -> bool:
        """Fire events until no guard holds; False when that takes more than ``limit`` of them.

        In the fault state a step in which something failed ends: what follows waits for the next fact.
        """
        owner, bookkeeper, faults = self._owner, self.bookkeeper, self._draft.faults
        for _ in range(limit):
            state = owner.chart_state
            if state in self._final_states or (faults and state in self._fault_states):
                return True
            try:
                edge = self.gate.first_enabled(state, rests=bookkeeper.rests)
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
        self.bookkeeper.rests = False
        source, event = edge.source, edge.event
        for transition_began in self.observers.transition_began:
            transition_began(source, event)
        try:
            self._running.fire(edge)
        except EngineDisagreesError as error:
            self._fail(FaultCode.GUARD, str(error), None)
            return
        except Exception as error:  # noqa: BLE001
            self._fail(FaultCode.CALLBACK, f"event {event!r} in {source!r}", error)
            return
        except BaseException:  # an interruption: the edge counts as not taken, wherever in it that struck
            self._owner.chart_state = source
            raise
        self._record(edge)

    def _fail(self, code: FaultCode, place: str, error: BaseException | None, *, transient: bool = True) -> None:
        """Note a fault, take back what was to be placed, and enter the fault state."""
        self.bookkeeper.rests = False
        detail = f": {_raised(error)}" if error is not None else ""
        source, now = self._owner.chart_state, self.bookkeeper.now
        fault = Fault(code=code, reason=f"{place}{detail}", transient=transient, state=source, at=now)
        self._draft.note_fault(fault)
        self.bookkeeper.withdraw_placements()
        self.bookkeeper.note_fault(fault)
        self._enter_fault_state(source)

    def _enter_fault_state(self, source: str) -> None:
        event = self.definition.fault_event
        if event is None or self.is_final:
            return
        edge = next(edge for edge in self.definition.edges_from(source) if edge.event == event)
        assert self._running is not None  # noqa: S101 - made by _start
        try:
            self._running.fire(edge)
        except Exception as error:  # noqa: BLE001 - the fault state must be entered even if its own entry fails
            self._draft.explain(f"entering {edge.target!r} failed too: {_raised(error)}")
            self._owner.chart_state = edge.target
        self.bookkeeper.withdraw_placements()
        self._record(edge)

    def _record(self, edge: EdgeDefinition) -> None:
        transition, now = TransitionRecord(edge.source, edge.event, self._owner.chart_state), self.bookkeeper.now
        self._draft.transitions.append(transition)
        breach = self.visits.count_edge(edge, self._states[edge.source], now)
        if breach is not None:
            self._draft.explain(breach)
        for transition_was_taken in self.observers.transition_was_taken:
            transition_was_taken(transition, now)


def _raised(error: BaseException) -> str:
    """What was raised, and in which function: the error itself does not leave the step."""
    text = f"{type(error).__name__}: {error}"
    innermost = error.__traceback__
    if innermost is None:
        return text
    while innermost.tb_next is not None:
        innermost = innermost.tb_next
    return f"{text}, raised in {innermost.tb_frame.f_code.co_qualname}"

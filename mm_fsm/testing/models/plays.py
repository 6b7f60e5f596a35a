"""One run of a machine under generated moves, each held against the chart's definition.

What must happen is read from the definition and from what the guards answer, by no code that runs machines. Where
guards are forced, exactly those that a move names hold until an edge has been taken; then they answer so that the
machine rests, where that is possible.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from statemachine.exceptions import TransitionNotAllowed

from mm_fsm.chart import ChartDefinition, EdgeDefinition
from mm_fsm.core.messages import Fact
from mm_fsm.coverage.model import ChartModel
from mm_fsm.errors import FactRefusedError
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import StepResult, TransitionRecord
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.testing.driving.answers import answers_for_rest
from mm_fsm.testing.driving.driver import Driven
from mm_fsm.testing.driving.engines import ERROR_EVENTS, catches_errors
from mm_fsm.testing.driving.machines import FactFor, MachineDriven, timer
from mm_fsm.testing.models.acts import Act, Send, Step, Tell, fires_by_itself, next_edge
from mm_fsm.testing.problems import BrokenPromiseError, ModelMismatchError, UnsupportedChartError
from mm_fsm.testing.subjects.registry import subject_of
from mm_fsm.testing.subjects.subject import Invariant, Opening

"""Facts that a machine is told first."""


class Play(ABC):
    """One machine, and what has to hold of it after every move."""

    def __init__(self, model: ChartModel, invariants: Sequence[Invariant]) -> None:
        self.model = model
        self._invariants = invariants

    @property
    @abstractmethod
    def machine(self) -> Any:
        """What the invariants are asked about."""

    @property
    @abstractmethod
    def state(self) -> str:
        """Where the machine is."""

    @abstractmethod
    def carry_out(self, move: Act) -> None:
        """Make a move.

        Raises:
            ModelMismatchError: the machine did not do what the definition says.
            UnsupportedChartError: such a move cannot be made with it.
        """

    def does_not_know(self, move: Act, remedy: str) -> UnsupportedChartError:
        """The error for a move that cannot be made."""
        return UnsupportedChartError(self.model.reference, f"{type(move).__name__} cannot be done to it.", remedy)

    def perform(self, move: Act) -> None:
        """Make a move, and ask every invariant.

        Raises:
            ModelMismatchError: the machine did not do what the definition says.
            BrokenPromiseError: an invariant is False; what an invariant raises itself is not caught.
        """
        self.carry_out(move)
        self.ask_invariants()

    def ask_invariants(self) -> None:
        """Ask every invariant about the machine as it is."""
        for invariant in self._invariants:
            if invariant(self.machine) is False:
                raise BrokenPromiseError(f"{invariant.__name__} holds", f"that it does not, in {self.state!r}")


class _Forecast:
    """Follows the definition, one edge at a time, beside a machine whose guards are forced."""

    def __init__(self, model: ChartModel, move: Send | Step, state: str) -> None:
        self.state = state
        self.due = move.event if isinstance(move, Send) else None
        self._definition = model.definition
        self._model = model
        self._move = move
        self._holding: Collection[str] = move.holding

    def take(self, edge: EdgeDefinition, *, commands_first: bool) -> None:
        """The machine took an edge: it must be the one that the definition says."""
        expected = self._next(commands_first=commands_first) or self._sent_inside(edge)
        if expected is not edge:
            raise self.mismatch(_named(expected), edge.id)
        self.go(edge)

    def is_answer(self, edge: EdgeDefinition, *events: str | None) -> bool:
        """Whether an edge leads away from here after an error, by one of these events; nothing else is due then."""
        if edge.event not in events or edge.source != self.state:
            return False
        self.due = None
        self.go(edge)
        return True

    def go(self, edge: EdgeDefinition) -> None:
        """Go on from an edge that was taken; guards let the machine rest now."""
        if edge.event == self.due:
            self.due = None
        self.state = edge.target
        answers = answers_for_rest(self._model, [self.state]) or {}
        self._holding = [guard for guard, answer in answers.items() if answer]

    def end(self, state: str, *, commands_first: bool) -> None:
        """The machine did nothing more, and is in a state."""
        left = None if self._is_final() else self._next(commands_first=commands_first)
        if left is not None:
            raise self.mismatch(left.id, f"that it stays in {self.state!r}")
        if state != self.state:
            raise self.mismatch(f"the state {self.state!r}", f"the state {state!r}")

    def mismatch(self, expected: str, found: str) -> ModelMismatchError:
        """The error that says what differs."""
        return ModelMismatchError(self._move, self.state, expected, found)

    def _is_final(self) -> bool:
        return self._definition.state(self.state).final

    def _next(self, *, commands_first: bool) -> EdgeDefinition | None:
        """What is taken by itself, and what has been sent: one before the other."""
        by_itself = next_edge(self._definition, self.state, self._holding)
        sent = None if self.due is None else next_edge(self._definition, self.state, self._holding, self.due)
        return (sent or by_itself) if commands_first else (by_itself or sent)

    def _sent_inside(self, edge: EdgeDefinition) -> EdgeDefinition | None:
        """An event that a callback has sent, or the machine itself: it must be legal, and its first edge that holds."""
        if fires_by_itself(self._definition, edge):
            return None
        return next_edge(self._definition, self.state, self._holding, edge.event)


def _named(edge: EdgeDefinition | None) -> str:
    return "that nothing is taken" if edge is None else edge.id


def _answers(definition: ChartDefinition, holding: Collection[str]) -> dict[str, bool]:
    return {guard: guard in holding for guard in definition.guard_names}


# -- by the engine ----------------------------------------------------------------------------------------------------


class EnginePlay(Play):
    """A chart that its engine runs; the host sends every event."""

    def __init__(self, driven: Driven, invariants: Sequence[Invariant]) -> None:
        super().__init__(driven.model, invariants)
        self._driven = driven

    @property
    def machine(self) -> Any:
        """The user's own object, or the engine."""
        return self._driven.machine

    @property
    def state(self) -> str:
        """The active state."""
        (state,) = self._driven.active
        return state

    def carry_out(self, move: Act) -> None:
        """Send an event."""
        if not isinstance(move, Send):
            raise self.does_not_know(move, "Send events to a chart that an engine runs.")
        driven, definition = self._driven, self.model.definition
        forecast, start = _Forecast(self.model, move, self.state), len(driven.taken)
        driven.steering.steer(_answers(definition, move.holding), driven.machine)
        try:
            driven.send(move.event)
        except TransitionNotAllowed:
            if len(driven.taken) > start:
                raise
        finally:
            driven.aim()
        for place in driven.taken[start:]:
            edge = definition.edges[place]
            if not (catches_errors(driven) and forecast.is_answer(edge, *ERROR_EVENTS)):
                forecast.take(edge, commands_first=False)
        forecast.end(self.state, commands_first=False)


# -- by the steps of a machine ---------------------------------------------------------------------------------------


class MachinePlay(Play):
    """A machine of ours whose guards are forced."""

    def __init__(self, driven: MachineDriven, invariants: Sequence[Invariant], opening: Opening) -> None:
        super().__init__(driven.model, invariants)
        self.commands: Mapping[str, FactFor] = driven.commands
        """Facts that carry commands."""
        self._driven = driven
        self._command: str | None = None
        bookkeeper = driven.machine.stepper.bookkeeper
        self._book = bookkeeper.book
        bookkeeper.book = self._book_and_listen
        driven.aim()
        for fact in opening(driven.machine):
            driven.step(fact)

    @property
    def machine(self) -> Any:
        """The machine."""
        return self._driven.machine

    @property
    def state(self) -> str:
        """Its state."""
        return str(self._driven.machine.chart_state)

    def carry_out(self, move: Act) -> None:
        """Take a step, or send an event past the machine where it is not accepted."""
        if isinstance(move, Tell):
            raise self.does_not_know(move, "Facts are for machines with real_guards; write Step or Send.")
        if isinstance(move, Send) and move.event not in self.commands:
            send_past(self.machine, self.model, move)
            return
        driven, definition = self._driven, self.model.definition
        forecast, start = _Forecast(self.model, move, self.state), len(driven.taken)
        driven.steering.steer(_answers(definition, move.holding), driven.machine)
        if isinstance(move, Send):
            driven.step(self.commands[move.event](driven.machine))
        else:
            driven.step(timer(driven.machine))
        driven.aim()
        forecast.due = self._command
        has_failed = bool(driven.results[-1].faults)
        for place in driven.taken[start:]:
            edge = definition.edges[place]
            if not (has_failed and forecast.is_answer(edge, definition.fault_event)):
                forecast.take(edge, commands_first=True)
        if not has_failed:
            forecast.end(self.state, commands_first=True)

    def _book_and_listen(self, fact: Fact, admitted: object, *, is_final: bool) -> str | None:
        """Book a fact, and remember the command that the machine finds in it: it may find none."""
        self._command = None
        self._command = self._book(fact, admitted, is_final=is_final)
        return self._command


class FactsPlay(Play):
    """A machine of ours as it is, which is told facts; the definition is asked with what its guards answer."""

    def __init__(
        self, machine: StrategyMachine, model: ChartModel, invariants: Sequence[Invariant], opening: Opening
    ) -> None:
        super().__init__(model, invariants)
        self._machine = machine
        machine.observe(_Predicting(machine))
        for fact in opening(machine):
            machine.step(fact)

    @property
    def machine(self) -> Any:
        """The machine."""
        return self._machine

    @property
    def state(self) -> str:
        """Its state."""
        return self._machine.chart_state

    def carry_out(self, move: Act) -> None:
        """Tell a fact; one that is refused must change nothing. Or send an event past the machine."""
        if isinstance(move, Step):
            raise self.does_not_know(move, "Its guards are its own; write Tell or Send, or leave real_guards out.")
        if isinstance(move, Send):
            send_past(self._machine, self.model, move)
            return
        before = fingerprint(self._machine)
        try:
            self._machine.step(move.fact)
        except FactRefusedError as error:
            if fingerprint(self._machine) != before:
                raise ModelMismatchError(move, self.state, "that a refused fact changes nothing", str(error)) from error


class _Predicting(MachineObserver):
    """Before each edge, and where the machine rests, asks the definition what the guards' answers lead to."""

    def __init__(self, machine: StrategyMachine) -> None:
        self._machine = machine
        self._fact: Fact | None = None
        self._expected: EdgeDefinition | None = None

    def step_began(self, state: str, fact: Fact) -> None:
        """Remember the fact for the message."""
        self._fact = fact

    def transition_began(self, state: str, event: str) -> None:
        """The engine is about to be called."""
        holding = self._holding()
        definition = self._machine.definition
        is_command = any(edge.command for edge in definition.edges_from(state) if edge.event == event)
        self._expected = None
        if holding is None:
            return
        self._expected = next_edge(definition, state, holding, event if is_command else None)
        if self._expected is None or self._expected.event != event:
            raise ModelMismatchError(self._fact, state, _named(self._expected), event)

    def transition_was_taken(self, transition: TransitionRecord, time: int) -> None:
        """The engine moved."""
        expected, self._expected = self._expected, None
        is_answer = transition.event == self._machine.definition.fault_event
        if expected is not None and not is_answer and expected.target != transition.target:
            raise ModelMismatchError(self._fact, transition.source, expected.target, transition.target)

    def step_ended(self, result: StepResult) -> None:
        """The machine has come to rest: nothing may be left to take."""
        holding = self._holding()
        if result.faults or holding is None or self._machine.is_final:
            return
        left = next_edge(self._machine.definition, result.state, holding)
        if left is not None:
            raise ModelMismatchError(self._fact, result.state, left.id, f"that it stays in {result.state!r}")

    def _holding(self) -> list[str] | None:
        """The guards that hold now; None when one of them raises, which the machine will find too."""
        try:
            return [name for name in self._machine.definition.guard_names if getattr(self._machine, name)()]
        except Exception:  # noqa: BLE001 - a guard of the machine under test
            return None


def send_past(machine: StrategyMachine, model: ChartModel, move: Send) -> None:
    """Send an event to a machine's engine, past the machine, where the state has no edge for it: nothing may change.

    Raises:
        ModelMismatchError: something changed.
        ValueError: the state has an edge for the event, which is for the machine to take.
    """
    if any(edge.event == move.event for edge in model.definition.edges_from(machine.chart_state)):
        raise ValueError(f"{move}: {machine.chart_state!r} accepts the event, and the machine takes it by itself.")
    before = fingerprint(machine)
    machine.engine.send(move.event)
    if fingerprint(machine) != before:
        raise ModelMismatchError(move, machine.chart_state, "that nothing changes", "that something did")


def fingerprint(machine: StrategyMachine) -> tuple[object, ...]:
    """What nothing but an accepted fact may change."""
    books = subject_of(type(machine)).digest(machine)
    counts = tuple(sorted(machine.transition_counts.items()))
    return (machine.chart_state, machine.sequence, counts, books)

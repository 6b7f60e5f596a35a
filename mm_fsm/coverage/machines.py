"""Watches our own machines: edges and guard outcomes by their observers, events sent past them by their engine."""

from __future__ import annotations

from typing import Any

from statemachine import Event, StateChart

from mm_fsm.chart import EdgeDefinition
from mm_fsm.core.messages import Fact
from mm_fsm.coverage.engines import Settling
from mm_fsm.coverage.tally import Tally, Walk
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.results import StepResult, TransitionRecord
from mm_fsm.machine.strategy import StrategyMachine


class MachineClass:
    """One class of machines under measurement."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.edges: dict[tuple[str, str, str], tuple[int, ...]] = {}
        """Edges by source, event and target; several where only their guards differ."""
        self.answers: dict[tuple[int, str], tuple[tuple[int, int, bool], tuple[int, int, bool]]] = {}
        """For each edge, by its ``id``, and guard: where False and True are counted."""
        for place, edge in enumerate(tally.model.definition.edges):
            ends = (edge.source, edge.event, edge.target)
            self.edges[ends] = (*self.edges.get(ends, ()), place)
            for position, guard in enumerate(edge.guards):
                self.answers[id(edge), guard.name] = ((place, position, False), (place, position, True))


class MachineWatch(MachineObserver):
    """The observer of one machine."""

    def __init__(self, machine_class: MachineClass) -> None:
        self._edges = machine_class.edges
        self._keys = machine_class.answers
        self._tally = machine_class.tally
        self._answers = machine_class.tally.answers
        self._walk = Walk(machine_class.tally)
        self._has_started = False
        self._asked: tuple[EdgeDefinition, str, bool] | None = None
        """The last question and its answer."""
        self._refused: tuple[str, str] | None = None

    def step_began(self, state: str, fact: Fact) -> None:
        """Note where the machine begins."""
        if not self._has_started:
            self._has_started = True
            self._walk.start(state)

    def guard_was_asked(self, edge: EdgeDefinition, guard: str, outcome: bool) -> None:  # noqa: FBT001
        """Count the answer."""
        self._asked = (edge, guard, outcome)
        self._answers[self._keys[id(edge), guard][outcome]] += 1

    def transition_was_taken(self, transition: TransitionRecord, time: int) -> None:
        """Count the edge."""
        places = self._edges.get((transition.source, transition.event, transition.target), ())
        if places:
            self._walk.take(places[0] if len(places) == 1 else self._place_of(places))
        else:
            self._tally.unmatched += 1

    def _place_of(self, places: tuple[int, ...]) -> int:
        """Of edges with the same ends, the one whose last guard has just let it pass, or the one without guards."""
        edges = self._tally.model.definition.edges
        for place in places:
            passed = [(edges[place], guard.name, guard.expected) for guard in edges[place].guards[-1:]]
            if passed == [self._asked]:
                return place
        return next((place for place in places if not edges[place].guards), places[0])

    def command_was_refused(self, state: str, command: str) -> None:
        """Remember a command that the state has no edge for, until it is known what the step did."""
        self._refused = (state, command)

    def step_ended(self, result: StepResult) -> None:
        """A refused command is harmless when the machine stayed where it was and wants nothing done."""
        if self._refused is not None:
            state, command = self._refused
            self._refused = None
            if result.state == state and not (result.transitions or result.intents or result.faults):
                self._tally.tried_in_vain([state], command)


class EngineOfMachineWatch:
    """A listener without hooks, for the engine of a machine: it only hears of events that are sent past the machine."""

    __slots__ = ("__weakref__", "_mm_fsm_attempt", "_mm_fsm_machine", "_mm_fsm_settling", "_mm_fsm_tally")

    def __init__(self, machine: StrategyMachine, tally: Tally, settling: Settling) -> None:
        self._mm_fsm_machine = machine
        self._mm_fsm_tally = tally
        self._mm_fsm_settling = settling
        self._mm_fsm_attempt: tuple[str, str] | None = None
        machine.observe(_MoveAhead(self))

    def _mm_fsm_event_was_sent(self, machine: StateChart[Any], event: Event) -> None:
        self._mm_fsm_settle()
        not_accepting = self._mm_fsm_tally.not_accepting.get(event)
        # While the engine enters its first state, with an event of its own, the machine has none.
        if not_accepting and self._mm_fsm_machine.chart_state in not_accepting:
            self._mm_fsm_attempt = (self._mm_fsm_machine.chart_state, str(event))
            self._mm_fsm_settling.unsettled.add(self)

    def _mm_fsm_settle(self) -> None:
        if self._mm_fsm_attempt is not None:
            state, event = self._mm_fsm_attempt
            self._mm_fsm_attempt = None
            if self._mm_fsm_machine.chart_state == state:
                self._mm_fsm_tally.tried_in_vain([state], event)


class _MoveAhead(MachineObserver):
    """Lets a watch look at what came of an event before the machine moves: a table moves without its engine."""

    def __init__(self, watch: EngineOfMachineWatch) -> None:
        self._watch = watch

    def transition_began(self, state: str, event: str) -> None:
        """The machine is still where the event left it."""
        self._watch._mm_fsm_settle()

"""Where something can raise: every callback and guard of a chart, on every edge on which it is run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from attrs import frozen
from statemachine.callbacks import CallbackGroup, CallbackSpec

from mm_fsm.chart import EdgeDefinition
from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.reading import EngineReading, guard_name
from mm_fsm.testing.answers import answers_for, answers_for_rest, moves_by_itself
from mm_fsm.testing.sabotage import CALLBACKS, Call, CallbackCall, GuardCall, Moment

INITIAL = -1
"""In place of an edge: the entry into the initial state."""


@frozen(kw_only=True)
class Place:
    """One call that is to raise, and the edge that is being taken then."""

    name: str
    """What the test is called: stable, readable, and its own."""
    edge: int
    call: Call
    group: CallbackGroup
    times: int = 1
    """Which call of that kind raises."""


class Faults:
    """The places of one chart, and the ways that lead there. Edges are known by their place in the model."""

    def __init__(self, chart: type, reading: EngineReading) -> None:
        self.model: ChartModel = reading.model
        self._chart = chart
        self._reading = reading

    # -- places -----------------------------------------------------------------------------------------------------

    def callbacks(self) -> Iterator[Place]:
        """Every callback on every edge, at its beginning and at its end; first those of the initial state's entry."""
        initial = self.model.definition.initial.id
        for transition in self._reading.transitions:
            if transition.source.id == initial:
                yield from self._callback(INITIAL, transition.source.enter, f"entering {initial}", "")
                break
        for place, edge in enumerate(self.model.definition.edges):
            transition = self._reading.transitions[self.model.transitions[place]]
            groups: dict[CallbackGroup, Any] = {
                CallbackGroup.BEFORE: transition.before,
                CallbackGroup.ON: transition.on,
                CallbackGroup.AFTER: transition.after,
            }
            if not edge.internal:
                groups |= {CallbackGroup.EXIT: transition.source.exit}
                groups |= {CallbackGroup.ENTER: target.enter for target in transition.targets}
            for group in sorted(groups, key=CALLBACKS.index):
                label = f"{self.model.edge_keys[place]}: {group.name.lower()}"
                yield from self._callback(place, groups[group], label, edge.event)

    def _callback(self, place: int, specs: Any, label: str, event: str) -> Iterator[Place]:
        for spec in specs:
            if self._is_there(spec, event):
                for moment in Moment:
                    name = f"{label} {guard_name(spec)} {moment}"
                    yield Place(name=name, edge=place, call=CallbackCall(spec, moment), group=spec.group)

    def _is_there(self, spec: CallbackSpec, event: str) -> bool:
        """Whether an entry stands for a callback: those by convention do only where the class has such a method."""
        if not spec.is_convention:
            return True
        name = str(spec.func)
        of_event = name.partition("_")[2]
        is_of_another = of_event in self.model.definition.events and of_event != event
        return hasattr(self._chart, name) and not is_of_another

    def guards(self, *, twice: bool) -> Iterator[Place]:
        """Every guard in every state that asks it; ``twice``, also when the engine asks again after the gate."""
        seen = set()
        for place, edge in enumerate(self.model.definition.edges):
            for guard in edge.guards:
                if (edge.source, guard.name) in seen or not self.is_feasible(place):
                    continue
                seen.add((edge.source, guard.name))
                for times in (1, 2) if twice else (1,):
                    asked = f"guard {guard.name}" if times == 1 else f"guard {guard.name}, asked again"
                    name = f"{self.model.edge_keys[place]}: {asked}"
                    call = GuardCall(guard.name)
                    yield Place(name=name, edge=place, call=call, group=CallbackGroup.COND, times=times)

    # -- ways -------------------------------------------------------------------------------------------------------

    def is_fault_edge(self, place: int) -> bool:
        """Whether an edge is the machine's own answer to a failure."""
        definition = self.model.definition
        return definition.fault_event is not None and definition.edges[place].event == definition.fault_event

    def is_feasible(self, place: int) -> bool:
        """Whether a step can take an edge, once the machine is in its source."""
        edge = self.model.definition.edges[place]
        if self.is_fault_edge(place):
            return any(rival.guards for rival in self._rivals(edge))
        if answers_for(self.model, [edge.source], place) is None:
            return False
        return moves_by_itself(self.model, place) or answers_for_rest(self.model, [edge.source]) is not None

    def _rivals(self, edge: EdgeDefinition) -> Iterator[EdgeDefinition]:
        for place, other in enumerate(self.model.definition.edges):
            if other.source == edge.source and moves_by_itself(self.model, place):
                yield other

    def way(self, start: str, goal: str) -> tuple[int, ...] | None:
        """The shortest path of edges from one state to another, in declared order where several are; None: none is."""
        paths: dict[str, tuple[int, ...]] = {start: ()}
        waiting = deque([start])
        while waiting and goal not in paths:
            state = waiting.popleft()
            for place, edge in enumerate(self.model.definition.edges):
                is_new = edge.source == state and edge.target not in paths
                if is_new and not self.is_fault_edge(place) and self.is_feasible(place):
                    paths[edge.target] = (*paths[state], place)
                    waiting.append(edge.target)
        return paths.get(goal)

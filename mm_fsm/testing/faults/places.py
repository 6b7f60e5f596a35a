"""Where something can raise: every callback and guard of a chart, on every edge on which it is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen
from statemachine.callbacks import CallbackGroup, CallbackSpec

from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.reading import EngineReading
from mm_fsm.testing.faults.sabotage import CALLBACKS, Call, CallbackCall, GuardCall, Moment
from mm_fsm.testing.subjects.ways import Ways

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


class FaultPlaces:
    """The places of one chart. Edges are known by their place in its model."""

    def __init__(self, chart: type, reading: EngineReading, ways: Ways) -> None:
        self.model: ChartModel = reading.model
        self._chart = chart
        self._reading = reading
        self._ways = ways

    def callbacks(self) -> Iterator[Place]:
        """Every callback on every edge, at its beginning and at its end; first those of the initial state's entry."""
        initial = self.model.definition.initial.id
        for transition in self._reading.transitions:
            if transition.source.id == initial:
                yield from self._callback(INITIAL, transition.source.enter, f"(start)--> {initial}", "")
                break
        for place, edge in enumerate(self.model.definition.edges):
            transition = self._reading.transitions[self.model.transitions[place]]
            specs = [*transition.before, *transition.on, *transition.after]
            if not edge.internal:
                specs += [*transition.source.exit, *(spec for target in transition.targets for spec in target.enter)]
            yield from self._callback(place, specs, self.model.edge_keys[place], edge.event)

    def _callback(self, place: int, specs: Iterable[CallbackSpec], label: str, event: str) -> Iterator[Place]:
        for spec in sorted(specs, key=lambda spec: CALLBACKS.index(spec.group)):
            if self._is_there(spec, event):
                for moment in Moment:
                    name = f"{label}: {spec.group.name.lower()} {self._reading.callback_names[spec]} {moment}"
                    yield Place(name=name, edge=place, call=CallbackCall(spec, moment), group=spec.group)

    def _is_there(self, spec: CallbackSpec, event: str) -> bool:
        """Whether an entry stands for a callback: those by convention do only where the class has such a method."""
        if not spec.is_convention:
            return True
        name = str(spec.func)
        of_event = name.partition("_")[2]
        is_of_another = of_event in self.model.definition.events and of_event != event
        return hasattr(self._chart, name) and not is_of_another

    def guards(self) -> Iterator[Place]:
        """Every guard in every state that asks it."""
        seen = set()
        for place, edge in enumerate(self.model.definition.edges):
            for guard in edge.guards:
                if (edge.source, guard.name) in seen or not self._ways.is_feasible(place):
                    continue
                seen.add((edge.source, guard.name))
                name = f"{self.model.edge_keys[place]}: guard {guard.name}"
                yield Place(name=name, edge=place, call=GuardCall(guard.name), group=CallbackGroup.COND)

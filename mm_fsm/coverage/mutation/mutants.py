"""The mutants of a chart: every small fault that a test suite is asked to notice. docs/coverage.md defines them.

Each knows its fault in two forms: in the definition of a declared chart, which gates and tables are made from, and in
a python-statemachine class. It also knows whether a test has run the part that it changes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, TypeVar

from attrs import evolve, frozen
from statemachine.callbacks import CallbackGroup, CallbackSpec

from mm_fsm.chart import ChartDefinition, EdgeDefinition, Nesting, StateDefinition
from mm_fsm.chart.definition import NO_EVENT
from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.reading import EngineReading
from mm_fsm.coverage.run import ChartHits

Edges = tuple[EdgeDefinition, ...]

ON_STATES: Final = {"enter": "entry", "exit": "exit"}
ON_EDGES: Final = ("before", "on", "after")


@frozen(kw_only=True)
class Mutant:
    """One fault."""

    key: str
    """Names it within its chart, the same in every run."""
    gap: str
    """One line on the test that is missing while no test notices it."""
    edges: tuple[int, ...] = ()
    """Places of the edges that it is about."""

    @abstractmethod
    def was_run(self, model: ChartModel, hits: ChartHits) -> bool:
        """Whether a test that saw this has run the changed part; another one cannot notice the fault."""

    def in_definition(self, definition: ChartDefinition) -> ChartDefinition:
        """A declared chart with the fault."""
        return evolve(definition, edges=self.in_edges(definition.edges))

    def in_edges(self, edges: Edges) -> Edges:
        """The edges of a declared chart with the fault."""
        return edges

    @abstractmethod
    def put_into(self, reading: EngineReading) -> None:
        """Put the fault into a python-statemachine class."""


@frozen(kw_only=True)
class TransitionMutant(Mutant):
    """A fault in one transition; its edges differ only by their events."""

    number: int

    def was_run(self, model: ChartModel, hits: ChartHits) -> bool:
        """The transition was taken."""
        return any(hits.edges[place] for place in self.edges)


@frozen(kw_only=True)
class DroppedTransition(TransitionMutant):
    """A transition is missing."""

    def in_edges(self, edges: Edges) -> Edges:
        """Change the edges."""
        return tuple(edge for place, edge in enumerate(edges) if place not in self.edges)

    def put_into(self, reading: EngineReading) -> None:
        """Change the class."""
        transition = reading.transitions[self.number]
        _remove(transition.source.transitions.transitions, transition)


@frozen(kw_only=True)
class RedirectedTransition(TransitionMutant):
    """A transition leads to another state."""

    target: str

    def in_edges(self, edges: Edges) -> Edges:
        """Change the edges."""
        return tuple(
            evolve(edge, target=self.target, internal=False) if place in self.edges else edge
            for place, edge in enumerate(edges)
        )

    def put_into(self, reading: EngineReading) -> None:
        """Change the class."""
        transition, target = reading.transitions[self.number], reading.states[self.target]
        transition.targets[:] = [target]
        transition.internal, transition.is_self = False, target is transition.source


@frozen(kw_only=True)
class GuardMutant(TransitionMutant):
    """A fault in one guard of a transition."""

    guard: int
    """Its place among the guards."""
    expected: bool

    def asked(self, hits: ChartHits, answer: bool) -> bool:  # noqa: FBT001
        """Whether the guard gave this answer."""
        return bool(hits.answers[self.number, self.guard, answer])

    def in_edges(self, edges: Edges) -> Edges:
        """Change the edges."""
        return tuple(
            evolve(edge, guards=self.in_guards(edge.guards)) if place in self.edges else edge
            for place, edge in enumerate(edges)
        )

    @abstractmethod
    def in_guards(self, guards: tuple[Any, ...]) -> tuple[Any, ...]:
        """The guards of the edge with the fault."""

    def spec(self, reading: EngineReading) -> CallbackSpec:
        """The guard in the python-statemachine class."""
        guards: list[CallbackSpec] = list(reading.transitions[self.number].cond)
        return guards[self.guard]


@frozen(kw_only=True)
class NegatedGuard(GuardMutant):
    """A guard lets pass what it should keep back, and the other way round."""

    def was_run(self, model: ChartModel, hits: ChartHits) -> bool:
        """The guard was asked on this transition."""
        return any(self.asked(hits, answer) for answer in (True, False))

    def in_guards(self, guards: tuple[Any, ...]) -> tuple[Any, ...]:
        """Change the one guard."""
        negated = evolve(guards[self.guard], expected=not self.expected)
        return (*guards[: self.guard], negated, *guards[self.guard + 1 :])

    def put_into(self, reading: EngineReading) -> None:
        """Change the class."""
        self.spec(reading).expected_value = not self.expected


@frozen(kw_only=True)
class DroppedGuard(GuardMutant):
    """A guard is not asked."""

    def was_run(self, model: ChartModel, hits: ChartHits) -> bool:
        """The guard kept this transition from being taken."""
        return self.asked(hits, not self.expected)

    def in_guards(self, guards: tuple[Any, ...]) -> tuple[Any, ...]:
        """Change the one guard."""
        return (*guards[: self.guard], *guards[self.guard + 1 :])

    def put_into(self, reading: EngineReading) -> None:
        """Change the class."""
        _remove(reading.transitions[self.number].cond.list.items, self.spec(reading))


@frozen(kw_only=True)
class SwappedTransitions(Mutant):
    """Of two candidates the second is tried first."""

    first: int
    second: int
    """Their numbers; ``edges`` are the places of all edges of the first, then one of the second."""

    def was_run(self, model: ChartModel, hits: ChartHits) -> bool:
        """The first was taken, perhaps where the second would have been."""
        return any(hits.edges[place] for place in self.edges[:-1])

    def in_edges(self, edges: Edges) -> Edges:
        """Move the second before the first."""
        first, second = self.edges[0], self.edges[-1]
        return (*edges[:first], edges[second], *edges[first:second], *edges[second + 1 :])

    def put_into(self, reading: EngineReading) -> None:
        """Change the class."""
        first, second = reading.transitions[self.first], reading.transitions[self.second]
        candidates = first.source.transitions.transitions
        _remove(candidates, second)
        candidates.insert(next(place for place, one in enumerate(candidates) if one is first), second)


@frozen(kw_only=True)
class DroppedStateAction(Mutant):
    """A state's entry or exit action is not run."""

    state: str
    when: str
    action: str

    def was_run(self, model: ChartModel, hits: ChartHits) -> bool:
        """The state was active."""
        return bool(hits.states[self.state])

    def in_definition(self, definition: ChartDefinition) -> ChartDefinition:
        """Change the state."""
        states = (
            _without_action(state, self.when, self.action) if state.id == self.state else state
            for state in definition.states
        )
        return evolve(definition, states=tuple(states))

    def put_into(self, reading: EngineReading) -> None:
        """Change the class."""
        _remove_action(reading, reading.states[self.state].enter.list.items, self.when, self.action)


@frozen(kw_only=True)
class DroppedEdgeAction(TransitionMutant):
    """An action of a transition is not run."""

    when: str
    action: str

    def in_edges(self, edges: Edges) -> Edges:
        """Change the edges."""
        return tuple(
            _without_action(edge, self.when, self.action) if place in self.edges else edge
            for place, edge in enumerate(edges)
        )

    def put_into(self, reading: EngineReading) -> None:
        """Change the class."""
        _remove_action(reading, reading.transitions[self.number].cond.list.items, self.when, self.action)


_Acting = TypeVar("_Acting", StateDefinition, EdgeDefinition)


def _without_action(acting: _Acting, when: str, action: str) -> _Acting:
    kept = tuple(callback for callback in getattr(acting, when) if callback.name != action)
    changes: dict[str, Any] = {when: kept}
    return evolve(acting, **changes)


def _remove(items: list[Any], one: object) -> None:
    """By identity: states and callbacks of python-statemachine are equal when they look alike."""
    items[:] = [item for item in items if item is not one]


_GROUPS: Final = {
    "enter": (CallbackGroup.ENTER, CallbackGroup.INVOKE),
    "exit": (CallbackGroup.EXIT,),
    "before": (CallbackGroup.BEFORE,),
    "on": (CallbackGroup.ON,),
    "after": (CallbackGroup.AFTER,),
}
"""Whose entries stand in one list of a state or a transition."""


def _remove_action(reading: EngineReading, items: list[Any], when: str, name: str) -> None:
    named = (spec for spec in items if spec.group in _GROUPS[when] and reading.callback_names[spec] == name)
    _remove(items, next(named))


# -- all of a chart ---------------------------------------------------------------------------------------------------


def mutants_of(model: ChartModel) -> tuple[Mutant, ...]:
    """Every mutant of a chart, in the order of its definition."""
    places: dict[int, tuple[int, ...]] = {}
    for place, number in enumerate(model.transitions):
        places[number] = (*places.get(number, ()), place)
    found: list[Mutant] = []
    for number, edges in places.items():
        found += _of_transition(model, number, edges)
    for first, second in _candidates(model):
        found.append(_swapped(model, places[first], places[second]))
    for state in model.real_states:
        for when, word in ON_STATES.items():
            found += [
                DroppedStateAction(
                    key=f"{word} of {state.id}: {action.name} dropped",
                    gap=f"state {state.id}: no test notices when its {word} action {action.name} is not run",
                    state=state.id,
                    when=when,
                    action=action.name,
                )
                for action in getattr(state, when)
            ]
    return tuple(found)


def _of_transition(model: ChartModel, number: int, edges: tuple[int, ...]) -> Iterator[Mutant]:
    edge, key = model.definition.edges[edges[0]], model.edge_keys[edges[0]]
    where = _where(model, edges)
    yield DroppedTransition(
        key=f"{key}: dropped",
        gap=f"{where}: no test notices when the edge to {edge.target} is missing",
        edges=edges,
        number=number,
    )
    for target in _other_targets(model, edge.target):
        yield RedirectedTransition(
            key=f"{key}: redirected to {target}",
            gap=f"{where}: no test notices when it leads to {target} instead of {edge.target}",
            edges=edges,
            number=number,
            target=target,
        )
    for place, guard in enumerate(edge.guards):
        common: dict[str, Any] = {"edges": edges, "number": number, "guard": place, "expected": guard.expected}
        yield NegatedGuard(
            key=f"{key}: {guard.name} negated",
            gap=f"{where}: no test notices when guard {guard.name} must be {not guard.expected}",
            **common,
        )
        yield DroppedGuard(
            key=f"{key}: {guard.name} dropped",
            gap=f"{where}: no test notices when guard {guard.name} is not asked",
            **common,
        )
    yield from _without_actions(model, number, edges)


def _without_actions(model: ChartModel, number: int, edges: tuple[int, ...]) -> Iterator[Mutant]:
    definitions = [model.definition.edges[place] for place in edges]
    for when in ON_EDGES:
        for name in dict.fromkeys(action.name for edge in definitions for action in getattr(edge, when)):
            yield DroppedEdgeAction(
                key=f"{model.edge_keys[edges[0]]}: {name} ({when}) dropped",
                gap=f"{_where(model, edges)}: no test notices when its action {name} is not run",
                edges=edges,
                number=number,
                when=when,
                action=name,
            )


def _other_targets(model: ChartModel, target: str) -> list[str]:
    """Every other state beside the target: of a flat chart all, of a nested one those with the same parent."""
    parent = model.parents.get(target)
    return [
        state.id
        for state in model.definition.states
        if state.id != target
        and model.parents.get(state.id) == parent
        and model.nesting.get(state.id) is not Nesting.HISTORY
    ]


def _candidates(model: ChartModel) -> list[tuple[int, int]]:
    """Transitions, by their numbers, of which the second is tried when the first may not be taken."""
    definition = model.definition
    groups: dict[tuple[str, str], list[int]] = {}
    for edge, number in zip(definition.edges, model.transitions, strict=True):
        is_automatic = definition.automatic and not edge.command
        group = groups.setdefault((edge.source, "" if is_automatic else edge.event), [])
        if number not in group:
            group.append(number)
    pairs = [pair for group in groups.values() for pair in pairwise(group)]
    return list(dict.fromkeys(pairs))


def _swapped(model: ChartModel, first: tuple[int, ...], second: tuple[int, ...]) -> Mutant:
    keys = [model.edge_keys[places[0]] for places in (first, second)]
    before, after = (model.definition.edges[places[0]] for places in (first, second))
    return SwappedTransitions(
        key=f"{keys[0]}: tried after {keys[1]}",
        gap=f"{_where(model, first)}: no test notices when {_candidate(after, before)} is tried first",
        edges=(*first, second[0]),
        first=model.transitions[first[0]],
        second=model.transitions[second[0]],
    )


def _candidate(edge: EdgeDefinition, other: EdgeDefinition) -> str:
    if edge.event != other.event:
        return f"event {edge.event}"
    guards = ", ".join(map(str, edge.guards))
    return f"the edge to {edge.target}{f' [{guards}]' if guards else ''}"


def _where(model: ChartModel, edges: Sequence[int]) -> str:
    first = model.definition.edges[edges[0]]
    events = " or ".join(model.definition.edges[place].event for place in edges)
    return f"state {first.source}, {'without an event' if events == NO_EVENT else f'event {events}'}"

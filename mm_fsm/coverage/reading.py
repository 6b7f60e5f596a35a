"""From classes to models: our charts by their definition, python-statemachine's through its public attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve, field, frozen
from statemachine import State, StateChart
from statemachine.transition import Transition

from mm_fsm.chart import Chart, chart_of, definition_of
from mm_fsm.chart.foreign import (
    CallbackNames,
    ForeignChart,
    catches_errors,
    ended_by,
    every_state,
    forgets_target,
    read_foreign,
    starting_in,
)
from mm_fsm.coverage.model import ChartModel, flat_model


def reference_of(chart: type) -> str:
    """``module:Class``, as ``--fsm-cov`` takes it."""
    return f"{chart.__module__}:{chart.__qualname__}"


def read_chart(chart: type[Chart]) -> ChartModel:
    """The model of one of our charts.

    Raises:
        ChartDefinitionError: the class declares no states.
    """
    return flat_model(reference_of(chart), definition_of(chart))


@frozen
class EngineReading:
    """A python-statemachine class as a model, and how to find the model's edges at run time."""

    model: ChartModel
    edges: Mapping[tuple[int, str | None], int]
    """The edge of a transition, by its ``id``, and an event's name; None where an edge has no event."""
    names: Mapping[Any, str]
    """The identifier of each state by the value that stands for it."""
    transitions: tuple[Transition, ...] = field(repr=False)
    """By their numbers; held here, so that their ``id`` stays theirs."""
    states: Mapping[str, State] = field(repr=False)
    """States of every level, by their identifiers."""
    callback_names: CallbackNames = field(repr=False)
    """What the model calls the guards and actions."""
    may_enter_again: bool
    """Whether a transition may leave a state and enter it again; otherwise what is active tells what was entered."""


def read_engine(chart: type[StateChart[Any]]) -> EngineReading:
    """Read a python-statemachine class, without making an instance of it."""
    foreign = read_foreign(chart)
    known = _Known(chart, foreign)
    states = {id(state): value for value, state in chart.states_map.items()}
    model = ChartModel(
        reference=reference_of(chart),
        definition=foreign.definition,
        transitions=foreign.numbers,
        leads_to=tuple(known.leads_to(foreign.transitions[number]) for number in foreign.numbers),
        starts_in=tuple(known.entered_with(chart.initial_state)) if chart.initial_state else (),
        illegal=tuple(known.illegal()),
        never_right_after=tuple(known.never_right_after()),
        confused=tuple(
            (name, foreign.identifier(chart.states_map[state.value]))
            for name, state in foreign.states.items()
            if not state.is_history and id(state) not in states
        ),
    )
    names = {value: foreign.identifier(state) for value, state in chart.states_map.items()}
    may_enter_again = any(map(_may_enter_again, foreign.transitions))
    return EngineReading(
        model, foreign.places, names, foreign.transitions, foreign.states, foreign.names, may_enter_again
    )


def as_declared(reading: EngineReading, model: ChartModel) -> EngineReading:
    """The engine of one of our charts, read back, with edges and transitions numbered as in the chart's own model."""
    places = {key: place for place, key in enumerate(model.edge_keys)}
    numbers = [places[key] for key in reading.model.edge_keys]
    transitions = dict(zip(numbers, reading.transitions, strict=True))
    return evolve(
        reading,
        model=model,
        edges={key: numbers[place] for key, place in reading.edges.items()},
        transitions=tuple(transitions[place] for place in range(len(numbers))),
    )


def read_engine_of(chart: type[Chart]) -> EngineReading:
    """The python-statemachine class of one of our charts, with edges numbered as in the chart's own model."""
    return as_declared(read_engine(chart_of(chart)), read_chart(chart))


def entered_by(reading: EngineReading, state: State) -> list[str]:
    """The states that a machine is in when it starts in ``state``."""
    identifiers = {id(state): name for name, state in reading.states.items()}
    return [identifiers[id(one)] for one in (*state.ancestors(), *_entered_with(state))]


def _entered_with(state: State) -> Iterator[State]:
    """A state and those that are entered with it, or may be where it is a history state."""
    if state.is_history:
        parent = state.parent
        assert parent is not None  # noqa: S101 - a history state is declared in its parent
        if state.type.is_deep:  # type: ignore[attr-defined]
            yield from (inner for inner in every_state(parent.states) if not inner.is_history)
        yield from (inner for child in parent.states for inner in _entered_with(child))
        return
    yield state
    for child in starting_in(state):
        yield from (around for around in child.ancestors() if _is_within(around, state))
        yield from _entered_with(child)


def _is_within(state: State, around: State) -> bool:
    """By identity: states of python-statemachine are equal when their names are."""
    return any(ancestor is around for ancestor in state.ancestors())


def _may_enter_again(transition: Transition) -> bool:
    """Whether a transition may leave a state and enter it again.

    It may where one end lies within the other, or is the other, and where a parallel state is left as a whole.
    """
    source, targets = transition.source, transition.targets
    for target in targets:
        end = target.parent if target.is_history and target.parent is not None else target
        if end is source or _is_within(source, end) or _is_within(end, source):
            return True
    for around in source.ancestors():
        if around.parallel:
            return bool(targets)
        if all(_is_within(target, around) for target in targets):
            return False
    return False


class _Known:
    """What follows from the declaration of one class."""

    def __init__(self, chart: type[StateChart[Any]], foreign: ForeignChart) -> None:
        self._chart = chart
        self._foreign = foreign

    def entered_with(self, state: State) -> Iterator[str]:
        """The identifiers of a state and those that are entered with it, or may be where it is a history state."""
        return (self._foreign.identifier(one) for one in _entered_with(state))

    def leads_to(self, transition: Transition) -> tuple[str, ...]:
        """The states that a transition may enter or keep active, as far as its own targets decide it."""
        identifier = self._foreign.identifier
        source = transition.source
        found: dict[str, None] = {}
        left_alone = {id(state) for state in (source, *source.ancestors())}
        for target in transition.targets or [source]:
            inner = target
            for around in target.ancestors():
                found[identifier(around)] = None
                if around.parallel and id(around) not in left_alone:
                    regions = (region for region in around.states if region is not inner)
                    found |= dict.fromkeys(name for region in regions for name in self.entered_with(region))
                inner = around
            found |= dict.fromkeys(self.entered_with(target))
        if not transition.targets:  # what is active inside stays so
            found |= dict.fromkeys(identifier(state) for state in every_state(source.states) if not state.is_history)
        elif forgets_target(self._chart, transition):
            found.pop(identifier(transition.targets[0]), None)
        return tuple(found)

    def never_right_after(self) -> Iterator[tuple[int, int]]:
        """Pairs of which the second tells of the end of a state to which the first leads without ending it.

        The machine tells of an end as soon as it has entered a last state there, before anything else is sent.
        """
        foreign = self._foreign
        for second, edge in enumerate(foreign.definition.edges):
            ended, source = ended_by(edge.event, foreign.states.values()), foreign.states[edge.source]
            if ended is None or not (ended is source or _is_within(ended, source)):
                continue
            for first, number in enumerate(foreign.numbers):
                if not self._can_end(foreign.transitions[number], ended):
                    yield first, second

    def _can_end(self, transition: Transition, state: State) -> bool:
        """Whether a transition may enter what a state ends with: its own last state, or the last one of its regions."""
        entered = {id(one) for target in transition.targets for one in self._entered_by_way_to(target, transition)}
        if any(inner.final and id(inner) in entered for inner in state.states):
            return True
        if not state.parallel:
            return False
        ends = [any(inner.final and id(inner) in entered for inner in region.states) for region in state.states]
        stays_inside = _is_within(transition.source, state)
        return any(ends) if stays_inside else all(ends)

    def _entered_by_way_to(self, target: State, transition: Transition) -> Iterator[State]:
        """A target, what is entered with it, and the regions beside it where it lies in a parallel state."""
        yield from _entered_with(target)
        inner, left_alone = target, {id(state) for state in (transition.source, *transition.source.ancestors())}
        for around in target.ancestors():
            if around.parallel and id(around) not in left_alone:
                yield from (one for region in around.states if region is not inner for one in _entered_with(region))
            inner = around

    def illegal(self) -> Iterator[tuple[str, str]]:
        """Innermost states with the events that may be sent there and are not accepted."""
        definition = self._foreign.definition
        reserved = ("error_",) if catches_errors(self._chart) else ()
        sendable = [
            event
            for event in definition.events
            if event not in definition.origins and not event.startswith(reserved) and not {".", "*"} & set(event)
        ]
        for name, state in self._foreign.states.items():
            if state.states or state.is_history:
                continue
            around = [state, *state.ancestors()]
            for event in sendable:
                if not any(t.match(event) for one in around for t in one.transitions if not t.initial):
                    yield name, event

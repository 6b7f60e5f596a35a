"""From classes to models: our charts by their definition, python-statemachine's through its public attributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import LambdaType
from typing import Any

from attrs import evolve, field, frozen
from statemachine import State, StateChart
from statemachine.callbacks import CallbackSpec
from statemachine.transition import Transition

from mm_fsm.chart import (
    CallbackDefinition,
    Chart,
    ChartDefinition,
    EdgeDefinition,
    GuardTerm,
    StateDefinition,
    chart_of,
    definition_of,
)
from mm_fsm.coverage.model import NO_EVENT, ChartModel, Nesting, flat_model

_ENGINE_EVENTS = ("error_", "done_state_", "done_invoke_")
"""What events begin with that python-statemachine sends itself; nobody is asked to send them where they do not fit."""

_PURPOSES = {
    Nesting.COMPOUND: "one of the states in this frame is active with it",
    Nesting.PARALLEL: "every region in this frame is active with it",
    Nesting.HISTORY: "history: what was active last",
}


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


def read_engine(chart: type[StateChart[Any]]) -> EngineReading:
    """Read a python-statemachine class, without making an instance of it."""
    states = list(_every_state(chart.states))
    transitions = tuple(t for state in states if not state.is_history for t in state.transitions if not t.initial)
    edges: list[EdgeDefinition] = []
    numbers: list[int] = []
    places: dict[tuple[int, str | None], int] = {}
    for number, transition in enumerate(transitions):
        for event, sent_as in _events_of(transition).items():
            places |= {(id(transition), name): len(edges) for name in sent_as}
            edges.append(_edge(chart, transition, event))
            numbers.append(number)
    model = ChartModel(
        reference=reference_of(chart),
        definition=ChartDefinition(
            name=chart.__name__,
            states=tuple(_state(chart, state) for state in states),
            edges=tuple(edges),
            automatic=False,
        ),
        transitions=tuple(numbers),
        leads_to=tuple(_leads_to(transitions[number]) for number in numbers),
        starts_in=tuple(_entered_with(chart.initial_state)) if chart.initial_state else (),
        illegal=tuple(_illegal(states, dict.fromkeys(edge.event for edge in edges))),
        parents={state.id: state.parent.id for state in states if state.parent},
        nesting={state.id: nesting for state in states if (nesting := _nesting(state))},
    )
    names = {value: state.id for value, state in chart.states_map.items()}
    return EngineReading(model, places, names, transitions, {state.id: state for state in states})


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


def _every_state(states: Iterable[State]) -> Iterator[State]:
    for state in states:
        yield state
        yield from state.history
        yield from _every_state(state.states)


def _nesting(state: State) -> Nesting | None:
    if state.is_history:
        return Nesting.HISTORY
    if state.parallel:
        return Nesting.PARALLEL
    return Nesting.COMPOUND if state.states else None


def _state(chart: type, state: State) -> StateDefinition:
    """A state; of those within another none is called initial, which only the chart's own first state is."""
    is_first = bool(state.initial) and state.parent is not None and not state.parent.parallel
    return StateDefinition(
        id=state.id,
        name=str(state.name),
        purpose="; ".join(["entered first"] * is_first + [_PURPOSES[kind] for kind in [_nesting(state)] if kind]),
        initial=bool(state.initial) and state.parent is None,
        final=bool(state.final),
        enter=_callbacks(chart, state.enter, {"on_enter_state", f"on_enter_{state.id}"}),
        exit=_callbacks(chart, state.exit, {"on_exit_state", f"on_exit_{state.id}"}),
    )


def _edge(chart: type, transition: Transition, event: str) -> EdgeDefinition:
    return EdgeDefinition(
        event=event,
        source=transition.source.id,
        target=(transition.target or transition.source).id,
        guards=tuple(GuardTerm(guard_name(spec), bool(spec.expected_value)) for spec in transition.cond),
        internal=bool(transition.internal) or transition.target is None,
        before=_callbacks(chart, transition.before, {"before_transition", f"before_{event}"}),
        on=_callbacks(chart, transition.on, {"on_transition", f"on_{event}"}),
        after=_callbacks(chart, transition.after, {"after_transition", f"after_{event}"}),
    )


def _callbacks(chart: type, specs: Iterable[CallbackSpec], hooks: set[str]) -> tuple[CallbackDefinition, ...]:
    """Callbacks in the order in which they run; of the hooks bound by name, those that the class itself has."""
    ordered = sorted(specs, key=lambda spec: int(spec.priority))
    present = [spec for spec in ordered if not spec.is_convention or (spec.func in hooks and hasattr(chart, spec.func))]
    return tuple(CallbackDefinition(callback_name(spec)) for spec in present)


def callback_name(spec: CallbackSpec) -> str:
    """An action as declared; functions go by their own name."""
    return spec.func if isinstance(spec.func, str) else str(getattr(spec.func, "__name__", spec.attr_name))


def guard_name(spec: CallbackSpec) -> str:
    """A guard as declared; a string with ``and`` or ``or`` in it is one guard. Functions go by their own name."""
    if isinstance(spec.func, LambdaType) and spec.func.__name__ == "<lambda>":
        return f"lambda in line {spec.func.__code__.co_firstlineno}"
    return str(spec.func) if isinstance(spec.func, str) else spec.attr_name


def _events_of(transition: Transition) -> dict[str, list[str | None]]:
    """Every event of a transition with the names it is sent by: ``error_x`` is also sent as ``error.x``."""
    names = [str(event) for event in transition.events]
    if not names:
        return {NO_EVENT: [None]}
    plain = {name.replace("_", "."): name for name in names if "." not in name}
    events: dict[str, list[str | None]] = {}
    for name in names:
        events.setdefault(plain.get(name.replace("_", "."), name), []).append(name)
    return events


def _leads_to(transition: Transition) -> tuple[str, ...]:
    """The states that a transition may enter or keep active, as far as its own targets decide it."""
    found: dict[str, None] = {}
    left_alone = {transition.source, *transition.source.ancestors()}
    for target in transition.targets or [transition.source]:
        inner = target
        for around in target.ancestors():
            found[around.id] = None
            if around.parallel and around not in left_alone:
                found |= dict.fromkeys(
                    name for region in around.states if region != inner for name in _entered_with(region)
                )
            inner = around
        found |= dict.fromkeys(_entered_with(target))
    if not transition.targets:  # what is active inside stays so
        found |= dict.fromkeys(state.id for state in _every_state(transition.source.states) if not state.is_history)
    return tuple(found)


def entered_by(state: State) -> list[str]:
    """The states that a machine is in when it starts in ``state``."""
    return [*(around.id for around in state.ancestors()), *_entered_with(state)]


def _entered_with(state: State) -> Iterator[str]:
    """A state and those that are entered with it, or may be where it is a history state."""
    if state.is_history:
        parent = state.parent
        assert parent is not None  # noqa: S101 - a history state is declared in its parent
        deep = _every_state(parent.states) if state.type.is_deep else iter(())  # type: ignore[attr-defined]
        yield from (inner.id for inner in deep if not inner.is_history)
        yield from (name for child in parent.states for name in _entered_with(child))
        return
    yield state.id
    starting = state.states if state.parallel else [s for t in state.transitions if t.initial for s in t.targets]
    for child in starting:
        yield from (around.id for around in child.ancestors(parent=state))
        yield from _entered_with(child)


def _illegal(states: Iterable[State], events: Iterable[str]) -> Iterator[tuple[str, str]]:
    sendable = [
        event
        for event in events
        if event != NO_EVENT and not event.startswith(_ENGINE_EVENTS) and not {".", "*"} & set(event)
    ]
    for state in states:
        if state.states or state.is_history:
            continue
        around = [state, *state.ancestors()]
        for event in sendable:
            if not any(t.match(event) for one in around for t in one.transitions if not t.initial):
                yield state.id, event

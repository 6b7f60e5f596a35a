"""Definitions to generate tests from: those of our charts, and of flat python-statemachine classes with callbacks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import evolve
from statemachine import State, StateChart
from statemachine.callbacks import CallbackSpec

from mm_fsm.chart import CallbackDefinition, Chart, ChartDefinition, EdgeDefinition, definition_of
from mm_fsm.coverage.model import NO_EVENT
from mm_fsm.coverage.reading import EngineReading, read_engine
from mm_fsm.testing.problems import GenerationError

AnyChart = type[Chart] | type[StateChart[Any]]


def definition_for(chart: AnyChart) -> ChartDefinition:
    """The definition of one of our charts, or of a flat python-statemachine class.

    Raises:
        GenerationError: the class has states within states, or edges that no event takes.
        ChartDefinitionError: one of our classes declares no states.
    """
    if issubclass(chart, Chart):
        return definition_of(chart)
    reading = read_engine(chart)
    definition = reading.model.definition
    if not definition.states or not reading.model.is_flat:
        found = f"found {sorted(reading.model.nesting)}" if reading.model.nesting else "found none"
        raise GenerationError(
            chart.__name__,
            f"expected states that contain no others, {found}.",
            "Tests are generated for flat charts; coverage measures nested ones too.",
        )
    if any(edge.event == NO_EVENT for edge in definition.edges):
        raise GenerationError(
            chart.__name__,
            "expected an event on every edge, found an edge without one.",
            "Write tests for it by hand: it is taken as soon as its guards hold.",
        )
    return evolve(
        definition,
        states=tuple(
            evolve(one, enter=_callbacks(chart, found.enter), exit=_callbacks(chart, found.exit))
            for one, found in zip(definition.states, _in_order(chart, definition), strict=True)
        ),
        edges=tuple(
            _with_callbacks(chart, reading, edge, number)
            for edge, number in zip(definition.edges, reading.model.transitions, strict=True)
        ),
    )


def _in_order(chart: type[StateChart[Any]], definition: ChartDefinition) -> list[State]:
    by_id = {state.id: state for state in chart.states}
    return [by_id[state.id] for state in definition.states]


def _with_callbacks(
    chart: type[StateChart[Any]], reading: EngineReading, edge: EdgeDefinition, number: int
) -> EdgeDefinition:
    transition = reading.transitions[number]
    return evolve(
        edge,
        before=_callbacks(chart, transition.before, edge.event),
        on=_callbacks(chart, transition.on, edge.event),
        after=_callbacks(chart, transition.after, edge.event),
    )


def _callbacks(
    chart: type[StateChart[Any]], specs: Iterable[CallbackSpec], event: str = ""
) -> tuple[CallbackDefinition, ...]:
    """What runs, in the order of running; of the hooks bound by name those that exist and belong to the event."""
    chosen = [
        spec
        for spec in sorted(specs, key=lambda spec: int(spec.priority))
        if hasattr(chart, spec.attr_name)
        and (not spec.is_convention or spec.cond is None or spec.attr_name.endswith(f"_{event}"))
    ]
    return tuple(CallbackDefinition(spec.attr_name) for spec in chosen)

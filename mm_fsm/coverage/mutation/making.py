"""Lets a class have a fault until a block ends: machines made meanwhile are mutants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from statemachine import StateChart

from mm_fsm.chart import Chart, definition_of
from mm_fsm.chart.chart import redefined
from mm_fsm.chart.engine import build_engine_class
from mm_fsm.coverage.model import ChartModel
from mm_fsm.coverage.mutation.mutants import Mutant
from mm_fsm.coverage.reading import EngineReading, as_declared, read_chart, read_engine


def model_of(chart: type) -> ChartModel:
    """The model of a chart's class, of which ``mutants_of`` gives the mutants.

    Raises:
        ChartDefinitionError: the class declares no states.
    """
    if issubclass(chart, Chart):
        return read_chart(chart)
    return read_engine(cast("type[StateChart[Any]]", chart)).model


@contextmanager
def mutated(chart: type, mutant: Mutant) -> Iterator[None]:
    """Let a chart's class have a fault until the block ends. Machines that exist already may have a part of it.

    Args:
        chart: the class, ours or python-statemachine's.
        mutant: one of its ``mutants_of``.
    """
    if issubclass(chart, Chart):
        definition = definition_of(chart)
        engine_class = build_engine_class(chart, definition)
        mutant.put_into(as_declared(read_engine(engine_class), read_chart(chart)))
        with redefined(chart, mutant.in_definition(definition), engine_class):
            yield
        return
    reading = read_engine(cast("type[StateChart[Any]]", chart))
    with _restored(reading):
        mutant.put_into(reading)
        yield


@contextmanager
def _restored(reading: EngineReading) -> Iterator[None]:
    """Put everything back that a mutant may change in a python-statemachine class."""
    states, transitions = reading.states.values(), reading.transitions
    lists: list[list[Any]] = [items for state in states for items in (state.transitions.transitions, _specs(state))]
    lists += [items for transition in transitions for items in (transition.targets, transition.cond.list.items)]
    contents = [list(items) for items in lists]
    kinds = [(transition.internal, transition.is_self) for transition in transitions]
    guards = [spec for transition in transitions for spec in transition.cond]
    expected = [spec.expected_value for spec in guards]
    try:
        yield
    finally:
        for items, content in zip(lists, contents, strict=True):
            items[:] = content
        for transition, kind in zip(transitions, kinds, strict=True):
            transition.internal, transition.is_self = kind
        for spec, value in zip(guards, expected, strict=True):
            spec.expected_value = value


def _specs(state: Any) -> list[Any]:
    """Callbacks of a state, of entry and exit alike, in the one list that it keeps."""
    items: list[Any] = state.enter.list.items
    return items

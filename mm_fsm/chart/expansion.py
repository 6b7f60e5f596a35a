"""From what a class declares to its definition: edges from any state made one for each, and hooks found by name."""

from __future__ import annotations

import inspect
from typing import Any, Final

from mm_fsm.chart.declaration import State
from mm_fsm.chart.definition import CallbackDefinition, ChartDefinition, EdgeDefinition, StateDefinition
from mm_fsm.chart.inspection import service_calls
from mm_fsm.chart.merge import Declarations, EdgeDeclaration, names_of_callbacks

_ABSENT: Final = object()


def define(cls: type, declarations: Declarations) -> ChartDefinition:
    """The definition of a class's own chart.

    Raises:
        ChartDefinitionError: a state's callback is not given by name.
    """
    chart: Any = cls
    states = tuple(_define_state(cls, state_id, state) for state_id, state in declarations.states.items())
    open_states = [state.id for state in states if not state.final]
    edges: list[EdgeDefinition] = []
    for declared in declarations.edges:
        sources = [declared.source] if declared.source is not None else open_states
        edges += [_define_edge(cls, declared, source) for source in sources if source not in declared.but]
    return ChartDefinition(
        name=cls.__name__,
        states=states,
        edges=tuple(edges),
        fault_event=chart.chart_fault_event,
        automatic=chart.chart_is_automatic,
    )


def _define_state(cls: type, state_id: str, state: State) -> StateDefinition:
    chart = cls.__name__
    return StateDefinition(
        id=state_id,
        name=state.name or state_id.replace("_", " ").capitalize(),
        purpose=state.purpose,
        initial=bool(state.initial),
        final=bool(state.final),
        budget=state.budget,
        enter=_callbacks(cls, names_of_callbacks(chart, state_id, state.enter), f"on_enter_{state_id}"),
        exit=_callbacks(cls, names_of_callbacks(chart, state_id, state.exit), f"on_exit_{state_id}"),
    )


def _define_edge(cls: type, edge: EdgeDeclaration, source: str) -> EdgeDefinition:
    return EdgeDefinition(
        event=edge.event,
        source=source,
        target=edge.target,
        guards=edge.guards,
        internal=edge.internal,
        command=edge.command,
        before=_callbacks(cls, edge.before, f"before_{edge.event}"),
        on=_callbacks(cls, edge.on, f"on_{edge.event}"),
        after=_callbacks(cls, edge.after, f"after_{edge.event}"),
        note=edge.note,
        excluded=edge.excluded,
    )


def _callbacks(cls: type, names: tuple[str, ...], hook: str) -> tuple[CallbackDefinition, ...]:
    """The named callbacks, then the hook that python-statemachine binds by naming convention, where there is one."""
    is_there = inspect.getattr_static(cls, hook, _ABSENT) is not _ABSENT
    bound = dict.fromkeys([*names, hook] if is_there else names)
    return tuple(CallbackDefinition(name, service_calls(cls, name)) for name in bound)

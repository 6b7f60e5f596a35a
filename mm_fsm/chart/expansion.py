"""From what a class declares to its definition: edges from any state made one for each, and hooks found by name."""

from __future__ import annotations

from typing import Any

from mm_fsm.chart.declaration import State, declared_calls
from mm_fsm.chart.definition import CallbackDefinition, ChartDefinition, EdgeDefinition, StateDefinition
from mm_fsm.chart.merge import Declarations, EdgeDeclaration, names_of_callbacks


def define(cls: type, declarations: Declarations) -> ChartDefinition:
    """The definition of a class's own chart.

    Raises:
        ChartDefinitionError: a state's callback is not given by name.
    """
    chart: Any = cls
    callbacks = _Callbacks(cls)
    states = tuple(_define_state(callbacks, state_id, state) for state_id, state in declarations.states.items())
    open_states = [state.id for state in states if not state.final]
    edges: list[EdgeDefinition] = []
    for declared in declarations.edges:
        sources = [declared.source] if declared.source is not None else open_states
        edges += [_define_edge(callbacks, declared, source) for source in sources if source not in declared.but]
    return ChartDefinition(
        name=cls.__name__,
        states=states,
        edges=tuple(edges),
        fault_event=chart.chart_fault_event,
        automatic=chart.chart_is_automatic,
    )


class _Callbacks:
    """Finds the callbacks of one class."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self._attributes = frozenset(dir(cls))
        self._found: dict[str, CallbackDefinition] = {}

    def named(self, names: tuple[str, ...], hook: str) -> tuple[CallbackDefinition, ...]:
        """The named ones, then the hook that python-statemachine binds by naming convention, where there is one."""
        bound = dict.fromkeys([*names, hook] if hook in self._attributes else names)
        for name in bound.keys() - self._found.keys():
            self._found[name] = CallbackDefinition(name, declared_calls(self.cls, name))
        return tuple(self._found[name] for name in bound)


def _define_state(callbacks: _Callbacks, state_id: str, state: State) -> StateDefinition:
    chart = callbacks.cls.__name__
    return StateDefinition(
        id=state_id,
        name=state.name or state_id.replace("_", " ").capitalize(),
        purpose=state.purpose,
        initial=bool(state.initial),
        final=bool(state.final),
        budget=state.budget,
        enter=callbacks.named(names_of_callbacks(chart, state_id, state.enter), f"on_enter_{state_id}"),
        exit=callbacks.named(names_of_callbacks(chart, state_id, state.exit), f"on_exit_{state_id}"),
    )


def _define_edge(callbacks: _Callbacks, edge: EdgeDeclaration, source: str) -> EdgeDefinition:
    return EdgeDefinition(
        event=edge.event,
        source=source,
        target=edge.target,
        guards=edge.guards,
        internal=edge.internal,
        command=edge.command,
        before=callbacks.named(edge.before, f"before_{edge.event}"),
        on=callbacks.named(edge.on, f"on_{edge.event}"),
        after=callbacks.named(edge.after, f"after_{edge.event}"),
        note=edge.note,
        excluded=edge.excluded,
    )

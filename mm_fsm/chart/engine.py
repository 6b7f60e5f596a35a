"""From a definition to the python-statemachine class that runs it."""

from __future__ import annotations

from typing import Any, cast

import statemachine
from statemachine.event import Event
from statemachine.exceptions import InvalidDefinition
from statemachine.factory import StateMachineMetaclass
from statemachine.signature import SignatureAdapter
from statemachine.transition_list import TransitionList

from mm_fsm.chart.definition import CallbackDefinition, ChartDefinition, EdgeDefinition
from mm_fsm.errors import ChartDefinitionError


class ChartEngine(statemachine.StateChart[Any]):
    """Base of every chart's engine, with the switches set so that nothing of a failed transition runs on.

    Errors are not turned into events: the engine stops at the first one, restores the state and raises, and the
    machine sends the fault event itself. An event that no edge accepts changes nothing.
    """

    allow_event_without_transition = True
    enable_self_transition_entries = False
    atomic_configuration_update = True
    catch_errors_as_events = False

    def __init__(self, *args: Any, **keywords: Any) -> None:
        # Bindings are kept under names without their module: another class of the same name, with methods that are
        # asynchronous or take parameters, would otherwise decide how this machine's methods are called.
        SignatureAdapter.from_callable.clear_cache()
        super().__init__(*args, **keywords)


def build_engine_class(cls: type, definition: ChartDefinition) -> type[statemachine.StateChart[Any]]:
    """Build a class's own StateChart, every state and transition fresh.

    Raises:
        ChartDefinitionError: python-statemachine refuses the chart.
    """
    states = {state.id: _build_state(definition, state.id) for state in definition.states}
    namespace: dict[str, Any] = {
        "__module__": cls.__module__,
        "__qualname__": f"{cls.__qualname__}.chart",
        **states,
    }
    for event in definition.events:
        transitions = TransitionList(
            transition
            for edge in definition.edges
            if edge.event == event
            for transition in _build_transitions(edge, states)
        )
        # An event with an identity of its own is not given the dotted twin that a prefix like error_ brings.
        namespace[event] = Event(transitions, id=event)
    try:
        engine_class: Any = StateMachineMetaclass(cls.__name__, (ChartEngine,), namespace)
    except InvalidDefinition as error:
        raise ChartDefinitionError(
            definition.name, f"python-statemachine refuses it: {error}", "Change the declaration that it names."
        ) from error
    return cast("type[statemachine.StateChart[Any]]", engine_class)


def _build_state(definition: ChartDefinition, state_id: str) -> statemachine.State:
    state = definition.state(state_id)
    return statemachine.State(
        state.name,
        initial=state.initial,
        final=state.final,
        enter=_plain_names(state.enter, f"on_enter_{state.id}"),
        exit=_plain_names(state.exit, f"on_exit_{state.id}"),
    )


def _build_transitions(edge: EdgeDefinition, states: dict[str, statemachine.State]) -> TransitionList:
    transitions: TransitionList = states[edge.source].to(
        states[edge.target],
        internal=edge.internal,
        cond=[guard.name for guard in edge.guards if guard.expected],
        unless=[guard.name for guard in edge.guards if not guard.expected],
        before=_plain_names(edge.before, f"before_{edge.event}"),
        on=_plain_names(edge.on, f"on_{edge.event}"),
        after=_plain_names(edge.after, f"after_{edge.event}"),
    )
    return transitions


def _plain_names(callbacks: tuple[CallbackDefinition, ...], hook: str) -> list[str]:
    """Names to bind; the hook is left to the engine, which binds it by convention."""
    return [callback.name for callback in callbacks if callback.name != hook]

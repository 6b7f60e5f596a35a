"""Charts of other people: python-statemachine classes, read into our neutral definition.

Flat charts only. Compound, parallel and history states have no place in a ``ChartDefinition`` and are refused with the
names of the states, instead of being drawn flat and wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from statemachine import StateChart
from statemachine.callbacks import CallbackSpec
from statemachine.state import State
from statemachine.transition import Transition

from mm_fsm.chart import CallbackDefinition, ChartDefinition, EdgeDefinition, GuardTerm, StateDefinition
from mm_fsm.chart.declaration import declared_calls
from mm_fsm.diagram.problems import ChartLoadError

_FAULT_EVENT = "error_execution"
"""The event that python-statemachine sends when a callback raises."""
_NO_EVENT = "(no event)"
"""How an edge is called that is taken whenever its guards hold."""


def definition_of_foreign(chart: type[StateChart[Any]]) -> ChartDefinition:
    """The definition of a python-statemachine class, read from its public attributes without making an instance.

    Raises:
        ChartLoadError: it declares no states, or states within states.
    """
    states = list(chart.states)
    _refuse_what_is_not_flat(chart, states)
    events = {event for state in states for transition in state.transitions for event in _events(transition)}
    return ChartDefinition(
        name=chart.__name__,
        states=tuple(_state(chart, state) for state in states),
        edges=tuple(
            _edge(chart, transition, event)
            for state in states
            for transition in state.transitions
            for event in _events(transition)
        ),
        fault_event=_FAULT_EVENT if _FAULT_EVENT in events else None,
        automatic=False,
    )


def _refuse_what_is_not_flat(chart: type[StateChart[Any]], states: list[State]) -> None:
    reference = f"{chart.__module__}:{chart.__qualname__}"
    if not states:
        raise ChartLoadError(reference, "expected states, found none.", "Name a class that declares its states.")
    nested = [state.id for state in states if state.states or state.parallel or state.history]
    if nested:
        raise ChartLoadError(
            reference,
            f"expected a flat chart, found states that contain others: {nested}.",
            "python-statemachine draws it itself: "
            f"python -m statemachine.contrib.diagram {reference.replace(':', '.')} - --format mermaid",
        )


def _state(chart: type[StateChart[Any]], state: State) -> StateDefinition:
    invoked = tuple(
        CallbackDefinition(f"invoke {callback.name}", callback.calls)
        for callback in _callbacks(chart, state.invoke, {"on_invoke_state", f"on_invoke_{state.id}"})
    )
    return StateDefinition(
        id=state.id,
        name=str(state.name),
        initial=bool(state.initial),
        final=bool(state.final),
        enter=_callbacks(chart, state.enter, {"on_enter_state", f"on_enter_{state.id}"}) + invoked,
        exit=_callbacks(chart, state.exit, {"on_exit_state", f"on_exit_{state.id}"}),
    )


def _edge(chart: type[StateChart[Any]], transition: Transition, event: str) -> EdgeDefinition:
    validators = ", ".join(_name(spec) for spec in transition.validators)
    target = transition.target or transition.source
    return EdgeDefinition(
        event=event,
        source=transition.source.id,
        target=target.id,
        guards=tuple(GuardTerm(_name(spec), spec.expected_value is not False) for spec in transition.cond),
        internal=bool(transition.internal),
        before=_callbacks(chart, transition.before, {"before_transition", f"before_{event}"}),
        on=_callbacks(chart, transition.on, {"on_transition", f"on_{event}"}),
        after=_callbacks(chart, transition.after, {"after_transition", f"after_{event}"}),
        note=f"validated by {validators}" if validators else "",
    )


def _events(transition: Transition) -> list[str]:
    """The events of a transition; python-statemachine adds dotted twins of some names, which are left out."""
    names = [str(event) for event in transition.events]
    return [name for name in names if "." not in name or name.replace(".", "_") not in names] or [_NO_EVENT]


def _callbacks(chart: type, specs: Iterable[CallbackSpec], hooks: set[str]) -> tuple[CallbackDefinition, ...]:
    """Callbacks in the order in which they run; of the hooks bound by name, those that exist and apply."""
    present = {hook for hook in hooks if hasattr(chart, hook)}
    ordered = sorted(specs, key=lambda spec: int(spec.priority))
    names = [_name(spec) for spec in ordered if not spec.is_convention or spec.func in present]
    return tuple(CallbackDefinition(name, declared_calls(chart, name)) for name in names)


def _name(spec: CallbackSpec) -> str:
    """The name of a callback: as declared, or the function's own."""
    return spec.func if isinstance(spec.func, str) else str(getattr(spec.func, "__name__", spec.attr_name))

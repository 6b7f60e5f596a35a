"""What must be true of a declaration, checked when its class is built and not when money is at stake."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

import statemachine
from statemachine.event import Event
from statemachine.states import States
from statemachine.transition import Transition
from statemachine.transition_list import TransitionList

from mm_fsm.chart.declaration import State
from mm_fsm.chart.definition import ChartDefinition, EdgeDefinition
from mm_fsm.chart.names import check_names, check_word
from mm_fsm.errors import ChartDefinitionError

if TYPE_CHECKING:
    from mm_fsm.chart.merge import Declarations

_ABSENT: Final = object()


def check_body(
    chart: str,
    body: Mapping[str, Any],
    bases: tuple[type, ...],
    inherited: Declarations,
    handles: Iterable[State],
) -> None:
    """Check what only the class body shows: what each name is bound to, and edges and callbacks that would be lost.

    Args:
        chart: name of the class.
        body: what the class body bound.
        bases: the class's parents.
        inherited: what its parent chart declares.
        handles: parents' states that the body used.

    Raises:
        ChartDefinitionError: with the name and what to do.
    """
    for name, value in body.items():
        _check_binding(chart, name, value, inherited)
        if value is None:
            _check_removal(chart, name, body, bases, inherited)
    _check_nothing_is_lost(chart, body, handles)


def _check_binding(chart: str, name: str, value: object, inherited: Declarations) -> None:
    """Check one name of the body against what kind of thing it is, here and in the parent."""
    if isinstance(value, (statemachine.State, States, Event, Transition)) and not isinstance(value, State):
        raise ChartDefinitionError(
            chart,
            f"{name!r} is a {type(value).__module__}.{type(value).__qualname__}.",
            "Declare states with mm_fsm.chart.State and events by assigning their edges: event = source.to(target).",
        )
    kind = "a state" if isinstance(value, State) else "an event" if isinstance(value, TransitionList) else ""
    if kind:
        check_word(chart, kind, name)
    before = "a state" if name in inherited.states else "an event" if name in inherited.events else ""
    if value is not None and before and kind != before:
        raise ChartDefinitionError(
            chart,
            f"{name!r} is {before} of the parent and cannot be {kind or 'a method or attribute'} too.",
            "Choose another name here.",
        )


def _check_removal(
    chart: str, name: str, body: Mapping[str, Any], bases: tuple[type, ...], inherited: Declarations
) -> None:
    """None removes a state or an event; an attribute that is None says so by its annotation or its parent's."""
    is_attribute = name in body.get("__annotations__", ()) or any(
        _attribute(base, name) is not _ABSENT for base in bases
    )
    if name in inherited or is_attribute or name.startswith("_"):
        return
    raise ChartDefinitionError(
        chart,
        f"{name!r} is None, which removes a state or an event, but there is none of that name to remove.",
        f"Correct the name (states: {list(inherited.states)}; events: {list(inherited.events)}), "
        f"or annotate it where it is an attribute: {name}: ... | None = None.",
    )


def _attribute(cls: type, name: str) -> object:
    return inspect.getattr_static(cls, name, _ABSENT)


def _check_nothing_is_lost(chart: str, body: Mapping[str, Any], handles: Iterable[State]) -> None:
    """Every edge that was made has a name, and what is added to a parent's state would go nowhere."""
    taken = [*handles]
    states = {name: state for name, state in body.items() if isinstance(state, State)}
    named = {id(edge) for value in body.values() if isinstance(value, TransitionList) for edge in value}
    for edge in (edge for state in (*states.values(), *taken) for edge in state.declared):
        if id(edge) not in named:
            raise ChartDefinitionError(
                chart,
                f"an edge from {_label(edge.source, states)} to {_label(edge.target, states)} has no name.",
                "Assign it to the name of its event, event = source.to(target), joining several edges of one "
                "event with |; no later line of the class body may use that name again.",
            )
    for handle in taken:
        if list(handle.enter.list):
            raise ChartDefinitionError(
                chart,
                f"a callback is added to the inherited state {handle.declared_as!r}.",
                f"Define on_enter_{handle.declared_as}, or declare the state again with enter= and exit=.",
            )


def _label(state: object, states: Mapping[str, State]) -> str:
    here = next((name for name, declared in states.items() if declared is state), "")
    return repr(here or getattr(state, "declared_as", "") or getattr(state, "name", "") or state)


def check_definition(
    cls: type,
    definition: ChartDefinition,
    *,
    must_reach: frozenset[str],
    ancestors: Iterable[ChartDefinition],
) -> None:
    """Check a whole chart against its class.

    Args:
        cls: the class, whose methods are the guards and callbacks.
        definition: its chart.
        must_reach: states that every state which is not final must be able to reach.
        ancestors: the charts of its parents.

    Raises:
        ChartDefinitionError: with what is wrong and what to do.
    """
    _check_ends(definition)
    check_names(cls, definition, ancestors)
    _check_methods(cls, definition)
    _check_commands(definition)
    _check_precedence(definition)
    _check_fault_event(definition)
    _check_reachable(definition)
    _check_must_reach(definition, must_reach)


def _check_ends(definition: ChartDefinition) -> None:
    """One state to begin in, and no edge out of a state to end in."""
    initial = [state.id for state in definition.states if state.initial]
    if len(initial) != 1:
        raise ChartDefinitionError(
            definition.name,
            f"expected one initial state, found {initial}.",
            "Mark exactly one: State(initial=True). A state that is declared again must say so again.",
        )
    for edge in definition.edges:
        if definition.state(edge.source).final:
            raise ChartDefinitionError(
                definition.name,
                f"event {edge.event!r} leaves the final state {edge.source!r}.",
                "Remove the edge, or the state's final=True.",
            )


def _check_methods(cls: type, definition: ChartDefinition) -> None:
    users: dict[str, str] = {}
    for edge in definition.edges:
        users |= {guard.name: f"guard of {edge.event!r}" for guard in edge.guards}
        users |= {item.name: f"callback of {edge.event!r}" for item in (*edge.before, *edge.on, *edge.after)}
    for state in definition.states:
        users |= {item.name: f"callback of state {state.id!r}" for item in (*state.enter, *state.exit)}
    for name, use in users.items():
        _check_method(cls, definition.name, name, use)


def _check_method(cls: type, chart: str, name: str, use: str) -> None:
    found = _attribute(cls, name)
    function = found if isinstance(found, FunctionType) else None
    if found is None:
        raise ChartDefinitionError(
            chart,
            f"{name!r}, {use}, was set to None.",
            "Only states and events are removed with None: declare again, without it, what uses it, "
            "or override it with a method.",
        )
    if function is None:
        what = "is not defined" if found is _ABSENT else f"is a {type(found).__name__}, not a method"
        raise ChartDefinitionError(
            chart, f"{name!r}, {use}, {what}.", f"Define it: def {name}(self) -> ...; or remove it from the chart."
        )
    inner = inspect.unwrap(function)
    if inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner) or inspect.isgeneratorfunction(inner):
        raise ChartDefinitionError(
            chart,
            f"{name!r}, {use}, is asynchronous or a generator.",
            "The machine is synchronous and does no I/O: use a plain def that returns.",
        )
    parameters = list(inspect.signature(function).parameters.values())
    if [parameter.kind for parameter in parameters] not in _ONLY_SELF:
        raise ChartDefinitionError(
            chart,
            f"{name!r}, {use}, takes parameters {[str(parameter) for parameter in parameters]}.",
            "Take only self: everything it needs is on the machine and its context. "
            "A decorator must use functools.wraps.",
        )


_ONLY_SELF: Final = ([inspect.Parameter.POSITIONAL_OR_KEYWORD], [inspect.Parameter.POSITIONAL_ONLY])
"""python-statemachine shares bindings between methods of one name in two modules, unless they take nothing more."""


def _check_commands(definition: ChartDefinition) -> None:
    for event in definition.events:
        if len({edge.command for edge in definition.edges if edge.event == event}) > 1:
            raise ChartDefinitionError(
                definition.name,
                f"event {event!r} is a command on some of its edges only.",
                "Give command=True to all of them or to none, or use two events.",
            )


def _check_precedence(definition: ChartDefinition) -> None:
    for state in definition.states:
        seen: list[EdgeDefinition] = []
        for edge in definition.edges_from(state.id):
            if hiding := _hiding(definition, seen, edge):
                raise ChartDefinitionError(
                    definition.name,
                    f"in state {state.id!r} event {edge.event!r} to {edge.target!r} can never be taken: whenever its "
                    "guards hold, so do those of an edge before it: "
                    f"{', '.join(f'{earlier.event!r} to {earlier.target!r}' for earlier in hiding)}.",
                    "Add a guard to an earlier edge, or declare the later event with ahead_of=.",
                )
            seen.append(edge)


def _hiding(definition: ChartDefinition, seen: Sequence[EdgeDefinition], edge: EdgeDefinition) -> list[EdgeDefinition]:
    """The earlier edges that together keep ``edge`` from ever being taken; none when it can be."""
    answers = {guard.name: guard.expected for guard in edge.guards}
    hiding = [earlier for earlier in seen if _can_hide(definition, earlier, edge, answers)]
    if _can_be_taken(answers, hiding):
        return []
    for earlier in tuple(hiding):
        without = [other for other in hiding if other is not earlier]
        if not _can_be_taken(answers, without):
            hiding = without
    return hiding


def _can_hide(
    definition: ChartDefinition, earlier: EdgeDefinition, later: EdgeDefinition, answers: Mapping[str, bool]
) -> bool:
    """True if both edges can be enabled; the earlier one then always wins."""
    fire_together = definition.automatic and not earlier.command and not later.command
    return (earlier.event == later.event or fire_together) and not _is_refused(earlier, answers)


def _is_refused(edge: EdgeDefinition, answers: Mapping[str, bool]) -> bool:
    return any(answers.get(guard.name, guard.expected) is not guard.expected for guard in edge.guards)


def _can_be_taken(answers: Mapping[str, bool], rivals: Sequence[EdgeDefinition]) -> bool:
    """Whether the guards that ``answers`` leaves open can answer so that no rival holds."""
    holding = next((rival for rival in rivals if not _is_refused(rival, answers)), None)
    if holding is None:
        return True
    return any(
        _can_be_taken({**answers, guard.name: not guard.expected}, rivals)
        for guard in holding.guards
        if guard.name not in answers
    )


def _check_fault_event(definition: ChartDefinition) -> None:
    event = definition.fault_event
    if event is None:
        return
    edges = [edge for edge in definition.edges if edge.event == event]
    for edge in edges:
        if edge.guards or not (edge.command or not definition.automatic):
            raise ChartDefinitionError(
                definition.name,
                f"the fault event {event!r} has guards or is no command in state {edge.source!r}.",
                "A fault must be accepted whatever the guards would say: use command=True and no guards.",
            )
    accepting = {edge.source for edge in edges}
    for state in definition.states:
        if not state.final and state.id not in accepting:
            raise ChartDefinitionError(
                definition.name,
                f"state {state.id!r} has no edge for the fault event {event!r}.",
                f"Declare it for every state: {event} = error.from_.any(command=True).",
            )


def _check_reachable(definition: ChartDefinition) -> None:
    reached = _reached_from(definition, definition.initial.id)
    missing = [state.id for state in definition.states if state.id not in reached]
    if missing:
        raise ChartDefinitionError(
            definition.name, f"no edge leads to {missing}.", "Add an edge to each, or remove the state with None."
        )


def _check_must_reach(definition: ChartDefinition, must_reach: frozenset[str]) -> None:
    """Every state has a way out, to what the machine requires and, where the chart ends, to an end."""
    ends = {state.id for state in definition.states if state.final}
    for state in definition.states:
        if state.final:
            continue
        if not any(definition.edges_from(state.id)):
            raise ChartDefinitionError(
                definition.name, f"no edge leaves state {state.id!r}.", "Add one, or mark the state final=True."
            )
        reached = _reached_from(definition, state.id)
        missing = sorted(must_reach - reached) or ([] if not ends or ends & reached else ["a final state"])
        if missing:
            raise ChartDefinitionError(
                definition.name,
                f"state {state.id!r} cannot reach {missing}.",
                "Add an edge that leads on: a machine that cannot fail or end safely is refused.",
            )


def _reached_from(definition: ChartDefinition, start: str) -> set[str]:
    reached, frontier = {start}, [start]
    while frontier:
        for edge in definition.edges_from(frontier.pop()):
            if edge.target not in reached:
                reached.add(edge.target)
                frontier.append(edge.target)
    return reached

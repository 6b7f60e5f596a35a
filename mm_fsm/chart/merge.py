"""From class bodies to one definition: what a class inherits, and what its body adds, replaces and removes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from attrs import evolve, field, frozen
from statemachine.callbacks import CallbackGroup, CallbackSpec, SpecListGrouper
from statemachine.transition import Transition
from statemachine.transition_list import TransitionList

from mm_fsm.chart.declaration import ANY_STATE, Edge, State
from mm_fsm.chart.definition import GuardTerm
from mm_fsm.errors import ChartDefinitionError

StateNamer = Callable[[object], str]
"""Answers what a state is called in the class being built, or refuses it."""


@frozen(kw_only=True)
class EdgeDeclaration:
    """An edge as a class body wrote it; ``source`` None means every state that is not final."""

    event: str
    source: str | None
    but: tuple[str, ...]
    target: str
    guards: tuple[GuardTerm, ...]
    internal: bool
    command: bool
    before: tuple[str, ...]
    on: tuple[str, ...]
    after: tuple[str, ...]
    ahead_of: str | None
    note: str
    excluded: str

    def mentions(self, state_id: str) -> bool:
        """Whether the edge leaves or enters that state by name."""
        return state_id in (self.source, self.target)


@frozen
class Declarations:
    """Everything that one class declares, inherited parts included."""

    states: Mapping[str, State] = field(factory=dict)
    edges: tuple[EdgeDeclaration, ...] = ()

    @property
    def events(self) -> tuple[str, ...]:
        """Every event's name, in order of precedence."""
        return tuple(dict.fromkeys(edge.event for edge in self.edges))

    def __contains__(self, name: str) -> bool:
        return name in self.states or name in self.events

    def merged(self, chart: str, body: Mapping[str, Any], lineage: Collection[type]) -> Declarations:
        """These declarations with a subclass's body applied: added, replaced, and removed with None.

        Args:
            chart: name of the class being built.
            body: what its class body bound.
            lineage: its parents, whose states the body may use.

        Raises:
            ChartDefinitionError: the body uses something that is not declared, or declares something unnamed.
        """
        result = _without(self, {name for name, value in body.items() if value is None})
        result = evolve(result, states={**result.states, **_states_in(chart, body)})
        for event, value in body.items():
            if isinstance(value, TransitionList):
                name_of = _state_namer(chart, event, result.states, lineage)
                edges = tuple(_read_edge(chart, event, edge, name_of) for edge in value)
                result = _with_event(result, chart, event, edges)
        return result


def _without(declarations: Declarations, gone: set[str]) -> Declarations:
    gone_states = gone & set(declarations.states)
    return Declarations(
        {name: state for name, state in declarations.states.items() if name not in gone},
        tuple(
            edge
            for edge in declarations.edges
            if edge.event not in gone and not any(edge.mentions(name) for name in gone_states)
        ),
    )


def _with_event(declarations: Declarations, chart: str, event: str, edges: tuple[EdgeDeclaration, ...]) -> Declarations:
    """An event's edges in place of those it had, where it was; a new event behind all others, unless it says more."""
    if not edges:
        raise ChartDefinitionError(chart, f"event {event!r} has no edges.", "Name a state: source.to(target).")
    kept = [edge for edge in declarations.edges if edge.event != event]
    places = {edge.ahead_of for edge in edges} - {None}
    for ahead_of in places:
        if len(places) > 1 or ahead_of not in {edge.event for edge in kept}:
            raise ChartDefinitionError(
                chart,
                f"event {event!r} is declared ahead of {sorted(map(str, places))}.",
                f"Name one other event that is declared so far: {list(dict.fromkeys(edge.event for edge in kept))}.",
            )
    position = _position(kept, places.pop()) if places else _position(declarations.edges, event)
    return evolve(declarations, edges=(*kept[:position], *edges, *kept[position:]))


def _position(edges: Sequence[EdgeDeclaration], event: str | None) -> int:
    """Where the edges of an event begin; the end where it has none."""
    return next((position for position, edge in enumerate(edges) if edge.event == event), len(edges))


def _states_in(chart: str, body: Mapping[str, Any]) -> dict[str, State]:
    states = {name: state for name, state in body.items() if isinstance(state, State)}
    for name, state in states.items():
        if state.declared_as:
            raise ChartDefinitionError(
                chart,
                f"state {name!r} is the same object as state {state.declared_as!r}.",
                "Make a new State(...) for each name; a parent's state keeps the name it has there.",
            )
        if any(spec.group not in {CallbackGroup.ENTER, CallbackGroup.EXIT} for spec in state.enter.list):
            raise ChartDefinitionError(
                chart,
                f"state {name!r} invokes something.",
                "The machine does no I/O of its own: stage an intent in a callback named in enter=.",
            )
        state.declared_as = name
    return states


def _state_namer(chart: str, event: str, states: Mapping[str, State], lineage: Collection[type]) -> StateNamer:
    def name_of(state: object) -> str:
        if isinstance(state, State) and (
            states.get(state.declared_as) is state or (state.declared_as in states and state.handle_of in lineage)
        ):
            return state.declared_as
        raise ChartDefinitionError(
            chart,
            f"event {event!r} uses a state that this class does not have: {_described(state)}.",
            "Give the state a name in this class body, or take it from a parent class: Parent.state_name.",
        )

    return name_of


def _described(state: object) -> str:
    if not isinstance(state, State):
        return repr(state)
    name = state.declared_as or state.name or "one without a name"
    return f"{state.handle_of.__name__}.{name}" if state.handle_of else repr(name)


def _read_edge(chart: str, event: str, edge: Transition, name_of: StateNamer) -> EdgeDeclaration:
    if not isinstance(edge, Edge):
        raise ChartDefinitionError(
            chart, f"event {event!r} holds a plain transition.", "Make it with .to() or .from_() of mm_fsm.chart.State."
        )
    _check_keywords(chart, event, edge)
    source = None if edge.source is ANY_STATE else name_of(edge.source)
    target = name_of(edge.target if len(edge.targets) == 1 else edge.targets)
    if edge.internal and source != target:
        raise ChartDefinitionError(
            chart,
            f"event {event!r} is internal, but leads from {source or 'any state'!r} to {target!r}.",
            "An internal edge stays in its state: use state.to.itself(internal=True).",
        )
    return EdgeDeclaration(
        event=event,
        source=source,
        but=tuple(name_of(state) for state in edge.but),
        target=target,
        guards=tuple(GuardTerm(_name_of_spec(chart, event, spec), spec.expected_value) for spec in _specs(edge.cond)),
        internal=edge.internal,
        command=edge.command,
        before=names_of_callbacks(chart, event, edge.before),
        on=names_of_callbacks(chart, event, edge.on),
        after=names_of_callbacks(chart, event, edge.after),
        ahead_of=edge.ahead_of,
        note=edge.note,
        excluded=edge.excluded,
    )


def _check_keywords(chart: str, event: str, edge: Edge) -> None:
    if edge.unknown or _specs(edge.validators):
        raise ChartDefinitionError(
            chart,
            f"event {event!r} is declared with {list(edge.unknown) or ['validators']}.",
            "Use cond, unless, before, on, after, internal, command, but, ahead_of, note and excluded. In place of a "
            "validator use a guard: a validator's error goes past the chart.",
        )
    if edge.but and edge.source is not ANY_STATE:
        raise ChartDefinitionError(
            chart, f"event {event!r} has but= on an edge from one state.", "Use it with from_.any(but=...)."
        )
    if edge.contradictions:
        raise ChartDefinitionError(
            chart,
            f"event {event!r} has {list(edge.contradictions)} in cond and in unless, so it can never be taken.",
            "Keep one of the two.",
        )


def _specs(group: SpecListGrouper) -> list[CallbackSpec]:
    return [spec for spec in group.list if spec.group == group.group]


def names_of_callbacks(chart: str, owner: str, group: SpecListGrouper) -> tuple[str, ...]:
    """Names of the callbacks in one group of a state or an edge.

    Raises:
        ChartDefinitionError: one is a function or a lambda instead of a name.
    """
    return tuple(_name_of_spec(chart, owner, spec) for spec in _specs(group))


def _name_of_spec(chart: str, owner: str, spec: CallbackSpec) -> str:
    if not isinstance(spec.func, str) or not spec.func.isidentifier():
        raise ChartDefinitionError(
            chart,
            f"{owner!r} uses {spec.func!r} as a guard or callback.",
            "Give the name of one method as a string; combine guards with a tuple of names and with unless=, "
            "so that each can be drawn, overridden and measured.",
        )
    return spec.func

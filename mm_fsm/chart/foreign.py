"""Charts of other people: python-statemachine classes, flat or nested, read into the neutral definition.

What is read is what the engine does, where that differs from what the declaration seems to say: an internal edge of a
``StateChart`` runs entry actions again unless the class says otherwise, and a class that lets errors through to its
caller has no fault event. Nothing is told apart by a name that another thing may share: states of one name go by the
names around them too, functions of one name are numbered, and so are edges that look alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import LambdaType
from typing import Any, Final

from attrs import evolve, field, frozen
from statemachine import State, StateChart
from statemachine.callbacks import CallbackGroup, CallbackSpec
from statemachine.transition import Transition

from mm_fsm.chart.declaration import declared_calls
from mm_fsm.chart.definition import (
    NO_EVENT,
    CallbackDefinition,
    ChartDefinition,
    EdgeDefinition,
    GuardTerm,
    Hierarchy,
    Nesting,
    Origin,
    StateDefinition,
)

FAULT_EVENT: Final = "error.execution"
"""The event that python-statemachine sends when a callback raises; it is declared as ``error_execution``, too."""
_DONE_STATE: Final = ("done.state.", "done_state_")
_DONE_INVOKE: Final = ("done.invoke.", "done_invoke_")


@frozen
class ForeignChart:
    """A python-statemachine class as a definition, and how to find its parts at run time."""

    definition: ChartDefinition
    transitions: tuple[Transition, ...] = field(repr=False)
    """By their numbers; held here, so that their ``id`` stays theirs."""
    numbers: tuple[int, ...]
    """For each edge the number of its transition: edges that differ only by their event share one, and its guards."""
    places: Mapping[tuple[int, str | None], int]
    """The edge of a transition, by its ``id``, and an event's name; None where an edge has no event."""
    states: Mapping[str, State] = field(repr=False)
    """States of every level, by their identifiers."""
    names: CallbackNames = field(repr=False)

    def identifier(self, state: State) -> str:
        """How the definition calls a state."""
        return self._identifiers[id(state)]

    _identifiers: Mapping[int, str] = field(init=False, repr=False)

    @_identifiers.default
    def _identify(self) -> Mapping[int, str]:
        return {id(state): identifier for identifier, state in self.states.items()}


def read_foreign(chart: type[StateChart[Any]]) -> ForeignChart:
    """Read a python-statemachine class that has states, without making an instance of it."""
    states = {identifier: state for state, identifier in _identified(list(every_state(chart.states)))}
    reader = _Reader(chart, states)
    transitions = tuple(t for s in states.values() if not s.is_history for t in s.transitions if not t.initial)
    edges: list[EdgeDefinition] = []
    numbers: list[int] = []
    places: dict[tuple[int, str | None], int] = {}
    alike: Counter[str] = Counter()
    for number, transition in enumerate(transitions):
        for event, sent_as in _events_of(transition).items():
            places |= {(id(transition), name): len(edges) for name in sent_as}
            edge = reader.edge(transition, event)
            alike[edge.id] += 1
            edges.append(evolve(edge, number=alike[edge.id]))
            numbers.append(number)
    origins = {event: origin for event in dict.fromkeys(e.event for e in edges) if (origin := reader.origin(event))}
    definition = ChartDefinition(
        name=chart.__name__,
        states=tuple(reader.state(state) for state in states.values()),
        edges=tuple(edges),
        fault_event=next((event for event, origin in origins.items() if origin is Origin.FAULT), None),
        automatic=False,
        hierarchy=reader.hierarchy(),
        origins=origins,
    )
    return ForeignChart(definition, transitions, tuple(numbers), places, states, reader.names)


def every_state(states: Iterable[State]) -> Iterator[State]:
    """States with all that lie within them, history states included, in declared order."""
    for state in states:
        yield state
        yield from state.history
        yield from every_state(state.states)


def runs_again(chart: type[StateChart[Any]]) -> bool:
    """Whether internal edges of the class enter their target."""
    return bool(chart.enable_self_transition_entries)


def catches_errors(chart: type[StateChart[Any]]) -> bool:
    """Whether the class turns errors into the fault event; the others raise to their caller."""
    return bool(chart.catch_errors_as_events)


def starting_in(state: State) -> list[State]:
    """The states directly within a state that are entered with it, or that a history state enters by default."""
    if state.parallel:
        return list(state.states)
    return [target for t in state.transitions if t.initial or state.is_history for target in t.targets]


def nesting_of(state: State) -> Nesting | None:
    """What a state is that is not simply a state."""
    if state.is_history:
        return Nesting.HISTORY
    if state.parallel and state.states:
        return Nesting.PARALLEL
    return Nesting.COMPOUND if state.states else None


def _identified(states: list[State]) -> Iterator[tuple[State, str]]:
    """Each state with an identifier of its own: its name, with those around it where another has the same."""
    counts = Counter(state.id for state in states)
    seen: Counter[str] = Counter()
    for state in states:
        around = [ancestor.id for ancestor in state.ancestors()] if counts[state.id] > 1 else []
        name = ".".join([*reversed(around), state.id])
        seen[name] += 1
        yield state, name if seen[name] == 1 else f"{name} ({seen[name]})"


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


class CallbackNames:
    """What the guards and actions of one class are called: each function has a name that no other one has."""

    def __init__(self, chart: type) -> None:
        self._chart = chart
        self._by_function: dict[int, tuple[object, str]] = {}
        """Functions are held, so that their ``id`` stays theirs."""
        self._taken: Counter[str] = Counter()

    def __getitem__(self, spec: CallbackSpec) -> str:
        """The name of a guard or an action: as declared; functions go by their own name, lambdas by their line.

        A string with ``and`` or ``or`` in it is one guard.
        """
        name = self._name(spec.func, spec.attr_name)
        return f"invoke {name}" if spec.group is CallbackGroup.INVOKE else name

    def _name(self, function: Any, fallback: str) -> str:
        stands_for = getattr(getattr(function, "__self__", None), "stands_for", None)
        if isinstance(stands_for, str):
            return stands_for
        if isinstance(function, str):
            return function
        if id(function) not in self._by_function:
            self._by_function[id(function)] = (function, self._free_name(function, fallback))
        return self._by_function[id(function)][1]

    def _free_name(self, function: Any, fallback: str) -> str:
        name = str(getattr(function, "__name__", fallback))
        if isinstance(function, LambdaType) and name == "<lambda>":
            name = f"lambda in line {function.__code__.co_firstlineno}"
        elif any(getattr(self._chart, known, None) is function for known in (name, fallback)):
            return name
        elif hasattr(self._chart, name):
            self._taken[name] = max(self._taken[name], 1)
        self._taken[name] += 1
        return name if self._taken[name] == 1 else f"{name} ({self._taken[name]})"


class _Reader:
    """Reads the parts of one class."""

    def __init__(self, chart: type[StateChart[Any]], states: Mapping[str, State]) -> None:
        self.names = CallbackNames(chart)
        self._chart = chart
        self._states = states
        self._identifiers = {id(state): identifier for identifier, state in states.items()}

    def state(self, state: State) -> StateDefinition:
        """A state; of those within another none is called initial, which only the chart's own first state is."""
        enter = self._callbacks(state.enter, {"on_enter_state", f"on_enter_{state.id}"})
        invoked = self._callbacks(state.invoke, {"on_invoke_state", f"on_invoke_{state.id}"})
        return StateDefinition(
            id=self._identifiers[id(state)],
            name=str(state.name),
            purpose=self._purpose(state),
            initial=bool(state.initial) and state.parent is None,
            final=bool(state.final),
            enter=enter + invoked,
            exit=self._callbacks(state.exit, {"on_exit_state", f"on_exit_{state.id}"}),
        )

    def _purpose(self, state: State) -> str:
        nesting = nesting_of(state)
        if nesting is Nesting.HISTORY:
            deep = ", at every depth" if state.type.is_deep else ""  # type: ignore[attr-defined]
            return f"history: what was active last in {state.parent and state.parent.name}{deep}"
        if nesting is None:
            return ""
        return "one state inside is active" if nesting is Nesting.COMPOUND else "all regions inside are active"

    def edge(self, transition: Transition, event: str) -> EdgeDefinition:
        """An edge of a transition."""
        validators = ", ".join(self.names[spec] for spec in transition.validators)
        others = ", ".join(str(target.name) for target in transition.targets[1:])
        notes = (
            f"validated by {validators}" if validators else "",
            f"enters {others} as well" if others else "",
            _internal_note(self._chart, transition),
        )
        return EdgeDefinition(
            event=event,
            source=self._identifiers[id(transition.source)],
            target=self._identifiers[id(transition.target or transition.source)],
            guards=tuple(GuardTerm(self.names[spec], bool(spec.expected_value)) for spec in transition.cond),
            internal=_stays(self._chart, transition),
            before=self._callbacks(transition.before, {"before_transition", f"before_{event}"}),
            on=self._callbacks(transition.on, {"on_transition", f"on_{event}"}),
            after=self._callbacks(transition.after, {"after_transition", f"after_{event}"}),
            note="; ".join(note for note in notes if note),
        )

    def _callbacks(self, specs: Iterable[CallbackSpec], hooks: set[str]) -> tuple[CallbackDefinition, ...]:
        """Callbacks in the order in which they run; of the hooks bound by name, those that the class itself has."""
        ordered = sorted(specs, key=lambda spec: int(spec.priority))
        present = [s for s in ordered if not s.is_convention or (s.func in hooks and hasattr(self._chart, s.func))]
        return tuple(
            CallbackDefinition(self.names[spec], declared_calls(self._chart, spec.attr_name)) for spec in present
        )

    def origin(self, event: str) -> Origin | None:
        """How an event comes about that the host does not send."""
        if event == NO_EVENT:
            return Origin.GUARDS
        if event.startswith(_DONE_INVOKE) or self.ended_by(event) is not None:
            return Origin.ENDED
        sent_as = event.replace("_", ".") if event.startswith("error_") else event
        is_fault = sent_as.removesuffix(".*").removesuffix(".") in {"error", FAULT_EVENT}
        return Origin.FAULT if is_fault and catches_errors(self._chart) else None

    def ended_by(self, event: str) -> State | None:
        """The state with others inside whose end an event tells of."""
        return ended_by(event, self._states.values())

    def hierarchy(self) -> Hierarchy:
        """How the states lie within one another."""
        identifiers, states = self._identifiers, self._states.items()
        return Hierarchy(
            parents={name: identifiers[id(state.parent)] for name, state in states if state.parent},
            nesting={name: nesting for name, state in states if (nesting := nesting_of(state))},
            starts={
                name: starts
                for name, state in states
                if (starts := tuple(identifiers[id(inner)] for inner in starting_in(state)))
            },
        )


def ended_by(event: str, states: Iterable[State]) -> State | None:
    """The state with others inside whose end an event such as ``done_state_x`` tells of; None for other events."""
    ids = {event.removeprefix(prefix) for prefix in _DONE_STATE if event.startswith(prefix)}
    return next((state for state in states if state.states and state.id in ids), None)


def _stays(chart: type[StateChart[Any]], transition: Transition) -> bool:
    """Whether the engine neither leaves nor enters anything."""
    target = transition.target
    if target is None:
        return True
    return bool(transition.internal) and target is transition.source and target.is_atomic and not runs_again(chart)


def forgets_target(chart: type[StateChart[Any]], transition: Transition) -> bool:
    """Whether the engine leaves an internal edge's target without entering it: it then is in no state there."""
    return bool(transition.internal and transition.target) and not (runs_again(chart) or _stays(chart, transition))


def _internal_note(chart: type[StateChart[Any]], transition: Transition) -> str:
    """What the engine does on an internal edge that does more than to stay."""
    target = transition.target
    if target is None or not transition.internal or _stays(chart, transition):
        return ""
    if forgets_target(chart, transition):
        return f"internal: python-statemachine leaves {target.name} without entering it, for this class does not let it"
    if target is not transition.source:
        return f"internal: {transition.source.name} itself is neither left nor entered"
    return "internal, yet entered again" + (": entry actions run, exit actions do not" if target.is_atomic else "")

"""The neutral definition of a chart: plain frozen values that every renderer, check and measurement reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Final

from attrs import field, frozen

NO_EVENT: Final = "(no event)"
"""The event of an edge that is taken as soon as its guards hold, where a chart has such edges."""


class BudgetMeasure(StrEnum):
    """What a budget is held against."""

    COMPUTING = "computing"
    """Stopwatch time spent in one visit's own work; the runtime measures it, it decides nothing."""
    WAITING = "waiting"
    """Time between entering and leaving the state, by the times that facts carry."""


@frozen
class Budget:
    """How long one visit to a state may take.

    Raises:
        ValueError: ``milliseconds`` is not positive.
    """

    milliseconds: int
    measure: BudgetMeasure

    def __attrs_post_init__(self) -> None:
        if self.milliseconds <= 0:
            raise ValueError(f"Budget.milliseconds: expected a positive number, found {self.milliseconds!r}.")

    def __str__(self) -> str:
        return f"{self.milliseconds} ms {self.measure}"


@frozen
class GuardTerm:
    """One guard of an edge: the named predicate must answer ``expected``."""

    name: str
    expected: bool = True

    def __str__(self) -> str:
        return self.name if self.expected else f"not {self.name}"


@frozen
class CallbackDefinition:
    """An action by name, and the services it declares to call, such as ``spreads.price_quotes``."""

    name: str
    calls: tuple[str, ...] = ()


@frozen(kw_only=True)
class StateDefinition:
    """One state of a chart."""

    id: str
    name: str
    purpose: str = ""
    initial: bool = False
    final: bool = False
    budget: Budget | None = None
    enter: tuple[CallbackDefinition, ...] = ()
    exit: tuple[CallbackDefinition, ...] = ()


@frozen(kw_only=True)
class EdgeDefinition:
    """One transition. Edges of one source are tried in the order they stand in the chart's definition."""

    event: str
    source: str
    target: str
    guards: tuple[GuardTerm, ...] = ()
    internal: bool = False
    """An internal edge stays in its state and runs neither exit nor entry actions."""
    command: bool = False
    """A command is sent by the host; every other event fires by itself when its guards hold."""
    before: tuple[CallbackDefinition, ...] = ()
    on: tuple[CallbackDefinition, ...] = ()
    after: tuple[CallbackDefinition, ...] = ()
    note: str = ""
    """Why the edge is there, where that is not obvious."""
    excluded: str = ""
    """Why no test can reach this edge; empty when one can."""
    number: int = field(default=1, repr=False)
    """Tells edges apart that look alike, counted from 1; python-statemachine allows them, a chart of ours does not."""

    @property
    def id(self) -> str:
        """Stable identity within a chart: source, event, guards and target, and a number from the second alike on."""
        guards = " and ".join(str(guard) for guard in self.guards)
        alike = f" ({self.number})" if self.number > 1 else ""
        return f"{self.source} --{self.event}{f' [{guards}]' if guards else ''}--> {self.target}{alike}"


class Nesting(StrEnum):
    """What a state is that is not simply a state."""

    COMPOUND = "compound"
    """One of its states is active while it is."""
    PARALLEL = "parallel"
    """All of its regions are active while it is."""
    HISTORY = "history"
    """Never active: stands for the states that were active when its parent was left."""


@frozen(kw_only=True)
class Hierarchy:
    """How the states of a chart lie within one another, by their identifiers; everything is empty for a flat chart."""

    parents: Mapping[str, str] = field(factory=dict, hash=False)
    """The state around each state that has one, in order of the chart's states."""
    nesting: Mapping[str, Nesting] = field(factory=dict, hash=False)
    """States that are simply states are left out."""
    starts: Mapping[str, tuple[str, ...]] = field(factory=dict, hash=False)
    """The states that are entered with a state around them, and those that a history state without a memory enters."""

    def inside(self, state_id: str) -> tuple[str, ...]:
        """The states directly within a state, in declared order."""
        return tuple(state for state, parent in self.parents.items() if parent == state_id)


FLAT: Final = Hierarchy()
"""No state lies within another."""


class Origin(StrEnum):
    """How an event comes about that the host does not send."""

    GUARDS = "guards"
    """It is none: the edge is taken by itself as soon as its guards hold."""
    ENDED = "ended"
    """The machine sends it when a state, or work that a state has started, has ended."""
    FAULT = "fault"
    """The machine sends it when a guard or a callback has raised."""


@frozen(kw_only=True, slots=False)
class ChartDefinition:
    """A whole chart: states in declared order, edges in order of precedence."""

    name: str
    states: tuple[StateDefinition, ...]
    edges: tuple[EdgeDefinition, ...]
    fault_event: str | None = None
    """The command that the machine itself sends when a guard or a callback raises."""
    automatic: bool = True
    """Whether events fire by themselves when their guards hold; otherwise the host sends every event."""
    hierarchy: Hierarchy = field(default=FLAT, repr=False)
    origins: Mapping[str, Origin] = field(factory=dict, repr=False, hash=False)
    """Events that the machine brings about, where the host sends the others. Empty for a chart of ours."""

    def is_fault(self, edge: EdgeDefinition) -> bool:
        """Whether the edge is taken because a guard or a callback has raised."""
        return edge.event == self.fault_event or self.origins.get(edge.event) is Origin.FAULT

    @property
    def initial(self) -> StateDefinition:
        """The state a new machine is in."""
        return next(state for state in self.states if state.initial)

    @property
    def events(self) -> tuple[str, ...]:
        """Every event, in order of precedence."""
        return tuple(dict.fromkeys(edge.event for edge in self.edges))

    @property
    def guard_names(self) -> tuple[str, ...]:
        """Every guard's name, in order of first use."""
        return tuple(dict.fromkeys(guard.name for edge in self.edges for guard in edge.guards))

    @property
    def callback_names(self) -> tuple[str, ...]:
        """Every callback's name, those of states first, each once."""
        of_states = [item.name for state in self.states for item in (*state.enter, *state.exit)]
        of_edges = [item.name for edge in self.edges for item in (*edge.before, *edge.on, *edge.after)]
        return tuple(dict.fromkeys([*of_states, *of_edges]))

    def state(self, state_id: str) -> StateDefinition:
        """The state called ``state_id``.

        Raises:
            KeyError: there is none.
        """
        for state in self.states:
            if state.id == state_id:
                return state
        raise KeyError(f"{self.name} has no state {state_id!r}; it has {[state.id for state in self.states]}.")

    def edges_from(self, state_id: str) -> Iterator[EdgeDefinition]:
        """The edges that leave ``state_id`` (internal ones included), in order of precedence."""
        return (edge for edge in self.edges if edge.source == state_id)

    @cached_property
    def digest(self) -> str:
        """A SHA-256 over everything in the definition, the same on every machine. 64 hexadecimal digits."""
        parts = [repr((self.name, self.fault_event, self.automatic))]
        parts += [repr(part) for part in (*self.states, *self.edges)]
        parts += [repr(edge) + str(edge.number) for edge in self.edges if edge.number > 1]
        parts += [repr(self.hierarchy)] * (self.hierarchy != FLAT) + [repr(self.origins)] * bool(self.origins)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

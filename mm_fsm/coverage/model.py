"""The neutral model of a chart for measuring: its definition, and what is special about states within states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from attrs import frozen

from mm_fsm.chart import ChartDefinition, EdgeDefinition, Nesting, StateDefinition


@frozen(kw_only=True, slots=False)
class ChartModel:
    """Everything that the criteria ask of a chart.

    The definition lists states of every level and one edge for each event of each transition. Edges are known by
    their place in it.
    """

    reference: str
    """``module:Class``."""
    definition: ChartDefinition
    transitions: tuple[int, ...]
    """For each edge the number of its transition: edges that differ only by their event share one, and its guards."""
    leads_to: tuple[tuple[str, ...], ...]
    """For each edge the states that it may enter or keep active: those from which the next edge may be taken."""
    starts_in: tuple[str, ...]
    """The states that a new machine is in, the outermost first."""
    illegal: tuple[tuple[str, str], ...]
    """Every state and event where the event may be sent, and is not accepted."""
    never_right_after: tuple[tuple[int, int], ...] = ()
    """Edges by their places of which the second cannot be taken right after the first, although it leaves a state that
    the first leads to: a state does not end with an edge that enters no last state of it.
    """
    confused: tuple[tuple[str, str], ...] = ()
    """States that the engine takes for another one, which has the same value, with that other one."""

    @property
    def parents(self) -> Mapping[str, str]:
        """The state around a state; empty for a flat chart."""
        return self.definition.hierarchy.parents

    @property
    def nesting(self) -> Mapping[str, Nesting]:
        """What a state is; states that are simply states are left out."""
        return self.definition.hierarchy.nesting

    @property
    def is_flat(self) -> bool:
        """Whether exactly one state is active at a time."""
        return not self.nesting

    @cached_property
    def edge_keys(self) -> tuple[str, ...]:
        """A stable key for each edge: its identifier."""
        return tuple(edge.id for edge in self.definition.edges)

    @cached_property
    def real_states(self) -> tuple[StateDefinition, ...]:
        """Every state that can be active."""
        history = {state for state, nesting in self.nesting.items() if nesting is Nesting.HISTORY}
        return tuple(state for state in self.definition.states if state.id not in history)

    @cached_property
    def followers(self) -> tuple[tuple[int, ...], ...]:
        """For each edge those that can be taken right after it."""
        leaving: dict[str, list[int]] = {state.id: [] for state in self.definition.states}
        for place, edge in enumerate(self.definition.edges):
            leaving[edge.source].append(place)
        impossible = frozenset(self.never_right_after)
        return tuple(
            tuple(place for state in states for place in leaving[state] if (first, place) not in impossible)
            for first, states in enumerate(self.leads_to)
        )

    @cached_property
    def guarded(self) -> Mapping[int, tuple[int, ...]]:
        """Each transition that has guards, by its number, with the places of its edges."""
        places: dict[int, tuple[int, ...]] = {}
        for place, number in enumerate(self.transitions):
            if self.definition.edges[place].guards:
                places[number] = (*places.get(number, ()), place)
        return places

    def ancestors(self, state: str) -> Iterator[str]:
        """The states around a state, the nearest first."""
        while state in self.parents:
            state = self.parents[state]
            yield state


def flat_model(reference: str, definition: ChartDefinition) -> ChartModel:
    """The model of a chart in which exactly one state is active, and whose host may send every event."""
    edges = definition.edges
    return ChartModel(
        reference=reference,
        definition=definition,
        transitions=tuple(range(len(edges))),
        leads_to=tuple((edge.target,) for edge in edges),
        starts_in=(definition.initial.id,),
        illegal=illegal_cells((state.id for state in definition.states), definition.events, edges),
    )


def illegal_cells(
    states: Iterable[str], events: Iterable[str], edges: Iterable[EdgeDefinition]
) -> tuple[tuple[str, str], ...]:
    """Every pair of a state and an event that no edge of that state has."""
    accepted = {(edge.source, edge.event) for edge in edges}
    events = tuple(events)
    return tuple((state, event) for state in states for event in events if (state, event) not in accepted)

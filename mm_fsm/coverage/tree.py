"""The round-trip path tree of a flat chart (Binder 2000, the transition tree of his N+ strategy)."""

from __future__ import annotations

from functools import cached_property

from attrs import field, frozen

from mm_fsm.coverage.model import ChartModel


@frozen(slots=False)
class PathTree:
    """Breadth-first from the initial state; a branch ends where it meets a state that the tree has, or cannot go on.

    Each state is grown once, so an edge stands in the tree once, and a path is known by its last edge.
    """

    model: ChartModel
    grown_by: dict[str, int | None] = field(factory=dict, init=False)
    """Each state that the tree goes on from, with the edge that found it; None for the initial state."""

    def __attrs_post_init__(self) -> None:
        definition = self.model.definition
        leaving: dict[str, list[int]] = {state.id: [] for state in definition.states}
        for place, edge in enumerate(definition.edges):
            leaving[edge.source].append(place)
        self.grown_by[definition.initial.id] = None
        for state in (frontier := [definition.initial.id]):
            for place in leaving[state]:
                target = definition.edges[place].target
                if target not in self.grown_by and leaving[target]:
                    self.grown_by[target] = place
                    frontier.append(target)

    @cached_property
    def branches(self) -> frozenset[int]:
        """Edges after which the tree goes on."""
        return frozenset(place for place in self.grown_by.values() if place is not None)

    @cached_property
    def leaves(self) -> tuple[int, ...]:
        """Edges with which a path ends, in order of the definition."""
        edges = self.model.definition.edges
        return tuple(
            place for place, edge in enumerate(edges) if place not in self.branches and edge.source in self.grown_by
        )

    def path(self, place: int) -> tuple[int, ...]:
        """The edges from the initial state to this one, itself included."""
        before = self.grown_by[self.model.definition.edges[place].source]
        return (*self.path(before), place) if before is not None else (place,)

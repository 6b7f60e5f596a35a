"""What a machine can do next in each state that it can rest in: the graph that paths are planned on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from attrs import field, frozen

from mm_fsm.chart import Nesting
from mm_fsm.coverage.model import ChartModel
from mm_fsm.testing.problems import UnsupportedChartError

_DONE = "done_"
"""What events begin with that a compound state sends when it has ended."""


@frozen
class Move:
    """An edge taken while an innermost state is active: its own, or that of a state around it."""

    source: str
    place: int
    target: str
    """The innermost state that is active then."""


@frozen(slots=False)
class Moves:
    """Every move of a chart that can be made, in the order in which they are found from the initial state.

    Args:
        model: the chart.
        unusable: places of edges that cannot be taken.

    Raises:
        UnsupportedChartError: more than one innermost state may be active, or which one is depends on the past.
    """

    model: ChartModel
    unusable: Collection[int] = ()
    found_by: dict[str, Move | None] = field(factory=dict, init=False)
    """Each innermost state that can be reached, with the last move of a shortest way there; None where it begins."""

    def __attrs_post_init__(self) -> None:
        _check(self.model)
        self.found_by[self.initial] = None
        for state in (frontier := [self.initial]):
            for move in self._leaving(state):
                if move.target not in self.found_by:
                    self.found_by[move.target] = move
                    frontier.append(move.target)

    @property
    def initial(self) -> str:
        """The innermost state that a new machine is in."""
        return next(state for state in self.model.starts_in if state not in self.model.nesting)

    @cached_property
    def all(self) -> tuple[Move, ...]:
        """Every move, those of states found first ahead."""
        return tuple(move for state in self.found_by for move in self._leaving(state))

    def active(self, state: str) -> frozenset[str]:
        """Everything that is active with an innermost state."""
        return frozenset([state, *self.model.ancestors(state)])

    def way_to(self, state: str) -> tuple[int, ...]:
        """The edges of a shortest way from the initial state."""
        last = self.found_by[state]
        return (*self.way_to(last.source), last.place) if last is not None else ()

    def _leaving(self, state: str) -> Iterator[Move]:
        edges = self.model.definition.edges
        for place, edge in enumerate(edges):
            if place not in self.unusable and edge.source in self.active(state):
                inner = [one for one in self.model.leads_to[place] if one not in self.model.nesting]
                yield Move(state, place, inner[0])


def _check(model: ChartModel) -> None:
    parallel_or_history = [
        f"{state} ({nesting})" for state, nesting in model.nesting.items() if nesting is not Nesting.COMPOUND
    ]
    by_themselves = [edge.id for edge in model.definition.edges if not model.is_flat and edge.event.startswith(_DONE)]
    within = [edge.id for edge in model.definition.edges if edge.internal and edge.source in model.nesting]
    for what, found in (
        ("states that are parallel or history", parallel_or_history),
        ("edges that are taken when a compound state has ended", by_themselves),
        ("internal edges of compound states", within),
    ):
        if found:
            raise UnsupportedChartError(
                model.reference,
                f"it has {what}: {', '.join(found)}; no path can be planned through them.",
                "Write these tests by hand, and make tests of a flat part of the chart.",
            )


def leaving(moves: Collection[Move]) -> Mapping[str, list[int]]:
    """The places in ``moves`` of those that leave each state."""
    found: dict[str, list[int]] = {}
    for place, move in enumerate(moves):
        found.setdefault(move.source, []).append(place)
    return found

"""The shortest sets of paths through a flat chart that meet a criterion.

A path begins in the initial state of a fresh machine and ends anywhere. What a set costs is its number of events plus
its number of paths: a fresh machine counts as one event.

- ``states``: every state is visited. Exact up to ``EXACT_STATES`` states, beyond that nearest unvisited state first.
- ``transitions``: every edge is taken (0-switch): the directed postman problem, solved exactly.
- ``pairs``: every edge is taken right after every edge that can come before it (1-switch, Chow 1978): the same problem
  over the line graph. An edge that nothing comes before or after is a path of its own.
- ``roundtrip``: every path of the breadth-first tree that ends where it meets a state again (Binder 2000).

Edges that are excluded with a reason, and what can only be reached through them, are left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Final

from mm_fsm.chart import ChartDefinition, EdgeDefinition
from mm_fsm.testing.postman import cheapest_walks
from mm_fsm.testing.problems import GenerationError

Path = tuple[EdgeDefinition, ...]

EXACT_STATES: Final = 14
"""Up to so many states the shortest way to visit all of them is found by looking at every set of visited states."""


class PathCriterion(StrEnum):
    """What a set of paths must do."""

    STATES = "states"
    TRANSITIONS = "transitions"
    PAIRS = "pairs"
    ROUNDTRIP = "roundtrip"


def find_paths(definition: ChartDefinition, criterion: PathCriterion | str) -> tuple[Path, ...]:
    """The shortest set of paths that meets a criterion, the same in every process.

    Raises:
        GenerationError: the criterion is unknown.
    """
    if criterion not in list(PathCriterion):
        raise GenerationError(
            definition.name, f"expected a criterion of {[str(c) for c in PathCriterion]}, found {criterion!r}.",
            "Choose one of them.",
        )  # fmt: skip
    return _find_paths(definition, PathCriterion(criterion))


@lru_cache(maxsize=64)
def _find_paths(definition: ChartDefinition, criterion: PathCriterion) -> tuple[Path, ...]:
    graph = _Graph(definition)
    paths = _FINDERS[criterion](graph)
    return tuple(tuple(graph.edges[arc] for arc in path) for path in paths)


class _Graph:
    """The part of a chart that can be reached without excluded edges: states and edges by number."""

    def __init__(self, definition: ChartDefinition) -> None:
        usable = [edge for edge in definition.edges if not edge.excluded]
        reached, frontier = {definition.initial.id}, deque([definition.initial.id])
        while frontier:
            source = frontier.popleft()
            for edge in usable:
                if edge.source == source and edge.target not in reached:
                    reached.add(edge.target)
                    frontier.append(edge.target)
        self.states = [state.id for state in definition.states if state.id in reached]
        self.edges = [edge for edge in usable if edge.source in reached]
        number = {state: place for place, state in enumerate(self.states)}
        self.initial = number[definition.initial.id]
        self.arcs = [(number[edge.source], number[edge.target]) for edge in self.edges]
        self.leaving: list[list[int]] = [[] for _ in self.states]
        for arc, (tail, _) in enumerate(self.arcs):
            self.leaving[tail].append(arc)


def _transition_paths(graph: _Graph) -> list[Sequence[int]]:
    walks = cheapest_walks(len(graph.states), graph.arcs, [graph.initial], start_cost=1)
    return [walk.arcs for walk in walks if walk.arcs]


def _pair_paths(graph: _Graph) -> list[Sequence[int]]:
    """Walks over the line graph, whose nodes are edges: one begins by taking an edge, so that beginning costs two."""
    pairs = [(first, then) for first, (_, head) in enumerate(graph.arcs) for then in graph.leaving[head]]
    starts = graph.leaving[graph.initial]
    in_a_pair = {edge for pair in pairs for edge in pair}
    alone = [edge for edge in starts if edge not in in_a_pair]
    walks = cheapest_walks(len(graph.arcs), pairs, starts, start_cost=2, begin_at=alone)
    return [(walk.start, *(pairs[arc][1] for arc in walk.arcs)) for walk in walks]


def _state_paths(graph: _Graph) -> list[Sequence[int]]:
    return _visit_exactly(graph) if len(graph.states) <= EXACT_STATES else _visit_nearest_first(graph)


def _visit_exactly(graph: _Graph) -> list[Sequence[int]]:
    """Breadth-first over where the machine is and what it has visited; a fresh machine is one more move."""
    everything = (1 << len(graph.states)) - 1
    begun = (graph.initial, 1 << graph.initial)
    came_by: dict[tuple[int, int], tuple[tuple[int, int], int | None] | None] = {begun: None}
    frontier = deque([begun])
    while frontier:
        place = frontier.popleft()
        state, visited = place
        if visited == everything:
            return _retrace(came_by, place)
        for arc in graph.leaving[state]:
            following = (graph.arcs[arc][1], visited | 1 << graph.arcs[arc][1])
            if following not in came_by:
                came_by[following] = (place, arc)
                frontier.append(following)
        again = (graph.initial, visited)
        if again not in came_by:
            came_by[again] = (place, None)
            frontier.append(again)
    raise AssertionError("every state is within reach")


def _retrace(
    came_by: Mapping[tuple[int, int], tuple[tuple[int, int], int | None] | None], place: tuple[int, int]
) -> list[Sequence[int]]:
    paths: list[list[int]] = [[]]
    while (step := came_by[place]) is not None:
        place, arc = step
        if arc is None:
            paths.append([])
        else:
            paths[-1].append(arc)
    return [path[::-1] for path in reversed(paths) if path]


def _visit_nearest_first(graph: _Graph) -> list[Sequence[int]]:
    left = set(range(len(graph.states))) - {graph.initial}
    paths: list[list[int]] = [[]]
    state = graph.initial
    while left:
        here, anew = _way_to_any(graph, state, left), _way_to_any(graph, graph.initial, left)
        if here is None or (anew is not None and len(anew) + 1 < len(here)):
            paths.append([])
            here = anew
        assert here is not None  # noqa: S101 - every state is within reach of the initial one
        paths[-1] += here
        left -= {graph.arcs[arc][1] for arc in here}
        state = graph.arcs[here[-1]][1]
    return [path for path in paths if path]


def _way_to_any(graph: _Graph, start: int, goals: set[int]) -> list[int] | None:
    ways: dict[int, list[int]] = {start: []}
    frontier = deque([start])
    while frontier:
        state = frontier.popleft()
        for arc in graph.leaving[state]:
            head = graph.arcs[arc][1]
            if head not in ways:
                ways[head] = [*ways[state], arc]
                if head in goals:
                    return ways[head]
                frontier.append(head)
    return None


def _round_trip_paths(graph: _Graph) -> list[Sequence[int]]:
    """Grow each state once, breadth-first; a path ends with the edge that meets a state again or cannot go on."""
    grown: dict[int, tuple[int, ...]] = {graph.initial: ()}
    frontier = deque([graph.initial])
    branches: set[int] = set()
    while frontier:
        state = frontier.popleft()
        for arc in graph.leaving[state]:
            head = graph.arcs[arc][1]
            if head not in grown and graph.leaving[head]:
                grown[head] = (*grown[state], arc)
                branches.add(arc)
                frontier.append(head)
    return [(*grown[tail], arc) for arc, (tail, _) in enumerate(graph.arcs) if arc not in branches]


_FINDERS: Final[Mapping[PathCriterion, Callable[[_Graph], list[Sequence[int]]]]] = {
    PathCriterion.STATES: _state_paths,
    PathCriterion.TRANSITIONS: _transition_paths,
    PathCriterion.PAIRS: _pair_paths,
    PathCriterion.ROUNDTRIP: _round_trip_paths,
}


def obligations(definition: ChartDefinition, criterion: PathCriterion | str) -> Iterator[Path]:
    """What a criterion asks for, each as the edges that must be taken one right after another.

    A state is the shortest path to it, or empty where the machine begins; a round trip is the whole path.

    Raises:
        GenerationError: the criterion is unknown.
    """
    graph = _Graph(definition)
    if criterion == PathCriterion.TRANSITIONS:
        yield from ((edge,) for edge in graph.edges)
    elif criterion == PathCriterion.PAIRS:
        for first, (_, head) in zip(graph.edges, graph.arcs, strict=True):
            yield from ((first, graph.edges[then]) for then in graph.leaving[head])
    elif criterion == PathCriterion.STATES:
        for state in range(len(graph.states)):
            way = _way_to_any(graph, graph.initial, {state}) if state != graph.initial else []
            yield tuple(graph.edges[arc] for arc in way or ())
    else:
        yield from find_paths(definition, criterion)


def ways_to(definition: ChartDefinition, state: str) -> list[Path]:
    """For each edge that leads to ``state``, the shortest path from the initial state that ends with it.

    The path comes to ``state`` only at its end. For the initial state the empty path stands first.
    """
    graph = _Graph(definition)
    goal = graph.states.index(state)
    shortest = {graph.initial: ()} | _shortest_ways(graph, avoiding=goal)
    ways: list[tuple[int, ...]] = [()] if goal == graph.initial else []
    for arc, (tail, head) in enumerate(graph.arcs):
        if head == goal and tail in shortest and (tail != goal or goal == graph.initial):
            ways.append((*shortest[tail], arc))
    return [tuple(graph.edges[arc] for arc in way) for way in ways]


def _shortest_ways(graph: _Graph, avoiding: int) -> dict[int, tuple[int, ...]]:
    ways: dict[int, tuple[int, ...]] = {}
    frontier: deque[tuple[int, tuple[int, ...]]] = deque([(graph.initial, ())])
    while frontier:
        state, way = frontier.popleft()
        for arc in graph.leaving[state]:
            head = graph.arcs[arc][1]
            if head not in ways and head not in (graph.initial, avoiding):
                ways[head] = (*way, arc)
                frontier.append((head, ways[head]))
    return ways

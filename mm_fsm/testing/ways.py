"""From any state of a flat chart to any other: the edges to take while guards are forced."""

from __future__ import annotations

from collections import deque

from mm_fsm.coverage.model import ChartModel
from mm_fsm.testing.answers import answers_for, moves_by_itself
from mm_fsm.testing.driving import Driver


class Ways:
    """The shortest ways through one chart. Edges are known by their place in its model."""

    def __init__(self, driver: Driver) -> None:
        self.model: ChartModel = driver.model
        self._driver = driver
        self._edges = self.model.definition.edges
        self._feasible = [self._is_feasible(place) for place in range(len(self._edges))]
        self._known: dict[tuple[str, str], tuple[int, ...] | None] = {}

    def is_fault_edge(self, place: int) -> bool:
        """Whether an edge is the machine's own answer to a failure."""
        fault_event = self.model.definition.fault_event
        return fault_event is not None and self._edges[place].event == fault_event

    def is_feasible(self, place: int) -> bool:
        """Whether a step can take an edge, once the machine is in its source."""
        return self._feasible[place]

    def _is_feasible(self, place: int) -> bool:
        source = self._edges[place].source
        if self.is_fault_edge(place):  # something has to be asked that can raise
            return any(
                rival.guards and rival.source == source and moves_by_itself(self.model, other)
                for other, rival in enumerate(self._edges)
            )
        return self._driver.can_take(place) and answers_for(self.model, [source], place) is not None

    def way(self, start: str, goal: str) -> tuple[int, ...] | None:
        """The shortest path of edges from one state to another, the first declared of several; None where none is."""
        if (start, goal) not in self._known:
            self._known[start, goal] = self._search(start, goal)
        return self._known[start, goal]

    def _search(self, start: str, goal: str) -> tuple[int, ...] | None:
        paths: dict[str, tuple[int, ...]] = {start: ()}
        waiting = deque([start])
        while waiting and goal not in paths:
            state = waiting.popleft()
            for place, edge in enumerate(self._edges):
                is_new = edge.source == state and edge.target not in paths
                if is_new and self._feasible[place] and not self.is_fault_edge(place):
                    paths[edge.target] = (*paths[state], place)
                    waiting.append(edge.target)
        return paths.get(goal)

"""From any state of a flat chart to any other: the edges to take while guards are forced."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from mm_fsm.chart.definition import NO_EVENT
from mm_fsm.coverage.model import ChartModel
from mm_fsm.testing.driving.answers import answers_for, moves_by_itself
from mm_fsm.testing.driving.driver import Driver
from mm_fsm.testing.driving.machines import MachineDriver


class Ways:
    """The shortest ways through one chart. Edges are known by their place in its model."""

    def __init__(self, driver: Driver) -> None:
        self.model: ChartModel = driver.model
        self._driver = driver
        self._edges = self.model.definition.edges
        self._feasible = [self._is_feasible(place) for place in range(len(self._edges))]
        self._fault_states = {edge.target for place, edge in enumerate(self._edges) if self.is_fault_edge(place)}
        self._known: dict[tuple[str, str], tuple[int, ...] | None] = {}

    def is_fault_edge(self, place: int) -> bool:
        """Whether an edge is the machine's own answer to a failure."""
        fault_event = self.model.definition.fault_event
        return fault_event is not None and self._edges[place].event == fault_event

    def is_feasible(self, place: int) -> bool:
        """Whether a step can take an edge, once the machine is in its source."""
        return self._feasible[place]

    def _is_feasible(self, place: int) -> bool:
        edge = self._edges[place]
        source = edge.source
        if self.is_fault_edge(place):  # something has to be asked that can raise
            return any(
                rival.guards and rival.source == source and moves_by_itself(self.model, other)
                for other, rival in enumerate(self._edges)
            )
        if edge.command and isinstance(self._driver, MachineDriver) and edge.event not in self._driver.commands:
            return False
        return self._driver.can_take(place) and answers_for(self.model, [source], place) is not None

    def is_goal(self, place: int) -> bool:
        """Whether whoever tests can bring an edge about."""
        is_sent = self._edges[place].event != NO_EVENT
        return is_sent and self._feasible[place] and not self.is_fault_edge(place)

    def way(self, start: str, goal: str) -> tuple[int, ...] | None:
        """The shortest path of edges from one state to another, the first declared of several; None where none is.

        Where that can be, it passes no fault state, and then has no commands: a machine may carry one out only once.
        """
        if (start, goal) not in self._known:
            edges = [
                place for place in range(len(self._edges)) if self._feasible[place] and not self.is_fault_edge(place)
            ]
            uncommanded = [place for place in edges if not self._edges[place].command]
            healthy = [place for place in uncommanded if self._edges[place].source not in self._fault_states - {start}]
            found = (_search(self.model, start, goal, usable) for usable in (healthy, uncommanded, edges))
            self._known[start, goal] = next((path for path in found if path is not None), None)
        return self._known[start, goal]

    def distance(self, place: int) -> int:
        """How many edges are taken from the initial state until this one is; more than there are where none lead."""
        way = self.way(self.model.definition.initial.id, self._edges[place].source)
        return len(self._edges) if way is None else len(way)


def _search(model: ChartModel, start: str, goal: str, usable: Sequence[int]) -> tuple[int, ...] | None:
    """Breadth first, along usable edges."""
    paths: dict[str, tuple[int, ...]] = {start: ()}
    waiting = deque([start])
    while waiting and goal not in paths:
        state = waiting.popleft()
        for place in usable:
            edge = model.definition.edges[place]
            if edge.source == state and edge.target not in paths:
                paths[edge.target] = (*paths[state], place)
                waiting.append(edge.target)
    return paths.get(goal)

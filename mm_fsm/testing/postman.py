"""The cheapest walks that together take every arc of a directed graph: the directed postman problem with restarts.

Every arc must be taken once or more, and a walk may begin anew in one of the start nodes. So the numbers of times are
the cheapest circulation in which every arc carries at least 1, once each walk's end is joined to the walks' beginnings.
Cheapest circulations of that kind are found exactly, by successive shortest paths; an Euler circuit of the result,
cut where it begins anew, is the answer (Edmonds and Johnson 1973).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

from attrs import define, field, frozen

Arc = tuple[int, int]


@frozen
class Walk:
    """Where a walk begins, and the numbers of the arcs that it takes."""

    start: int
    arcs: tuple[int, ...]


def cheapest_walks(
    size: int, arcs: Sequence[Arc], starts: Collection[int], *, start_cost: int, begin_at: Collection[int] = ()
) -> list[Walk]:
    """Walks that take every arc, with the lowest sum of arcs taken and ``start_cost`` for each walk.

    Args:
        size: number of nodes; nodes are numbered from 0.
        arcs: tail and head of each arc, all within reach of the starts.
        starts: nodes in which a walk may begin.
        start_cost: what one more walk costs, in arcs.
        begin_at: starts in which at least one walk must begin.

    Raises:
        ValueError: an arc cannot be reached from the starts.
    """
    begin, end = size, size + 1
    network = _Network(size + 2)
    for tail, head in arcs:
        network.add(tail, head, cost=1, at_least=1)
    for node in range(size):
        network.add(node, end, cost=0)
    network.add(end, begin, cost=start_cost, at_least=1 if arcs or begin_at else 0)
    for node in sorted(starts):
        network.add(begin, node, cost=0, at_least=1 if node in begin_at else 0)
    flow = network.cheapest_circulation()
    return _walks_of(_euler_circuit(network.arcs, flow, begin), network.arcs, len(arcs), end)


@define
class _Network:
    """Arcs without an upper bound, some of which must carry at least something."""

    size: int
    arcs: list[Arc] = field(factory=list)
    costs: list[int] = field(factory=list)
    at_least: list[int] = field(factory=list)

    def add(self, tail: int, head: int, *, cost: int, at_least: int = 0) -> None:
        """Add an arc."""
        self.arcs.append((tail, head))
        self.costs.append(cost)
        self.at_least.append(at_least)

    def cheapest_circulation(self) -> list[int]:
        """What each arc carries.

        Raises:
            ValueError: no circulation carries what must be carried.
        """
        flow = list(self.at_least)
        excess = [0] * self.size
        for (tail, head), amount in zip(self.arcs, self.at_least, strict=True):
            excess[head] += amount
            excess[tail] -= amount
        for node in range(self.size):
            while excess[node] > 0:
                way = self._cheapest_way(node, flow, excess)
                amount = min(
                    [
                        excess[node],
                        -excess[way[-1][1]],
                        *(flow[arc] - self.at_least[arc] for arc, _, back in way if back),
                    ]
                )
                for arc, _, back in way:
                    flow[arc] += -amount if back else amount
                excess[node] -= amount
                excess[way[-1][1]] += amount
        return flow

    def _cheapest_way(self, start: int, flow: Sequence[int], excess: Sequence[int]) -> list[tuple[int, int, bool]]:
        """The cheapest way to a node that lacks something: arcs, the nodes they lead to, and whether against them."""
        distances: dict[int, int] = {start: 0}
        came_by: dict[int, tuple[int, int, bool]] = {}
        leaving = self._residual(flow)
        waiting, is_waiting = deque([start]), {start}
        while waiting:
            node = waiting.popleft()
            is_waiting.discard(node)
            for arc, head, back in leaving[node]:
                distance = distances[node] + (-self.costs[arc] if back else self.costs[arc])
                if head not in distances or distance < distances[head]:
                    distances[head] = distance
                    came_by[head] = (arc, node, back)
                    if head not in is_waiting:
                        waiting.append(head)
                        is_waiting.add(head)
        lacking = [node for node in distances if excess[node] < 0]
        if not lacking:
            raise ValueError("arcs: expected every one within reach of the starts, found some that are not.")
        node = min(lacking, key=lambda found: (distances[found], found))
        way: list[tuple[int, int, bool]] = []
        while node != start:
            arc, before, back = came_by[node]
            way.append((arc, node, back))
            node = before
        return way[::-1]

    def _residual(self, flow: Sequence[int]) -> list[list[tuple[int, int, bool]]]:
        """Arcs along which more can be sent, and arcs along which less than now can be, by the node they leave."""
        leaving: list[list[tuple[int, int, bool]]] = [[] for _ in range(self.size)]
        for arc, (tail, head) in enumerate(self.arcs):
            leaving[tail].append((arc, head, False))
            if flow[arc] > self.at_least[arc]:
                leaving[head].append((arc, tail, True))
        return leaving


def _euler_circuit(arcs: Sequence[Arc], times: Sequence[int], start: int) -> list[int]:
    """Arcs in an order in which each is taken as often as it must be, beginning and ending in ``start`` (Hierholzer).

    Raises:
        ValueError: the arcs do not hang together.
    """
    left = list(times)
    leaving: dict[int, list[int]] = {}
    for arc in reversed(range(len(arcs))):
        if times[arc]:
            leaving.setdefault(arcs[arc][0], []).append(arc)
    circuit: list[int] = []
    stack: list[tuple[int, int | None]] = [(start, None)]
    while stack:
        node, came_by = stack[-1]
        choices = leaving.get(node, [])
        while choices and not left[choices[-1]]:
            choices.pop()
        if choices:
            left[choices[-1]] -= 1
            stack.append((arcs[choices[-1]][1], choices[-1]))
        else:
            stack.pop()
            if came_by is not None:
                circuit.append(came_by)
    if any(left):
        raise ValueError("arcs: expected all of them to hang together, found some that do not.")
    return circuit[::-1]


def _walks_of(circuit: Sequence[int], arcs: Sequence[Arc], count: int, end: int) -> list[Walk]:
    """Cut a circuit where it ends and begins anew."""
    walks: list[Walk] = []
    start, taken = 0, list[int]()
    for arc in circuit:
        tail, head = arcs[arc]
        if arc < count:
            taken.append(arc)
        elif head == end:
            walks.append(Walk(start, tuple(taken)))
            taken = []
        elif tail != end:
            start = head
    return walks

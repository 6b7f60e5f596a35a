"""The postman's problem with a start: walks that take every wanted arc of a directed graph, as few steps as can be.

A set of walks is one closed walk, with one more node that every end leads to and that leads to every beginning. It
takes every wanted arc when each carries at least one unit of a circulation that hangs together, and the cheapest such
circulation is a minimum-cost flow (Edmonds and Johnson 1973). The flow and the closed walk are networkx's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

import networkx as nx
from attrs import frozen

Arc = tuple[int, int]
"""Source and target; nodes are numbers from 0."""
_Flow = Mapping[int, Mapping[int, int]]
_HOME: Final = -1
"""The node between the end of a walk and the beginning of the next; those of parts follow it downwards."""


@frozen(kw_only=True)
class Graph:
    """A directed graph with what is wanted of it. Every node that has to do with it can be reached from a start."""

    arcs: Sequence[Arc]
    wanted: Collection[int]
    """Places of the arcs that must be taken; what hangs together by them has a start."""
    lone: Collection[int] = ()
    """Starts that must be visited although no wanted arc touches them."""
    starts: Mapping[int, int]
    """Where a walk may begin, and what that costs. It may end anywhere."""


@frozen
class Walk:
    """One walk: where it begins, and the places of its arcs."""

    start: int
    arcs: tuple[int, ...]


def shortest_walks(graph: Graph, reset_cost: int) -> list[Walk]:
    """Walks that take every wanted arc, with the least sum of arcs, costs of starts, and ``reset_cost`` a walk."""
    if not (graph.wanted or graph.lone):
        return []
    flow = _circulation(graph, reset_cost)
    network = nx.MultiDiGraph()
    for source, targets in flow.items():
        for target, times in targets.items():
            network.add_edges_from([(source, target)] * times)
    return list(_cut(graph, nx.eulerian_circuit(network, source=_HOME)))


def _circulation(graph: Graph, reset_cost: int) -> _Flow:
    """How often each step is made in the cheapest circulation; those between the same two nodes together.

    What must be made once is made before the flow is asked for, as supply and demand of the nodes.
    """
    network = nx.DiGraph()
    network.add_edges_from(graph.arcs, weight=1)
    network.add_edges_from([(node, _HOME) for node in {**dict.fromkeys(network), **graph.starts}], weight=0)
    must = [graph.arcs[place] for place in sorted(graph.wanted)]
    for number, part in enumerate(_parts(graph), start=1):
        must.append((_HOME, _HOME - number))
        network.add_edge(_HOME, _HOME - number, weight=reset_cost)
        for start, cost in graph.starts.items():
            if start in part:
                network.add_edge(_HOME - number, start, weight=cost)
    nx.set_node_attributes(network, 0, "demand")
    for source, target in must:
        network.nodes[source]["demand"] += 1
        network.nodes[target]["demand"] -= 1
    _, flow = nx.network_simplex(network)
    for source, target in must:
        flow[source][target] += 1
    circulation: _Flow = flow
    return circulation


def _parts(graph: Graph) -> Iterator[Collection[int]]:
    """What hangs together by wanted arcs: each part has to be begun in, or it would be a walk that nobody comes to."""
    network = nx.Graph()
    network.add_nodes_from(graph.lone)
    network.add_edges_from(graph.arcs[place] for place in sorted(graph.wanted))
    yield from nx.connected_components(network)


def _cut(graph: Graph, steps: Iterator[Arc]) -> Iterator[Walk]:
    """Cut one closed walk where it comes home; of arcs between the same nodes, those that are wanted go first."""
    between: dict[Arc, list[int]] = {}
    for place in sorted(range(len(graph.arcs)), key=lambda place: place in graph.wanted):
        between.setdefault(graph.arcs[place], []).append(place)
    start: int | None = None
    places: list[int] = []
    for source, target in steps:
        if source < 0:
            start, places = (target, []) if target >= 0 else (None, [])
        elif target >= 0:
            left = between[source, target]
            places.append(left.pop() if len(left) > 1 else left[0])
        elif start is not None:
            yield Walk(start, tuple(places))

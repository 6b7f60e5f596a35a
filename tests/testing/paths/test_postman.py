"""The shortest walks: by hand, against a search through everything, and by a certificate of optimality."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count, pairwise

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import forced, plan_paths
from mm_fsm.testing.paths.postman import Graph, Walk, shortest_walks

HOME = -1


def graph_of(*arcs: tuple[int, int], start: int = 0) -> Graph:
    """Every arc is wanted; walks begin in one node, which costs nothing."""
    return Graph(arcs=arcs, wanted=range(len(arcs)), starts={start: 0})


def cost_of(graph: Graph, walks: list[Walk], reset_cost: int) -> int:
    return sum(len(walk.arcs) + graph.starts[walk.start] + reset_cost for walk in walks)


def check_walks(graph: Graph, walks: list[Walk]) -> None:
    """Walks begin in a start, go from arc to arc, and take everything that is wanted."""
    visited: set[int] = set()
    for walk in walks:
        assert walk.start in graph.starts
        visited.add(walk.start)
        for place in walk.arcs:
            visited.add(graph.arcs[place][1])
        ends = [walk.start, *(graph.arcs[place][1] for place in walk.arcs)]
        assert [graph.arcs[place][0] for place in walk.arcs] == ends[:-1]
    assert set(graph.wanted) <= {place for walk in walks for place in walk.arcs}
    assert set(graph.lone) <= visited


def least_cost(graph: Graph, reset_cost: int) -> int:
    """The least cost of any walks, by Dijkstra's search over where one stands and what has been taken."""
    order = count()
    queue: list[tuple[int, int, int, frozenset[int], frozenset[int]]] = [
        (0, next(order), HOME, frozenset(), frozenset())
    ]
    seen = set()
    while queue:
        cost, _, here, taken, visited = heappop(queue)
        if set(graph.wanted) <= taken and set(graph.lone) <= visited:
            return cost
        if (here, taken, visited) in seen:
            continue
        seen.add((here, taken, visited))
        if here == HOME:
            steps = [(start, reset_cost + price, taken) for start, price in graph.starts.items()]
        else:
            steps = [(HOME, 0, taken)]
            steps += [(arc[1], 1, taken | {place}) for place, arc in enumerate(graph.arcs) if arc[0] == here]
        for there, price, now_taken in steps:
            now_visited = visited | ({there} & set(graph.lone))
            heappush(queue, (cost + price, next(order), there, now_taken, now_visited))
    raise AssertionError("no walks take everything that is wanted")


@pytest.mark.parametrize(
    ("graph", "reset_cost", "walks", "steps"),
    [
        pytest.param(graph_of((0, 1), (1, 0)), 1, 1, 2, id="a circle is one walk round"),
        # 0-1, then one of two ends: the other needs a second walk through 0-1.
        pytest.param(graph_of((0, 1), (1, 2), (1, 3)), 1, 2, 4, id="two ends are two walks"),
        # Round 0-1-2-0 and round 0-1-0 share 0-1, so it is taken twice: 3 + 2.
        pytest.param(graph_of((0, 1), (1, 2), (2, 0), (1, 0)), 1, 1, 5, id="a shared arc is taken twice"),
        # Round first: after the end nothing follows, and a second walk would cost a reset.
        pytest.param(graph_of((0, 1), (1, 2), (2, 0), (0, 3)), 1, 1, 4, id="the end comes last"),
        pytest.param(graph_of((0, 0), (0, 0), (0, 1)), 1, 1, 3, id="loops and parallel arcs"),
        # 0-1-2-3, and 0-1-4 however dear a new start is.
        pytest.param(graph_of((0, 1), (1, 2), (2, 3), (1, 4)), 9, 2, 5, id="where nothing leads back, resets must"),
    ],
)
def test_walks_are_the_shortest_by_hand(graph: Graph, reset_cost: int, walks: int, steps: int) -> None:
    found = shortest_walks(graph, reset_cost)
    check_walks(graph, found)
    assert (len(found), sum(len(walk.arcs) for walk in found)) == (walks, steps)


def test_a_dear_reset_makes_fewer_walks_and_a_cheap_one_shorter_ones() -> None:
    """Three ways lead from 0 to 1 (of 1, 2 and 2 arcs), and one of 3 arcs leads back: 8 arcs.

    Two walks take each once: there, back and there again; then the third way. One walk has to go back twice.
    """
    graph = graph_of((0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (4, 1), (0, 5), (5, 1))
    dear, cheap = shortest_walks(graph, 4), shortest_walks(graph, 2)
    assert (len(dear), sum(len(walk.arcs) for walk in dear)) == (1, 11)
    assert (len(cheap), sum(len(walk.arcs) for walk in cheap)) == (2, 8)


def test_an_optional_arc_is_taken_only_where_it_helps() -> None:
    """Wanted are 0-1 and 1-2, 2-1 and 1-0; the short cut 2-0 saves nothing, and is left."""
    arcs = ((0, 1), (1, 2), (2, 1), (1, 0), (2, 0))
    (walk,) = shortest_walks(Graph(arcs=arcs, wanted=[0, 1, 2, 3], starts={0: 0}), 1)
    assert sorted(walk.arcs) == [0, 1, 2, 3]


def test_a_lone_start_is_visited() -> None:
    walks = shortest_walks(Graph(arcs=[(0, 0)], wanted=[0], lone=[1], starts={0: 1, 1: 1}), 1)
    assert sorted(walks, key=lambda walk: walk.start) == [Walk(0, (0,)), Walk(1, ())]


def test_parts_that_would_go_round_by_themselves_are_begun_in() -> None:
    """Two loops, each balanced: without more, both would be circles that no walk comes to."""
    graph = Graph(arcs=[(0, 0), (1, 1)], wanted=[0, 1], starts={0: 1, 1: 1})
    walks = shortest_walks(graph, 1)
    check_walks(graph, walks)
    assert cost_of(graph, walks, 1) == 6  # 2 walks, each a reset, a start and a loop


def test_nothing_wanted_is_nothing_done() -> None:
    assert shortest_walks(Graph(arcs=[(0, 1)], wanted=[], starts={0: 0}), 1) == []


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A few nodes, all arcs reachable from the starts, some of them wanted where one part stays one."""
    size = draw(st.integers(1, 4))
    nodes = st.integers(0, size - 1)
    drawn = draw(st.lists(st.tuples(nodes, nodes), min_size=1, max_size=6))
    starts = draw(st.dictionaries(nodes, st.integers(0, 2), min_size=1, max_size=2))
    reached, before = set(starts), 0
    while len(reached) != before:
        before = len(reached)
        reached |= {target for source, target in drawn if source in reached}
    arcs = [arc for arc in drawn if arc[0] in reached]
    touched = {node for arc in arcs for node in arc}
    return Graph(arcs=arcs, wanted=range(len(arcs)), lone=sorted(set(starts) - touched), starts=starts)


@settings(max_examples=150)
@given(graph=graphs(), reset_cost=st.integers(0, 4))
def test_no_walks_are_cheaper(graph: Graph, reset_cost: int) -> None:
    walks = shortest_walks(graph, reset_cost)
    check_walks(graph, walks)
    assert cost_of(graph, walks, reset_cost) == least_cost(graph, reset_cost)


@pytest.mark.parametrize("reset_cost", [0, 1, 20])
@pytest.mark.parametrize("criterion", ["transitions", "pairs"])
@pytest.mark.parametrize("chart", [OrderLifecycle, MarketMakingStateMachine], ids=lambda chart: chart.__name__)
def test_no_paths_of_our_own_charts_are_cheaper(chart: type, criterion: str, reset_cost: int) -> None:
    """A circulation is the cheapest exactly when no circle of changes to it is cheaper than nothing (Klein 1967).

    Each step may be made once more, for its cost; each that is made more often than it must, once less.
    """
    driver = forced(chart)
    edges = driver.model.definition.edges
    paths = plan_paths(driver, criterion, reset_cost=reset_cost).paths
    made: dict[tuple[object, object], int] = {}
    for path in paths:
        if criterion == "transitions":
            nodes = ["home", edges[path[0]].source, *(edges[place].target for place in path), "home"]
        else:
            nodes = ["home", "start", *path, "home"]
        for step in pairwise(nodes):
            made[step] = made.get(step, 0) + 1
    must, price = wanted_steps(driver.model.definition, criterion, reset_cost)
    changes = nx.MultiDiGraph()
    for step, cost in price.items():
        assert made.get(step, 0) >= must.get(step, 0)
        changes.add_edge(*step, weight=cost)
        if made.get(step, 0) > must.get(step, 0):
            changes.add_edge(step[1], step[0], weight=-cost)
    assert not nx.negative_edge_cycle(changes)


def wanted_steps(
    definition: object, criterion: str, reset_cost: int
) -> tuple[dict[tuple[object, object], int], dict[tuple[object, object], int]]:
    """How often each step must be made, and what each costs, from the chart's edges alone."""
    edges = definition.edges  # type: ignore[attr-defined]
    initial = definition.initial.id  # type: ignore[attr-defined]
    must: dict[tuple[object, object], int] = {}
    if criterion == "transitions":
        for edge in edges:
            must[edge.source, edge.target] = must.get((edge.source, edge.target), 0) + 1
        price = dict.fromkeys(must, 1) | {(node, "home"): 0 for edge in edges for node in (edge.source, edge.target)}
        first = ("home", initial)
    else:
        follow = {(a, b) for a, one in enumerate(edges) for b, other in enumerate(edges) if one.target == other.source}
        must = dict.fromkeys(follow, 1)
        price = dict.fromkeys(must, 1) | {(place, "home"): 0 for place in range(len(edges))}
        price |= {("start", place): 1 for place, edge in enumerate(edges) if edge.source == initial}
        first = ("home", "start")
    return must | {first: 1}, price | {first: reset_cost}

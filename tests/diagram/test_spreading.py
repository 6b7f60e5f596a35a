"""Arrows that Graphviz lets end at one point are drawn apart."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from math import dist
from random import Random
from typing import Any

import pygraphviz
import pytest

from mm_fsm.diagram import DrawableChart, EdgeStyle, Overlay, dot_source, load_chart
from mm_fsm.diagram.spreading import spread

CLOSE = 7.0
"""Points: less than the width of an arrow's head."""
NEAR = 3.0
"""Points between two lines that are seen as one."""
SEEN = 24.0
"""Points for which two lines may run together: where they cross, they do for less."""


def ends_that_meet(graph: Any) -> list[tuple[str, str]]:
    """Pairs of arrows of which two ends lie upon one another at one box."""
    graph.layout(prog="dot")
    ends: dict[str, list[tuple[str, tuple[float, float]]]] = defaultdict(list)
    for edge in graph.edges():
        points = [point for point in str(edge.attr["pos"]).split() if not point.startswith("s,")]
        head = next((point.removeprefix("e,") for point in points if point.startswith("e,")), points[-1])
        tail = next(point for point in points if not point.startswith("e,"))
        if edge[0] != edge[1] and "marker" not in edge[0] + edge[1]:
            for node, point in ((edge[0], tail), (edge[1], head)):
                across, up = map(float, point.split(",")[:2])
                ends[str(node)].append((f"{edge[0]} -> {edge[1]}", (across, up)))
    pairs = (pair for of_node in ends.values() for pair in combinations(of_node, 2))
    return [(one, other) for (one, here), (other, there) in pairs if dist(here, there) < CLOSE]


@pytest.mark.parametrize("hot", [False, True], ids=["plain", "heat map"])
def test_no_two_arrows_of_the_market_maker_meet_at_a_box(hot: bool) -> None:
    """Without spreading some do; in a heat map each edge has a label more, and arrows apart for each heat."""
    chart: DrawableChart = load_chart("mm_fsm.machine.market_making:MarketMakingStateMachine")
    colors = ("#08306b", "#1f6fb2")
    styles = {
        edge.id: EdgeStyle(color=colors[place % 2], width=2.0, label_suffix=f"x{place}")
        for place, edge in enumerate(chart.definition.edges)
    }
    source = dot_source(chart.definition, Overlay(edges=styles if hot else {}))
    graph = pygraphviz.AGraph(string=source)
    before = ends_that_meet(pygraphviz.AGraph(string=source))
    spread(graph)
    after = ends_that_meet(graph)
    assert len(after) <= len(before)
    if not hot:
        assert after == []


def way_of(edge: Any) -> list[tuple[float, float]]:
    """Points some two apart on an arrow's way: cubic curves, as Graphviz gives them, and its head."""
    texts = str(edge.attr["pos"]).split()
    numbers = [tuple(map(float, text.removeprefix("e,").split(","))) for text in texts if not text.startswith("s,")]
    head, points = (numbers[:1], numbers[1:]) if texts[0].startswith("e,") else ([], numbers)
    way = []
    for place in range(0, len(points) - 3, 3):
        curve = points[place : place + 4]
        count = max(4, int(dist(curve[0], curve[3]) // 2))
        for each in range(count):
            t = each / count
            weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
            across, up = (sum(w * point[axis] for w, point in zip(weights, curve, strict=True)) for axis in (0, 1))
            way.append((across, up))
    return way + [(x, y) for x, y in head]


def arrows_that_run_together(graph: Any) -> list[str]:
    """Pairs of arrows that lie upon one another for longer than a crossing does."""
    graph.layout(prog="dot")
    ways = {f"{edge[0]} -> {edge[1]}": way_of(edge) for edge in graph.edges() if edge[0] != edge[1]}
    return [
        f"{one} and {other}"
        for one, other in combinations(ways, 2)
        if 2 * sum(min(dist(point, each) for each in ways[other]) < NEAR for point in ways[one]) >= SEEN
    ]


@pytest.mark.parametrize("seed", [3, 6, 10])
def test_no_two_arrows_of_a_heat_map_run_together(seed: int) -> None:
    """Whatever was taken and whatever was not: a heat map has the arrows of its chart, with longer labels."""
    chart: DrawableChart = load_chart("mm_fsm.machine.market_making:MarketMakingStateMachine")
    random = Random(seed)
    counts = {edge.id: random.choice([0, 0, 1, 7, 58, 396, 12345]) for edge in chart.definition.edges}
    taken = {each: EdgeStyle(color="#1a7f37", label_suffix=f"x {count:,}") for each, count in counts.items() if count}
    never = EdgeStyle(color="#aaaaaa", dashed=True)
    overlay = Overlay(edges={each: taken.get(each, never) for each in counts})
    graph = pygraphviz.AGraph(string=dot_source(chart.definition, overlay))
    spread(graph)
    assert arrows_that_run_together(graph) == []

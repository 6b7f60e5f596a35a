"""Arrows that Graphviz lets end at one point are drawn apart."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from math import dist
from typing import Any

import pygraphviz
import pytest

from mm_fsm.diagram import DrawableChart, EdgeStyle, Overlay, dot_source, load_chart
from mm_fsm.diagram.spreading import spread

CLOSE = 7.0
"""Points: less than the width of an arrow's head."""


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
    assert len(after) < len(before) or not before
    if not hot:
        assert after == []

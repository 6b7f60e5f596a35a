"""Keeps arrows apart that Graphviz lets end at one point of a box's side: each is given a row of the box to end at.

Graphviz aims every arrow at the middle of a box, so that those which come from one side meet there. Where that happens
is known once the picture has been laid out, so it is laid out twice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise
from typing import Any, Final

from attrs import frozen

_TOO_CLOSE: Final = 14.0
"""Points between the ends of two arrows."""
_NEAR_SIDE: Final = 3.0
"""Points between the end of an arrow and the side that it ends at."""
_POINTS: Final = 72.0
"""In an inch, in which Graphviz gives the size of a box."""
_PORT: Final = re.compile(r'port="(row\d+)"')


@frozen
class _End:
    """One end of an arrow at a box's left or right side."""

    edge: int
    attribute: str
    """``headport`` or ``tailport``."""
    node: str
    side: str
    """``e`` or ``w``, as Graphviz calls them."""
    height: float
    comes_from: float
    """Height of the arrow's other end, by which arrows are put in an order in which they do not cross."""


def spread(graph: Any) -> None:
    """Give arrows that meet at a side rows of their own; ``graph`` is pygraphviz's, and is laid out for it."""
    graph.layout(prog="dot")
    edges = list(graph.edges())
    sides: dict[tuple[str, str], list[_End]] = defaultdict(list)
    for place, edge in enumerate(edges):
        for end in _ends(graph, place, edge):
            sides[end.node, end.side].append(end)
    for (node, _), ends in sides.items():
        ports = _PORT.findall(str(graph.get_node(node).attr["label"]))
        heights = sorted(end.height for end in ends)
        if len(ports) < len(ends) or all(b - a >= _TOO_CLOSE for a, b in pairwise(heights)):
            continue
        ordered = sorted(ends, key=lambda end: (-end.comes_from, end.edge, end.attribute))
        for rank, end in enumerate(ordered):
            port = ports[(2 * rank + 1) * len(ports) // (2 * len(ordered))]
            edges[end.edge].attr[end.attribute] = f"{port}:{end.side}"
    for edge in edges:
        if edge[0] == edge[1] and len(sides[str(edge[0]), "w"]) < len(sides[str(edge[0]), "e"]):
            edge.attr["tailport"] = edge.attr["headport"] = "w"  # Graphviz puts them all at the right side


def _ends(graph: Any, place: int, edge: Any) -> list[_End]:
    points = str(edge.attr["pos"] or "").split()
    arrow = [point.removeprefix("e,") for point in points if point.startswith("e,")]
    way = [point for point in points if not point.startswith(("e,", "s,"))]
    if not way or edge[0] == edge[1]:
        return []
    tail, head = _point(way[0]), _point((arrow or way[-1:])[0])
    found = []
    for attribute, name, at, other in (("tailport", edge[0], tail, head), ("headport", edge[1], head, tail)):
        node = graph.get_node(name)
        middle = _point(str(node.attr["pos"]))
        half = float(node.attr["width"]) * _POINTS / 2
        if abs(abs(at[0] - middle[0]) - half) < _NEAR_SIDE:
            found.append(_End(place, attribute, str(name), "e" if at[0] > middle[0] else "w", at[1], other[1]))
    return found


def _point(text: str) -> tuple[float, float]:
    across, up = text.split(",")[:2]
    return float(across), float(up)

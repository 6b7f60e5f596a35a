"""From edges to arrows: what a picture draws as one line.

Two rules keep a chart readable. An event that goes from many states to one target under the same guards is one arrow
from "any state"; and edges that share source, target and role are one arrow with several labels. What is drawn over a
chart changes neither, so that a heat map has the arrows of the chart that its reader knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from enum import StrEnum

from attrs import frozen

from mm_fsm.chart import ChartDefinition, EdgeDefinition, Nesting

FEWEST_SOURCES_GROUPED = 4
"""From this many sources on, edges that are otherwise alike are drawn as one."""

_MOST_EXCEPTIONS_NAMED = 3
"""An origin with more exceptions than this is written as the list of its sources instead."""


class Role(StrEnum):
    """What an edge is, which decides its colour."""

    NORMAL = "normal"
    COMMAND = "command"
    FAULT = "fault"


@frozen
class ArrowLabel:
    """One event on an arrow, with the edges it stands for: one, or one for each source of a group."""

    edges: tuple[EdgeDefinition, ...]

    @property
    def edge(self) -> EdgeDefinition:
        """The edge whose event, guards and actions are written."""
        return self.edges[0]


@frozen
class Arrow:
    """One line of a picture."""

    sources: tuple[str, ...]
    """Identifiers of the states it leaves: one, or all those that "any state" stands for."""
    target: str
    role: Role
    labels: tuple[ArrowLabel, ...]

    @property
    def is_grouped(self) -> bool:
        """Whether it starts at a box that stands for several states."""
        return len(self.sources) > 1


def role_of(definition: ChartDefinition, edge: EdgeDefinition) -> Role:
    """What the edge is; one that only leads where a fault leads, too, is no fault."""
    if definition.is_fault(edge):
        return Role.FAULT
    return Role.COMMAND if edge.command else Role.NORMAL


def arrows_of(definition: ChartDefinition) -> tuple[Arrow, ...]:
    """The arrows of a chart in declared order; internal edges are none, they belong into their state's box."""
    alike: dict[tuple[tuple[str, ...], str, Role], list[ArrowLabel]] = defaultdict(list)
    for label in _labels(definition):
        sources = tuple(dict.fromkeys(edge.source for edge in label.edges))
        alike[sources, label.edge.target, role_of(definition, label.edge)].append(label)
    return tuple(Arrow(sources, target, role, tuple(labels)) for (sources, target, role), labels in alike.items())


def _labels(definition: ChartDefinition) -> Iterator[ArrowLabel]:
    groups: dict[tuple[Hashable, ...], list[EdgeDefinition]] = defaultdict(list)
    for edge in definition.edges:
        if not edge.internal:
            groups[_what_happens(edge)].append(edge)
    for group in groups.values():
        if len({edge.source for edge in group}) < FEWEST_SOURCES_GROUPED:
            yield from (ArrowLabel((edge,)) for edge in group)
        else:
            yield ArrowLabel(tuple(group))


def _what_happens(edge: EdgeDefinition) -> tuple[Hashable, ...]:
    """Everything about an edge except where it starts and why it is there."""
    return (edge.event, edge.target, edge.guards, edge.command, edge.before, edge.on, edge.after)


def origin_of(definition: ChartDefinition, arrow: Arrow) -> tuple[str, tuple[str, ...]]:
    """How to name the sources of a grouped arrow: a headline, and the names of the states it takes out or lists.

    Final states are never counted, nor are history states: nothing leaves them.
    """
    nesting = definition.hierarchy.nesting
    open_states = [s for s in definition.states if not s.final and nesting.get(s.id) is not Nesting.HISTORY]
    names = {state.id: state.name for state in open_states}
    exceptions = tuple(name for state_id, name in names.items() if state_id not in arrow.sources)
    if not exceptions:
        return "any state", ()
    if len(exceptions) <= _MOST_EXCEPTIONS_NAMED and len(exceptions) < len(arrow.sources):
        return "any state but", exceptions
    return "any of", tuple(name for state_id, name in names.items() if state_id in arrow.sources)


def main_arrows(definition: ChartDefinition, arrows: Iterable[Arrow]) -> frozenset[Arrow]:
    """The main way: the arrows by which each state is first reached from the initial one, but for where faults lead."""
    aside = {edge.target for edge in definition.edges if definition.is_fault(edge)}
    ways: dict[str, list[Arrow]] = defaultdict(list)
    for arrow in arrows:
        if not arrow.is_grouped and arrow.target not in aside:
            ways[arrow.sources[0]].append(arrow)
    reached = [definition.initial.id]
    main: list[Arrow] = []
    for state_id in reached:
        reached += [inner for inner in definition.hierarchy.starts.get(state_id, ()) if inner not in reached]
        for arrow in ways[state_id]:
            if arrow.target not in reached:
                reached.append(arrow.target)
                main.append(arrow)
    return frozenset(main)


def precedence_of(definition: ChartDefinition) -> dict[str, int]:
    """The rank of each edge that fires by itself among those of its source, counted from 1, by the edge's identifier.

    Empty for a chart whose events are all sent by the host: no edge then stands before another.
    """
    if not definition.automatic:
        return {}
    ranks: dict[str, int] = {}
    for state in definition.states:
        firing = [edge for edge in definition.edges_from(state.id) if not edge.command]
        ranks.update((edge.id, rank) for rank, edge in enumerate(firing, start=1))
    return ranks


def shared_rank(label: ArrowLabel, ranks: Mapping[str, int]) -> int | None:
    """The rank that all edges of a label have in their states; None when they differ or have none."""
    shared = {ranks.get(edge.id) for edge in label.edges}
    return shared.pop() if len(shared) == 1 else None

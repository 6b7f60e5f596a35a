"""What a generated test does to a machine, one move after the other, and what the chart's definition says of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import field, frozen

from mm_fsm.chart import ChartDefinition, EdgeDefinition
from mm_fsm.chart.definition import NO_EVENT
from mm_fsm.core.messages import Fact


def _names(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(names)


@frozen
class Send:
    """An event is sent, legal or not, while exactly these guards hold."""

    event: str
    holding: tuple[str, ...] = field(default=(), converter=_names)


@frozen
class Step:
    """A machine of ours takes a step in which it is told nothing, while exactly these guards hold."""

    holding: tuple[str, ...] = field(default=(), converter=_names)


@frozen
class Tell:
    """A machine of ours is told a fact; its guards are its own."""

    fact: Fact


Act = Send | Step | Tell


def next_edge(
    definition: ChartDefinition, state: str, holding: Collection[str], event: str | None = None
) -> EdgeDefinition | None:
    """The edge that is taken next, by the definition alone.

    Args:
        definition: the chart.
        state: where the machine is.
        holding: the guards that answer True.
        event: what is sent; None when nothing is.
    """
    for edge in definition.edges_from(state):
        is_meant = edge.event == event if event is not None else fires_by_itself(definition, edge)
        if is_meant and all((guard.name in holding) is guard.expected for guard in edge.guards):
            return edge
    return None


def fires_by_itself(definition: ChartDefinition, edge: EdgeDefinition) -> bool:
    """Whether an edge is taken as soon as its guards hold."""
    return edge.event == NO_EVENT or (definition.automatic and not edge.command)

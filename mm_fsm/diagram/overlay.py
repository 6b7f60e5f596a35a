"""What is drawn over a chart: the current state, what a run visited, what a test suite covered.

The renderer knows none of these; it draws whatever styles the overlay maps to edges and states.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from mm_fsm.chart import ChartDefinition
from mm_fsm.diagram.problems import DiagramError


@frozen(kw_only=True)
class EdgeStyle:
    """How one edge differs from its role's usual look; what is left empty stays as it is."""

    color: str = ""
    """Colour of arrow and event, as Graphviz takes it: ``#1a7f37`` or a name."""
    width: float | None = None
    """Width of the arrow in points."""
    label_suffix: str = ""
    """Written behind the event, such as ``x 12``."""
    dashed: bool = False
    tooltip: str = ""
    """Added to the edge's tooltip, line by line."""


@frozen(kw_only=True)
class StateStyle:
    """How one state differs from its role's usual look; what is left empty stays as it is."""

    fill: str = ""
    """Colour of the state's box."""
    border: str = ""
    """Colour of the state's border."""
    width: int | None = None
    """Width of the border in points."""
    annotations: tuple[str, ...] = ()
    """Lines at the foot of the state, such as the time spent in it."""
    dashed: bool = False
    tooltip: str = ""
    """Added to the state's tooltip, line by line."""


@frozen(kw_only=True)
class Overlay:
    """Styles for one drawing of a chart."""

    active: str | None = None
    """Identifier of the state the machine is in."""
    edges: Mapping[str, EdgeStyle] = field(factory=dict)
    """By ``EdgeDefinition.id``."""
    states: Mapping[str, StateStyle] = field(factory=dict)
    """By ``StateDefinition.id``."""
    caption: str = ""
    """Says beside the chart's name what is drawn over it."""
    legend: tuple[tuple[str, str], ...] = ()
    """Pairs of a colour and what it means."""

    def edge(self, edge_id: str) -> EdgeStyle:
        """The style of an edge; an empty one where nothing is drawn over it."""
        return self.edges.get(edge_id, _PLAIN_EDGE)

    def state(self, state_id: str) -> StateStyle:
        """The style of a state; an empty one where nothing is drawn over it."""
        return self.states.get(state_id, _PLAIN_STATE)

    def check_against(self, definition: ChartDefinition) -> None:
        """Refuse an overlay that was made for another chart, instead of drawing half of it.

        Raises:
            DiagramError: it names a state or an edge that the chart does not have.
        """
        states = {state.id for state in definition.states}
        edges = {edge.id for edge in definition.edges}
        named = [*self.states, *([self.active] if self.active is not None else [])]
        unknown = [*(name for name in named if name not in states), *(name for name in self.edges if name not in edges)]
        if unknown:
            raise DiagramError(
                f"overlay on {definition.name}: expected states and edges of this chart, found {unknown}.",
                "Make the overlay from a run or a test of the same definition.",
            )


_PLAIN_EDGE = EdgeStyle()
_PLAIN_STATE = StateStyle()
NO_OVERLAY = Overlay()
"""The definition alone."""

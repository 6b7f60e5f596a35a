"""A chart as Graphviz DOT, the same bytes for the same definition on every machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mm_fsm.chart import ChartDefinition, EdgeDefinition, Nesting, StateDefinition
from mm_fsm.diagram.arrows import Arrow, arrows_of, main_arrows, precedence_of
from mm_fsm.diagram.labels import any_state_label, arrow_label, colors_of, heading, state_label
from mm_fsm.diagram.overlay import NO_OVERLAY, Overlay
from mm_fsm.diagram.palette import (
    ACTIVE_BOX,
    FINAL_BOX,
    FONT,
    FRAME,
    INK,
    NORMAL_BOX,
    TEXT_SIZE,
    Box,
)
from mm_fsm.diagram.text import one_line


def dot_source(definition: ChartDefinition, overlay: Overlay = NO_OVERLAY) -> str:
    """The chart as DOT text.

    Raises:
        DiagramError: the overlay was made for another chart.
    """
    from graphviz import Digraph  # noqa: PLC0415 - only who draws pays for it

    overlay.check_against(definition)
    graph = Digraph(
        comment=f"mm-fsm definition sha256: {definition.digest}", name=one_line(definition.name).replace("\\", "\\\\")
    )
    graph.attr("graph", label=heading(definition, overlay), **_GRAPH)
    graph.attr("node", shape="plain", fontname=FONT, fontsize=str(TEXT_SIZE), fontcolor=INK)
    graph.attr("edge", fontname=FONT, fontsize=str(TEXT_SIZE), arrowsize="0.7", penwidth="1.2")
    _draw_states(graph, definition, overlay)
    _draw_arrows(graph, definition, overlay)
    return str(graph.source)


_GRAPH = {
    "labelloc": "t",
    "labeljust": "l",
    "fontname": FONT,
    "bgcolor": "white",
    "rankdir": "TB",
    "nodesep": "0.45",
    "ranksep": "0.55",
    "pad": "0.3",
    "tooltip": " ",
}
_MAIN_WEIGHT = "4"
"""How much dot prefers the main way short and straight, against 1 for other arrows."""
_COMMAND_WIDTH = 1.8
"""Points."""


_DOT = {"label": "", "style": "filled", "fillcolor": INK, "color": INK}


def _draw_states(graph: Any, definition: ChartDefinition, overlay: Overlay) -> None:
    graph.node("initial marker", shape="circle", width="0.16", tooltip="start", **_DOT)
    graph.edge("initial marker", definition.initial.id, color=INK, tooltip="a new machine starts here")
    parents = definition.hierarchy.parents
    _draw_level(graph, definition, overlay, [state for state in definition.states if state.id not in parents])
    for state, starts in definition.hierarchy.starts.items():
        remembers = definition.hierarchy.nesting.get(state) is Nesting.HISTORY
        tooltip = "nothing is remembered" if remembers else "entered with the state around it"
        for inner in starts:
            graph.edge(state, inner, color=FRAME, style="dashed", arrowsize="0.5", tooltip=tooltip)


def _draw_level(graph: Any, definition: ChartDefinition, overlay: Overlay, states: Iterable[StateDefinition]) -> None:
    """States of one level, each with others inside in a frame with them."""
    for state in states:
        inside = [definition.state(inner) for inner in definition.hierarchy.inside(state.id)]
        if not inside:
            _draw_state(graph, definition, overlay, state)
            continue
        with graph.subgraph(name=f"cluster {state.id}".replace("\\", "/")) as frame:
            frame.attr(label="", style="rounded", color=FRAME, margin="14", tooltip=_tooltip([state.name]))
            _draw_state(frame, definition, overlay, state)
            _draw_level(frame, definition, overlay, inside)


def _draw_state(graph: Any, definition: ChartDefinition, overlay: Overlay, state: StateDefinition) -> None:
    style = overlay.state(state.id)
    graph.node(
        state.id,
        label=state_label(definition, state, overlay, _box(state, overlay)),
        tooltip=_tooltip(
            [state.name, state.purpose, *_internal_notes(definition, state, overlay), *style.tooltip.splitlines()]
        ),
    )
    if state.final:
        ends = "the state around it ends here" if state.id in definition.hierarchy.parents else "the machine ends here"
        graph.node(f"final marker {state.id}", shape="doublecircle", width="0.12", tooltip="end", **_DOT)
        graph.edge(state.id, f"final marker {state.id}", color=INK, tooltip=ends)


def _internal_notes(definition: ChartDefinition, state: StateDefinition, overlay: Overlay) -> list[str]:
    """Notes of the internal edges that have more to say than their event; an overlay says its own."""
    return [
        f"{edge.event}: {note}"
        for edge in definition.edges_from(state.id)
        if edge.internal
        for note in _edge_notes(edge, overlay)
    ]


def _box(state: StateDefinition, overlay: Overlay) -> Box:
    style = overlay.state(state.id)
    box = ACTIVE_BOX if overlay.active == state.id else FINAL_BOX if state.final else NORMAL_BOX
    return Box(style.fill or box.fill, style.border or box.border, style.width or box.width, style.dashed)


def _draw_arrows(graph: Any, definition: ChartDefinition, overlay: Overlay) -> None:
    ranks = precedence_of(definition)
    arrows = arrows_of(definition)
    main = main_arrows(definition, arrows)
    boxes: dict[tuple[str, ...], str] = {}
    for arrow in arrows:
        tail = arrow.sources[0]
        if arrow.is_grouped and arrow.sources not in boxes:
            boxes[arrow.sources] = f"any state {len(boxes) + 1}"
            tooltip = _tooltip([f"from {', '.join(_source_names(definition, arrow))}"])
            graph.node(boxes[arrow.sources], label=any_state_label(definition, arrow), tooltip=tooltip)
        if arrow.is_grouped:
            tail = boxes[arrow.sources]
        graph.edge(
            tail,
            arrow.target,
            label=arrow_label(definition, arrow, overlay, ranks),
            color=":".join(colors_of(arrow, overlay)),
            weight=_MAIN_WEIGHT if arrow in main else None,
            **_arrow_looks(arrow, overlay),
        )


def _arrow_looks(arrow: Arrow, overlay: Overlay) -> dict[str, str]:
    edges = [edge for label in arrow.labels for edge in label.edges]
    styles = [overlay.edge(edge.id) for edge in edges]
    tooltip = _tooltip(line for edge in edges for line in (edge.id, *_edge_notes(edge, overlay)))
    looks = {"tooltip": tooltip, "labeltooltip": tooltip}
    widths = [style.width for style in styles if style.width is not None]
    if widths or any(edge.command for edge in edges):
        looks["penwidth"] = f"{max(widths, default=_COMMAND_WIDTH):g}"
    if all(style.dashed for style in styles):
        looks["style"] = "dashed"
    return looks


def _source_names(definition: ChartDefinition, arrow: Arrow) -> list[str]:
    return [definition.state(source).name for source in arrow.sources]


def _edge_notes(edge: EdgeDefinition, overlay: Overlay) -> list[str]:
    """Why an edge is there, why no test can reach it, and what the overlay adds."""
    excluded = f"excluded: {edge.excluded}" if edge.excluded else ""
    return [note for note in (edge.note, excluded, *overlay.edge(edge.id).tooltip.splitlines()) if note]


def _tooltip(lines: Iterable[str]) -> str:
    """Lines of a tooltip in Graphviz's own escapes; never taken for markup, never empty."""
    from graphviz import nohtml  # noqa: PLC0415

    texts = [one_line(line).replace("\\", "\\\\").replace("&", "&amp;") for line in lines]
    tooltip: str = nohtml("\\n".join(text for text in texts if text) or " ")
    return tooltip

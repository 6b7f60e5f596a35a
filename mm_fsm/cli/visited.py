"""The chart with what a session did drawn over it: how long it was in each state, how often it took each edge."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mm_fsm.cli.library_output import library_output_hidden
from mm_fsm.core.clock import seconds
from mm_fsm.diagram import (
    DiagramError,
    DiagramFormat,
    DrawableChart,
    EdgeStyle,
    Overlay,
    StateStyle,
    render,
)
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.report.table import duration
from mm_fsm.runtime.session import Session

_VISITED: Final = "#1a7f37"
_UNVISITED: Final = "#b0b7bf"


def visited_overlay(machine: StrategyMachine, caption: str) -> Overlay:
    """Time in each state and count of each edge; what the session never did is pale."""
    definition, counts, durations = machine.definition, machine.edge_counts, machine.durations_until_now()
    edges = {}
    for edge in definition.edges:
        count = counts[edge.id]
        edges[edge.id] = (
            EdgeStyle(color=_VISITED, label_suffix=f"x {count:,}")
            if count
            else EdgeStyle(color=_UNVISITED, dashed=True)
        )
    states = {
        state.id: StateStyle(border=_VISITED, annotations=(duration(seconds(durations[state.id])),))
        if state.id in durations
        else StateStyle(border=_UNVISITED, dashed=True)
        for state in definition.states
    }
    legend = ((_VISITED, "taken, and how often"), (_UNVISITED, "not taken"))
    return Overlay(edges=edges, states=states, caption=caption, legend=legend)


def write_visited(session: Session, directory: Path) -> Path:
    """Write ``visited.svg``, or ``visited.dot`` where nothing that draws is installed; the file that was written."""
    machine = session.machine
    chart = DrawableChart(machine.definition, type(machine))
    overlay = visited_overlay(machine, f"a session in {session.symbol}")
    try:
        with library_output_hidden():
            content, form = render(chart, DiagramFormat.SVG, overlay), DiagramFormat.SVG
    except DiagramError:
        content, form = render(chart, DiagramFormat.DOT, overlay), DiagramFormat.DOT
    path = directory / f"visited{form.suffix}"
    path.write_bytes(content)
    return path

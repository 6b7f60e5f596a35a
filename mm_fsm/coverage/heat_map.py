"""The chart as a heat map: how often each edge was taken by colour and width, what was missed in dashes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from mm_fsm.chart import Nesting
from mm_fsm.coverage.result import ChartResult
from mm_fsm.diagram import EdgeStyle, Overlay, PictureFormat, StateStyle, picture

_TESTS_NAMED: Final = 12
"""Tests that a tooltip lists before it counts the rest."""


@frozen
class _Heat:
    """Looks from a number of hits on."""

    at_least: int
    color: str
    fill: str
    width: float
    meaning: str


_HEATS: Final = (
    _Heat(100, "#08306b", "#b9d5ec", 2.6, "100 times or more"),
    _Heat(10, "#1f6fb2", "#d6e6f5", 1.9, "10 to 99 times"),
    _Heat(1, "#5aa2d6", "#eaf3fb", 1.3, "1 to 9 times"),
)
_MISSED: Final = _Heat(0, "#c62828", "#ffffff", 1.6, "never (dashed)")
_EXCLUDED: Final = _Heat(0, "#94a3b8", "#ffffff", 1.2, "excluded")


def heat_map(chart: ChartResult) -> bytes:
    """The chart's heat map as SVG.

    Raises:
        DiagramError: nothing that can draw is installed.
    """
    return picture(chart.model.definition, PictureFormat.SVG, heat_overlay(chart))


def heat_overlay(chart: ChartResult) -> Overlay:
    """What a run saw of a chart, as styles for its picture."""
    definition = chart.model.definition
    taken = sum(1 for place in range(len(definition.edges)) if chart.hits.edges[place])
    excluded = f", {len(chart.edge_reasons)} excluded" if chart.edge_reasons else ""
    return Overlay(
        edges={edge.id: _edge_style(chart, place) for place, edge in enumerate(definition.edges)},
        states={state.id: _state_style(chart, state.id) for state in definition.states},
        caption=f"{taken} of {len(definition.edges)} edges taken{excluded}",
        legend=tuple((heat.color, heat.meaning) for heat in (*_HEATS, _MISSED, _EXCLUDED)[: 5 if excluded else 4]),
    )


def _heat(hits: int) -> _Heat:
    return next((heat for heat in _HEATS if hits >= heat.at_least), _MISSED)


def _edge_style(chart: ChartResult, place: int) -> EdgeStyle:
    hits = chart.hits.edges[place]
    is_excluded = place in chart.edge_reasons and not hits
    heat = _EXCLUDED if is_excluded else _heat(hits)
    return EdgeStyle(
        color=heat.color,
        width=heat.width,
        label_suffix=f"\u00d7{hits}" if hits else "excluded" if is_excluded else "never",
        dashed=not hits,
        tooltip="\n".join(_edge_lines(chart, place)),
    )


def _edge_lines(chart: ChartResult, place: int) -> Iterator[str]:
    hits, number = chart.hits, chart.model.transitions[place]
    yield f"taken {hits.edges[place]} times"
    if place in chart.edge_reasons and not chart.model.definition.edges[place].excluded:
        yield f"excluded: {chart.edge_reasons[place]}"
    for at, guard in enumerate(chart.model.definition.edges[place].guards):
        yes, no = hits.answers[number, at, True], hits.answers[number, at, False]
        yield f"{guard.name}: {yes} times True, {no} times False"
    tests = sorted(hits.tests.get(place, ()))
    yield from (f"by {test}" for test in tests[:_TESTS_NAMED])
    if len(tests) > _TESTS_NAMED:
        yield f"and by {len(tests) - _TESTS_NAMED} more tests"


def _state_style(chart: ChartResult, state: str) -> StateStyle:
    if chart.model.nesting.get(state) is Nesting.HISTORY:
        return StateStyle()
    hits = chart.hits.states[state]
    heat = _heat(hits)
    return StateStyle(
        fill=heat.fill,
        border="" if hits else heat.color,
        width=None if hits else 2,
        dashed=not hits,
        annotations=(f"entered \u00d7{hits}" if hits else "never entered",),
        tooltip=f"entered {hits} times",
    )

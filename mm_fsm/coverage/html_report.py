"""The report as one HTML page that needs nothing else: heat maps, gaps, and tables that can be sorted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import frozen

from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.result import ChartResult, RunResult
from mm_fsm.report.pages import embedded_picture, self_contained_page

_MEANINGS: Final[Mapping[Criterion, str]] = {
    Criterion.STATES: "every state was entered",
    Criterion.TRANSITIONS: "every edge was taken (0-switch)",
    Criterion.GUARDS: "every guard answered True, and False",
    Criterion.MCDC: "every guard of every edge alone kept it from being taken, and all let it pass together",
    Criterion.PAIRS: "every edge was taken right after every edge that can come before it (1-switch)",
    Criterion.ROUNDTRIP: "every path of the round-trip tree was taken in one go",
    Criterion.SNEAK: "every event was sent in every state that does not accept it",
    Criterion.MUTATION: "every small fault in the chart made a test fail",
}


@frozen
class _Row:
    """One row of a table: how it looks, and its cells by their headlines."""

    look: str
    cells: Mapping[str, Any]


@frozen(kw_only=True)
class _Table:
    """One table of the page; columns of numbers and of code look like such."""

    title: str
    rows: tuple[_Row, ...]
    numbers: tuple[str, ...] = ()
    code: tuple[str, ...] = ()

    @property
    def heads(self) -> tuple[str, ...]:
        """The headlines of its columns."""
        return tuple(self.rows[0].cells)


@frozen
class _Chart:
    """What the page shows of one chart."""

    result: ChartResult
    picture: str
    """As SVG; empty where none can be drawn."""
    tables: tuple[_Table, ...]


def html_page(result: RunResult, heat_maps: Mapping[str, bytes], no_picture: str = "") -> str:
    """The whole page.

    Args:
        result: what was measured.
        heat_maps: an SVG for each chart, by its reference; charts without one have no picture.
        no_picture: what the page says in place of a picture.
    """
    charts = [
        _Chart(
            chart,
            embedded_picture(heat_maps.get(chart.reference, b"").decode(), f"map-{number}"),
            tuple(_tables(chart)),
        )
        for number, chart in enumerate(result.charts)
    ]
    return self_contained_page(
        "page.html.jinja",
        title="Transition coverage",
        home="mm_fsm.coverage",
        styles=["page.css"],
        charts=charts,
        total=result.total,
        problems=result.problems,
        meanings=_MEANINGS,
        no_picture=no_picture,
    )


def _tables(chart: ChartResult) -> Iterator[_Table]:
    yield _Table(title="What is missing", rows=tuple(_gap_rows(chart)))
    yield _Table(
        title="Edges",
        rows=tuple(_edge_rows(chart)),
        numbers=("hits",),
        code=("state", "event", "guards", "to"),
    )
    yield _Table(
        title="Guards", rows=tuple(_guard_rows(chart)), numbers=("True", "False"), code=("state", "event", "guard")
    )
    yield _Table(title="States", rows=tuple(_state_rows(chart)), numbers=("entered",), code=("state",))
    yield _Table(title="Excluded", rows=tuple(_excluded_rows(chart)), numbers=("seen",), code=("what",))


def _gap_rows(chart: ChartResult) -> Iterator[_Row]:
    for result in chart.criteria:
        for one in result.missing:
            yield _Row("", {"criterion": result.criterion, "gap": one.gap})


def _edge_rows(chart: ChartResult) -> Iterator[_Row]:
    for place, edge in enumerate(chart.model.definition.edges):
        hits = chart.hits.edges[place]
        cells = {
            "state": edge.source,
            "event": edge.event,
            "guards": ", ".join(map(str, edge.guards)),
            "to": edge.target,
            "hits": hits,
            "tests": sorted(chart.hits.tests.get(place, ())),
        }
        yield _Row("excluded" if place in chart.edge_reasons else "" if hits else "missed", cells)


def _guard_rows(chart: ChartResult) -> Iterator[_Row]:
    for number, places in chart.model.guarded.items():
        edge = chart.model.definition.edges[places[0]]
        events = ", ".join(chart.model.definition.edges[place].event for place in places)
        for at, guard in enumerate(edge.guards):
            yes, no = (chart.hits.answers[number, at, answer] for answer in (True, False))
            cells = {"state": edge.source, "event": events, "guard": guard.name, "lets pass": guard.expected}
            yield _Row("" if yes and no else "missed", {**cells, "True": yes, "False": no})


def _state_rows(chart: ChartResult) -> Iterator[_Row]:
    for state in chart.model.real_states:
        hits = chart.hits.states[state.id]
        yield _Row("" if hits else "missed", {"state": state.id, "name": state.name, "entered": hits})


def _excluded_rows(chart: ChartResult) -> Iterator[_Row]:
    for result in chart.criteria:
        for one in result.excluded:
            cells = {"criterion": result.criterion, "what": one.key, "why": one.excluded, "seen": one.hits}
            yield _Row("", cells)

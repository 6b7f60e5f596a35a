"""The report as one HTML page that needs nothing else: heat maps, gaps, and tables that can be sorted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files

from attrs import frozen

from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.result import ChartResult, CriterionResult, RunResult

_MEANINGS: Mapping[Criterion, str] = {
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
class _Cell:
    """One cell of a table: text or markup, and whether it is a number."""

    markup: str
    is_number: bool = False


def _text(text: object) -> _Cell:
    return _Cell(escape(str(text)))


def _code(text: object) -> _Cell:
    return _Cell(f"<code>{escape(str(text))}</code>" if str(text) else "")


def _number(number: int) -> _Cell:
    return _Cell(str(number), is_number=True)


def html_page(result: RunResult, heat_maps: Mapping[str, bytes]) -> str:
    """The whole page.

    Args:
        result: what was measured.
        heat_maps: an SVG for each chart, by its reference.
    """
    here = files("mm_fsm.coverage")
    style, script = (here.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    body = "\n".join(
        part
        for number, chart in enumerate(result.charts)
        for part in _chart(chart, heat_maps[chart.reference].decode(), number)
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Transition coverage</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>Transition coverage</h1>\n{_contents(result)}{_problems(result)}</header>\n"
        f'<main>\n{body}\n</main>\n<div id="hint" role="tooltip"></div>\n'
        f"<footer>What each criterion asks is in docs/coverage.md of mm-fsm.</footer>\n<script>\n{script}</script>\n"
        "</body>\n</html>\n"
    )


def _contents(result: RunResult) -> str:
    if len(result.charts) == 1:
        return ""
    links = "\n".join(
        f'<a href="#chart-{number}">{escape(chart.model.definition.name)}</a>'
        for number, chart in enumerate(result.charts)
    )
    return f"<nav>{links}</nav>\n"


def _problems(result: RunResult) -> str:
    lines = "".join(f"<div>{escape(problem)}</div>" for problem in result.problems)
    return f'<div class="problems">{lines}</div>\n' if lines else ""


def _chart(chart: ChartResult, svg: str, number: int) -> Iterator[str]:
    yield f'<section id="chart-{number}">'
    yield f"<h2>{escape(chart.model.definition.name)}</h2>"
    yield f'<code class="muted">{escape(chart.reference)}</code>'
    yield '<div class="cards">' + "\n".join(_card(one) for one in chart.criteria) + "</div>"
    yield f'<button type="button">Full size</button><div class="map">{_embedded(svg, number)}</div>'
    yield from _table("What is missing", ("criterion", "gap"), _gap_rows(chart))
    yield from _table("Edges", ("state", "event", "guards", "to", "hits", "tests"), _edge_rows(chart))
    yield from _table("Guards", ("state", "event", "guard", "lets pass", "True", "False"), _guard_rows(chart))
    yield from _table("States", ("state", "name", "entered"), _state_rows(chart))
    yield from _table("Excluded", ("criterion", "what", "why", "seen"), _excluded_rows(chart))
    yield "</section>"


def _card(result: CriterionResult) -> str:
    meaning = escape(_MEANINGS[result.criterion])
    if not result.is_measured or not result.obligations:
        nothing = '<b>-</b><span class="muted">nothing to ask</span>'
        return f'<div class="card" title="{meaning}">{result.criterion}{nothing}</div>'
    look = "full" if not result.missing else "" if result.covered else "none"
    return (
        f'<div class="card {look}" title="{meaning}">{result.criterion}<b>{int(result.percent)}%</b>'
        f'<span class="muted">{result.covered} of {result.total}</span>'
        f'<div class="bar"><i style="width:{result.percent:f}%"></i></div></div>'
    )


def _embedded(svg: str, number: int) -> str:
    """A picture that can stand in a page beside others: no prologue, no fixed size, identifiers of its own."""
    picture = svg[svg.index("<svg") :]
    return re.sub(r'\bid="', f'id="map-{number}-', picture)


def _table(title: str, heads: Sequence[str], rows: Iterable[tuple[str, Sequence[_Cell]]]) -> Iterator[str]:
    """A table with its headline; each row has a class and its cells. Nothing where there are no rows."""
    rows = list(rows)
    if not rows:
        return
    numbers = [cell.is_number for cell in rows[0][1]]
    yield f'<h3>{title} <span class="muted">({len(rows)})</span></h3>\n<div class="scroll"><table>'
    yield (
        "<thead><tr>"
        + "".join(
            f"<th{' class=number' if is_number else ''}>{head}</th>"
            for head, is_number in zip(heads, numbers, strict=True)
        )
        + "</tr></thead>\n<tbody>"
    )
    for look, cells in rows:
        columns = "".join(f"<td{' class=number' if cell.is_number else ''}>{cell.markup}</td>" for cell in cells)
        yield f"<tr{f' class={look}' if look else ''}>{columns}</tr>"
    yield "</tbody></table></div>"


def _gap_rows(chart: ChartResult) -> Iterator[tuple[str, Sequence[_Cell]]]:
    for result in chart.criteria:
        for one in result.missing:
            yield "", (_text(result.criterion), _text(one.gap))


def _edge_rows(chart: ChartResult) -> Iterator[tuple[str, Sequence[_Cell]]]:
    for place, edge in enumerate(chart.model.definition.edges):
        hits = chart.hits.edges[place]
        look = "excluded" if place in chart.edge_reasons else "" if hits else "missed"
        guards = ", ".join(map(str, edge.guards))
        cells = (_code(edge.source), _code(edge.event), _code(guards), _code(edge.target), _number(hits))
        yield look, (*cells, _tests(sorted(chart.hits.tests.get(place, ()))))


def _tests(tests: Sequence[str]) -> _Cell:
    if not tests:
        return _Cell("")
    listed = "<br>".join(f"<code>{escape(test)}</code>" for test in tests)
    return _Cell(f"<details><summary>{len(tests)}</summary>{listed}</details>")


def _guard_rows(chart: ChartResult) -> Iterator[tuple[str, Sequence[_Cell]]]:
    for number, places in chart.model.guarded.items():
        edge = chart.model.definition.edges[places[0]]
        events = ", ".join(chart.model.definition.edges[place].event for place in places)
        for at, guard in enumerate(edge.guards):
            yes, no = (chart.hits.answers[number, at, answer] for answer in (True, False))
            where = (_code(edge.source), _code(events), _code(guard.name), _text(guard.expected))
            yield "" if yes and no else "missed", (*where, _number(yes), _number(no))


def _state_rows(chart: ChartResult) -> Iterator[tuple[str, Sequence[_Cell]]]:
    for state in chart.model.real_states:
        hits = chart.hits.states[state.id]
        yield "" if hits else "missed", (_code(state.id), _text(state.name), _number(hits))


def _excluded_rows(chart: ChartResult) -> Iterator[tuple[str, Sequence[_Cell]]]:
    for result in chart.criteria:
        for one in result.excluded:
            yield "", (_text(result.criterion), _code(one.key), _text(one.excluded), _number(one.hits))

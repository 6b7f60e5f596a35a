"""The report in the terminal: one table, and one line for each gap that a person can act on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.result import ChartResult, CriterionResult, RunResult, Total

_GAPS_SHOWN: Final = 20
"""Gaps of one criterion on one chart that are written out, unless all are asked for."""
_TITLE: Final = "chart"
_MUTATION_HEADS: Final = [_TITLE, "mutants", "killed", "timed out", "survived", "excluded", "score"]


def table_lines(result: RunResult) -> list[str]:
    """One row for each chart, one for all, one column for each criterion; mutants have a table of their own."""
    recorded = [[one for one in chart.criteria if one.criterion is not Criterion.MUTATION] for chart in result.charts]
    heads = [one.criterion for one in recorded[0]] if recorded else []
    rows = [
        [chart.reference, *(_cell(one) for one in results), _figures(chart.total)]
        for chart, results in zip(result.charts, recorded, strict=True)
    ]
    if len(rows) > 1:
        columns = [_figures(Total.of(column)) for column in zip(*recorded, strict=True)]
        rows.append(["TOTAL", *columns, _figures(result.total)])
    return _aligned([[_TITLE, *heads, "total"], *rows])


def mutation_lines(result: RunResult) -> list[str]:
    """One row for each chart of which mutants were made; nothing where there is none."""
    rows = []
    for chart in result.charts:
        if (mutation := chart.mutation) is None:
            continue
        late = sum(chart.hits.timeouts.values())
        counts = (
            len(mutation.obligations),
            mutation.covered - late,
            late,
            len(mutation.missing),
            len(mutation.excluded),
        )
        rows.append([chart.reference, *map(str, counts), f"{int(mutation.percent)}%"])
    return ["", *_aligned([_MUTATION_HEADS, *rows])] if rows else []


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _cell(result: CriterionResult) -> str:
    if not result.is_measured or not result.obligations:
        return "-"
    return _figures(result)


def _figures(result: CriterionResult | Total) -> str:
    return f"{result.covered}/{result.total} {int(result.percent)}%" if result.total else "-"


def gap_lines(result: RunResult, *, everything: bool = False) -> Iterator[str]:
    """What is missing and what is excluded, chart by chart."""
    for chart in result.charts:
        gaps = [line for one in chart.criteria for line in _gaps_of(one, everything=everything)]
        excluded = list(_excluded_of(chart))
        if gaps or excluded:
            yield ""
            yield chart.reference
            yield from gaps
            yield from excluded


def _gaps_of(result: CriterionResult, *, everything: bool) -> Iterator[str]:
    shown = result.missing if everything else result.missing[:_GAPS_SHOWN]
    for one in shown:
        yield f"  {result.criterion + ':':<13}{one.gap}"
    if len(shown) < len(result.missing):
        rest = len(result.missing) - len(shown)
        yield f"  {result.criterion + ':':<13}... and {rest} more; -v writes all, the JSON and HTML reports have them"


def _excluded_of(chart: ChartResult) -> Iterator[str]:
    """Exclusions as they were declared; what follows from an excluded edge is only counted."""
    edges = {chart.model.edge_keys[place] for place in chart.edge_reasons}
    for result in chart.criteria:
        following = 0
        for one in result.excluded:
            if result.criterion is not Criterion.TRANSITIONS and _follows(chart, one.edges, one.excluded):
                following += 1
            else:
                yield f"  {'excluded:':<13}{result.criterion} {one.key}: {one.excluded}"
        if following:
            yield f"  {'excluded:':<13}{following} {result.criterion} that need {_counted(edges)}"


def _follows(chart: ChartResult, edges: Sequence[int], reason: str) -> bool:
    return any(chart.edge_reasons.get(place) == reason for place in edges)


def _counted(edges: set[str]) -> str:
    return "an excluded edge" if len(edges) == 1 else "one of the excluded edges"

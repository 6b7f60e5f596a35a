"""Every report that goes to a file."""

from __future__ import annotations

from mm_fsm.coverage.heat_map import heat_map
from mm_fsm.coverage.html_report import html_page
from mm_fsm.coverage.json_report import json_text
from mm_fsm.coverage.options import Reports
from mm_fsm.coverage.result import RunResult
from mm_fsm.diagram import file_stem


def write_reports(result: RunResult, reports: Reports) -> None:
    """Write every report that was asked for.

    Raises:
        OSError: a file cannot be written.
    """
    for path in reports.json:
        path.write_text(json_text(result), encoding="utf-8")
    if not (reports.html or reports.svg):
        return
    maps = {chart.reference: heat_map(chart) for chart in result.charts}
    for directory in reports.html:
        (directory / "index.html").write_text(html_page(result, maps), encoding="utf-8")
    for path in reports.svg:
        if path.suffix == ".svg":
            path.write_bytes(maps[result.charts[0].reference])
        else:
            for name, content in _named(result, maps).items():
                (path / f"{name}.svg").write_bytes(content)


def _named(result: RunResult, maps: dict[str, bytes]) -> dict[str, bytes]:
    """The pictures by file name; charts whose file names would be the same go by their whole names."""
    stems = [file_stem(chart.model.definition) for chart in result.charts]
    return {
        stem if stems.count(stem) == 1 else chart.reference.replace(":", "."): maps[chart.reference]
        for chart, stem in zip(result.charts, stems, strict=True)
    }

"""Every report that goes to a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mm_fsm.coverage.heat_map import heat_map
from mm_fsm.coverage.html_report import html_page
from mm_fsm.coverage.json_report import json_text
from mm_fsm.coverage.options import Reports
from mm_fsm.coverage.result import RunResult
from mm_fsm.diagram import DiagramError, file_stem


def write_reports(result: RunResult, reports: Reports) -> Iterator[Path]:
    """Write every report that was asked for; each file as soon as it is written.

    Raises:
        DiagramError: a picture was asked for, and nothing that can draw is installed.
        OSError: a file cannot be written.
    """
    for path, content in _contents(result, reports):
        path.write_bytes(content)
        yield path


def _contents(result: RunResult, reports: Reports) -> Iterator[tuple[Path, bytes]]:
    for path in reports.json:
        yield path, json_text(result).encode()
    if not (reports.html or reports.svg):
        return
    maps: dict[str, bytes] = {}
    no_picture = ""
    try:
        maps = {chart.reference: heat_map(chart) for chart in result.charts}
    except (DiagramError, ImportError) as error:
        if reports.svg:
            raise
        no_picture = f"No picture: {error}"
    for directory in reports.html:
        yield directory / "index.html", html_page(result, maps, no_picture).encode()
    for path in reports.svg:
        if path.suffix == ".svg":
            yield path, maps[result.charts[0].reference]
        else:
            for name, content in _named(result, maps).items():
                yield path / f"{name}.svg", content


def _named(result: RunResult, maps: dict[str, bytes]) -> dict[str, bytes]:
    """The pictures by file name; charts whose file names would be the same go by their whole names."""
    stems = [file_stem(chart.model.definition) for chart in result.charts]
    return {
        stem if stems.count(stem) == 1 else chart.reference.replace(":", "."): maps[chart.reference]
        for chart, stem in zip(result.charts, stems, strict=True)
    }

"""Diagrams as files: written from the definition, and compared with it, so that what is committed cannot drift."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from mm_fsm.chart import ChartDefinition
from mm_fsm.diagram.dot import dot_source
from mm_fsm.diagram.loading import DrawableChart
from mm_fsm.diagram.markdown import markdown_source
from mm_fsm.diagram.mermaid import mermaid_source
from mm_fsm.diagram.overlay import NO_OVERLAY, Overlay
from mm_fsm.diagram.pictures import PictureFormat, digest_in_svg, digest_of_dot, dot_digest_in_svg, picture
from mm_fsm.diagram.problems import DiagramError


class DiagramFormat(StrEnum):
    """What a chart can be rendered to."""

    DOT = "dot"
    SVG = "svg"
    PNG = "png"
    PDF = "pdf"
    MERMAID = "mermaid"
    MARKDOWN = "markdown"

    @property
    def suffix(self) -> str:
        """The suffix of its files, dot included."""
        return {DiagramFormat.MERMAID: ".mmd", DiagramFormat.MARKDOWN: ".md"}.get(self, f".{self.value}")


COMMITTED_FORMATS: Final = (DiagramFormat.DOT, DiagramFormat.SVG, DiagramFormat.MERMAID, DiagramFormat.MARKDOWN)
"""The formats that are kept beside the code, and that ``check_diagrams`` can compare with it."""


def render(chart: DrawableChart, form: DiagramFormat, overlay: Overlay = NO_OVERLAY) -> bytes:
    """One chart in one format; Mermaid and Markdown show the definition alone.

    Raises:
        DiagramError: a picture cannot be drawn here, or the overlay was made for another chart.
    """
    if form is DiagramFormat.DOT:
        return dot_source(chart.definition, overlay).encode()
    if form is DiagramFormat.MERMAID:
        return mermaid_source(chart.definition).encode()
    if form is DiagramFormat.MARKDOWN:
        return markdown_source(chart.definition, chart.owner).encode()
    return picture(chart.definition, PictureFormat(form.value), overlay)


def file_stem(definition: ChartDefinition) -> str:
    """The name of a chart's files: ``MarketMakingStateMachine`` becomes ``market_making``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", definition.name).lower()
    return re.sub(r"_(state_machine|state_chart|machine|chart)$", "", words)


def write_diagrams(
    charts: Iterable[DrawableChart], directory: Path, formats: Sequence[DiagramFormat] = COMMITTED_FORMATS
) -> list[Path]:
    """Write every chart in every format, and return the files. Everything is rendered before anything is written.

    An SVG that was drawn from the same definition stays as it is: another version of Graphviz, or other fonts, would
    only give other bytes.

    Raises:
        DiagramError: a picture cannot be drawn here, two charts have the same file name, or the directory is none.
    """
    files = [
        (directory / f"{stem}{form.suffix}", chart, form)
        for stem, chart in _by_stem(charts).items()
        for form in formats
    ]
    contents = {
        path: None if form is DiagramFormat.SVG and not list(_problems(chart, form, path)) else render(chart, form)
        for path, chart, form in files
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, content in contents.items():
            if content is not None:
                path.write_bytes(content)
    except OSError as error:
        raise DiagramError(
            f"directory {str(directory)!r}: expected one that can be written, found {error.strerror or error}.",
            "Name another directory.",
        ) from error
    return list(contents)


def check_diagrams(
    charts: Iterable[DrawableChart], directory: Path, formats: Sequence[DiagramFormat] = COMMITTED_FORMATS
) -> list[str]:
    """What is wrong with the files of these charts: one line for each that is missing or stale, empty when none is.

    Text is compared byte for byte. An SVG's bytes depend on fonts and on the version of Graphviz, so it is compared
    by the digests of the definition and of the DOT text it was drawn from.

    Raises:
        DiagramError: a format carries nothing to compare (PNG, PDF), or two charts have the same file name.
    """
    unmarked = [form.value for form in formats if form not in COMMITTED_FORMATS]
    if unmarked:
        raise DiagramError(
            f"formats: expected some of {[form.value for form in COMMITTED_FORMATS]}, found {unmarked}.",
            "Check the other formats; a PNG or PDF does not say what it was drawn from.",
        )
    return [
        problem
        for stem, chart in _by_stem(charts).items()
        for form in formats
        for problem in _problems(chart, form, directory / f"{stem}{form.suffix}")
    ]


def _by_stem(charts: Iterable[DrawableChart]) -> dict[str, DrawableChart]:
    named: dict[str, DrawableChart] = {}
    for chart in charts:
        stem = file_stem(chart.definition)
        if stem in named:
            raise DiagramError(
                f"charts: expected names of their own, found {named[stem].definition.name!r} and "
                f"{chart.definition.name!r}, both for files called {stem!r}.",
                "Rename one, or write them to different directories.",
            )
        named[stem] = chart
    return named


def _problems(chart: DrawableChart, form: DiagramFormat, path: Path) -> Iterator[str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        yield f"{path}: missing ({error.strerror or error}). {_REMEDY}"
        return
    if form is not DiagramFormat.SVG:
        if content != render(chart, form):
            yield f"{path}: stale, it is not what {chart.definition.name} renders to. {_REMEDY}"
        return
    text = content.decode(errors="replace")
    if digest_in_svg(text) != chart.definition.digest:
        yield f"{path}: stale, it was drawn from another definition of {chart.definition.name}. {_REMEDY}"
    elif dot_digest_in_svg(text) != digest_of_dot(dot_source(chart.definition)):
        yield f"{path}: stale, it was drawn from another DOT text of {chart.definition.name}. {_REMEDY}"


_REMEDY = "Write it again with mm-fsm diagram."

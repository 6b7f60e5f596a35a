"""From DOT to a picture: SVG, PNG or PDF.

pygraphviz renders in this process and brings its own layout libraries (the extra ``pictures``); without it a ``dot``
program on PATH serves.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum

from mm_fsm.chart import ChartDefinition
from mm_fsm.diagram.dot import dot_source
from mm_fsm.diagram.overlay import NO_OVERLAY, Overlay
from mm_fsm.diagram.problems import DiagramError
from mm_fsm.diagram.spreading import spread

_PNG_RESOLUTION = 144
"""Dots per inch: sharp on a screen with two pixels to the point."""
_DIGEST = re.compile(r"<!-- mm-fsm (?P<of>definition|dot) sha256: (?P<digest>[0-9a-f]{64}) -->")


class PictureFormat(StrEnum):
    """What a picture can be written as."""

    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


def picture(definition: ChartDefinition, form: PictureFormat, overlay: Overlay = NO_OVERLAY) -> bytes:
    """The chart as a picture. An SVG says which definition and which DOT it was drawn from.

    Raises:
        DiagramError: nothing that can draw is installed, Graphviz failed, or the overlay is for another chart.
    """
    source = dot_source(definition, overlay)
    if form is PictureFormat.PNG:
        source = source.replace("{\n", f"{{\n\tdpi={_PNG_RESOLUTION}\n", 1)
    drawn = _drawn(source, form)
    return _signed(drawn.decode(), definition, source).encode() if form is PictureFormat.SVG else drawn


def digest_in_svg(text: str) -> str | None:
    """The digest of the definition that an SVG was drawn from, or None when it carries none."""
    return _digests(text).get("definition")


def dot_digest_in_svg(text: str) -> str | None:
    """The SHA-256 of the DOT text that an SVG was drawn from, or None when it carries none."""
    return _digests(text).get("dot")


def digest_of_dot(source: str) -> str:
    """The SHA-256 of a DOT text, 64 hexadecimal digits."""
    return hashlib.sha256(source.encode()).hexdigest()


def _digests(text: str) -> dict[str, str]:
    return {match["of"]: match["digest"] for match in _DIGEST.finditer(text)}


def _signed(svg: str, definition: ChartDefinition, source: str) -> str:
    digests = (("definition", definition.digest), ("dot", digest_of_dot(source)))
    comments = "".join(f"<!-- mm-fsm {of} sha256: {digest} -->\n" for of, digest in digests)
    return svg.replace("<svg", f"{comments}<svg", 1)


def _drawn(source: str, form: PictureFormat) -> bytes:
    try:
        import pygraphviz  # noqa: PLC0415 - an extra
    except ImportError:
        return _drawn_by_program(source, form)
    try:
        graph = pygraphviz.AGraph(string=source)
        spread(graph)
        return bytes(graph.draw(format=form.value, prog="dot"))
    except (ValueError, OSError, pygraphviz.DotError) as error:
        raise _failure(form, str(error)) from error


def _drawn_by_program(source: str, form: PictureFormat) -> bytes:
    from graphviz import CalledProcessError, ExecutableNotFound, Source  # noqa: PLC0415

    try:
        return bytes(Source(source).pipe(format=form.value))
    except ExecutableNotFound as error:
        raise DiagramError(
            f"a {form.upper()} picture needs pygraphviz or Graphviz: expected one of them, found neither.",
            'Install the extra: pip install "mm-fsm[pictures]"; or install Graphviz so that dot is on PATH. '
            "DOT, Mermaid and Markdown need neither.",
        ) from error
    except CalledProcessError as error:
        raise _failure(form, (error.stderr or b"").decode(errors="replace").strip() or str(error)) from error


def _failure(form: PictureFormat, found: str) -> DiagramError:
    return DiagramError(
        f"Graphviz could not draw the {form.upper()}: expected a picture, found {found!r}.",
        "Write the DOT text and run dot on it to see the place.",
    )

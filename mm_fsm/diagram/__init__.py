"""Diagrams generated from a chart's definition: DOT, pictures, Mermaid and Markdown, and the check that they are fresh.

- ``loading``: from ``module:Class`` to a chart, python-statemachine's own included; ``problems``: what can go wrong.
- ``text``, ``labels``, ``palette``: words, labels and colours that the formats share.
- ``arrows``, ``spreading``: which edges are drawn as one line, and how lines keep apart.
- ``overlay``: the current state, a run or a coverage over a chart.
- ``dot``, ``mermaid``, ``markdown``: the formats; ``pictures`` makes SVG, PNG and PDF of DOT.
- ``files``: writes them, and checks those that are there.
"""

from mm_fsm.diagram.dot import dot_source
from mm_fsm.diagram.files import (
    COMMITTED_FORMATS,
    DiagramFormat,
    check_diagrams,
    file_stem,
    render,
    write_diagrams,
)
from mm_fsm.diagram.loading import DEFAULT_CHARTS, DrawableChart, drawable, load_chart
from mm_fsm.diagram.markdown import markdown_source
from mm_fsm.diagram.mermaid import mermaid_source
from mm_fsm.diagram.overlay import NO_OVERLAY, EdgeStyle, Overlay, StateStyle
from mm_fsm.diagram.pictures import PictureFormat, digest_in_svg, picture
from mm_fsm.diagram.problems import ChartLoadError, DiagramError

__all__ = [
    "COMMITTED_FORMATS",
    "DEFAULT_CHARTS",
    "NO_OVERLAY",
    "ChartLoadError",
    "DiagramError",
    "DiagramFormat",
    "DrawableChart",
    "EdgeStyle",
    "Overlay",
    "PictureFormat",
    "StateStyle",
    "check_diagrams",
    "digest_in_svg",
    "dot_source",
    "drawable",
    "file_stem",
    "load_chart",
    "markdown_source",
    "mermaid_source",
    "picture",
    "render",
    "write_diagrams",
]

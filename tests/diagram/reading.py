"""Reads rendered diagrams back, without the code that rendered them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pygraphviz
from attrs import field, frozen

from mm_fsm.chart import ChartDefinition

Line = tuple[str, str, str, str]
"""Name of the source, event, guards as written, name of the target; internal edges have "stays" for a target."""


@frozen
class DotEdge:
    """One arrow of a DOT text."""

    tail: str
    head: str
    lines: tuple[str, ...]
    attributes: dict[str, str] = field(eq=False)


@frozen
class DotPicture:
    """A DOT text as Graphviz itself reads it."""

    heading: tuple[str, ...]
    nodes: dict[str, tuple[str, ...]]
    tooltips: dict[str, str]
    edges: tuple[DotEdge, ...]


def read_dot(source: str) -> DotPicture:
    graph = pygraphviz.AGraph(string=source)
    return DotPicture(
        heading=_label_lines(graph.graph_attr["label"]),
        nodes={str(node): _label_lines(node.attr["label"]) for node in graph.nodes()},
        tooltips={str(node): str(node.attr["tooltip"] or "") for node in graph.nodes()},
        edges=tuple(
            DotEdge(str(edge[0]), str(edge[1]), _label_lines(edge.attr["label"]), dict(edge.attr))
            for edge in graph.edges()
        ),
    )


def _label_lines(label: str | None) -> tuple[str, ...]:
    """The text of an HTML-like label, one line for each row that says anything."""
    rows = (label or "").split("</tr>")
    texts = (html.unescape(re.sub(r"<[^>]*>", " ", row)) for row in rows)
    return tuple(line for text in texts if (line := " ".join(text.split())))


def dot_lines(definition: ChartDefinition, source: str) -> set[Line]:
    """Every edge that a DOT text shows, with edges from "any state" taken apart by the box's tooltip."""
    picture = read_dot(source)
    names = {state.id: state.name for state in definition.states}
    found: set[Line] = set()
    for edge in picture.edges:
        if "marker" in edge.tail + edge.head:
            continue
        sources = [names[edge.tail]] if edge.tail in names else _listed(picture.tooltips[edge.tail])
        for event, guards in _events(definition, edge.lines):
            found |= {(source, event, guards, names[edge.head]) for source in sources}
    for state_id, name in names.items():
        found |= {(name, event, guards, "stays") for event, guards in _stays(definition, picture.nodes[state_id])}
    return found


def _listed(tooltip: str) -> list[str]:
    """The states that "any state" stands for, as its tooltip lists them."""
    return tooltip.removeprefix("from ").split(", ")


def _events(definition: ChartDefinition, lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Pairs of event and guards from lines such as ``2 ready``, ``[first,``, ``not second]``, ``/ action``."""
    events = set(definition.events)
    text = "\n".join(lines)
    for match in re.finditer(r"^(?:\d+ )?(\w+)$(?:\n(\[[^]]*\]))?", text, re.MULTILINE):
        if match[1] in events:
            yield match[1], (match[2] or "").replace("\n", " ")


def _stays(definition: ChartDefinition, lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    start = next((number for number, line in enumerate(lines) if line.startswith("↻")), len(lines))
    text = "\n".join(line.removeprefix("↻ ") for line in lines[start:])
    apart = re.sub(r"(?<=\w)\s*,\s(?![^\[]*\])", "\n", text)
    yield from _events(definition, tuple(apart.split("\n")))


def mermaid_lines(definition: ChartDefinition, source: str) -> set[Line]:
    """Every edge that a Mermaid text shows, with edges from "any state" taken apart by its words."""
    declared = re.findall(r'^    state "([^"]*)" as (\w+)$', source, re.MULTILINE)
    text_of = {identifier: _decoded(text) for text, identifier in declared}
    found: set[Line] = set()
    for tail, head, label in re.findall(r"^    (\w+) --> (\w+) : (.*)$", source, re.MULTILINE):
        for line in label.split("<br/>"):
            event, guards = _mermaid_edge(line)
            found |= {(name, event, guards, text_of[head]) for name in _origins(definition, text_of[tail])}
    for identifier, line in re.findall(r"^    (\w+) : ↻ (.*)$", source, re.MULTILINE):
        parts = [line] if re.search(r"[\[/(]", line) else line.split(", ")
        found |= {(text_of[identifier], *_mermaid_edge(part.strip(",")), "stays") for part in parts}
    return found


def _decoded(text: str) -> str:
    """Text with Mermaid's character codes taken back."""
    return html.unescape(text.replace("#", "&#"))


def _mermaid_edge(line: str) -> tuple[str, str]:
    match = re.fullmatch(r"(?:\d+ )?(\w+)(?: \((?:command|fault)\))?(?: (\[.*\]))?(?: / .*)?", _decoded(line))
    assert match is not None, line
    return match[1], match[2] or ""


def _origins(definition: ChartDefinition, text: str) -> list[str]:
    names = [state.name for state in definition.states if not state.final]
    if text == "any state":
        return names
    if text.startswith("any state but "):
        exceptions = text.removeprefix("any state but ").split(", ")
        return [name for name in names if name not in exceptions]
    return text.removeprefix("any of ").split(", ")


def markdown_lines(source: str) -> set[Line]:
    """Every edge in the Markdown table of edges."""
    section = source.partition("\n## Edges\n")[2].partition("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| `")]
    return {_markdown_edge([cell.strip() for cell in row[1:-1].split("|")]) for row in rows}


def _markdown_edge(cells: list[str]) -> Line:
    """From cells of: source, rank where there is one, event, guards, target, actions, note."""
    event, guards, target = (re.findall(r"`([^`]*)`", cell) for cell in cells[-5:-2])
    return (
        cells[0].strip("`"),
        event[0],
        f"[{', '.join(guards)}]" if guards else "",
        target[0] if target else cells[-3].partition(":")[0],
    )


def expected_lines(definition: ChartDefinition) -> set[Line]:
    """Every edge of a definition, put as the readers put it."""
    names = {state.id: state.name for state in definition.states}
    return {
        (
            names[edge.source],
            edge.event,
            f"[{', '.join(str(guard) for guard in edge.guards)}]" if edge.guards else "",
            "stays" if edge.internal else names[edge.target],
        )
        for edge in definition.edges
    }

"""The HTML-like labels that Graphviz draws for states, arrows and the picture's heading.

Graphviz takes a small subset of HTML as a label. Everything that comes from a declaration is escaped; rows without
text are left out, because Graphviz refuses an empty element.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from attrs import evolve

from mm_fsm.chart import ChartDefinition, EdgeDefinition, Origin, StateDefinition
from mm_fsm.chart.definition import NO_EVENT
from mm_fsm.diagram.arrows import Arrow, ArrowLabel, Role, origin_of, precedence_of, role_of, shared_rank
from mm_fsm.diagram.overlay import Overlay
from mm_fsm.diagram.palette import (
    ANY_BOX,
    ARROW_COLORS,
    FINAL_BOX,
    INK,
    MUTED,
    NAME_SIZE,
    TEXT_SIZE,
    TITLE_SIZE,
    Box,
)
from mm_fsm.diagram.text import action_text, actions_text, guard_parts, is_plain, one_line

_BOX_CHARACTERS = 46
_LABEL_CHARACTERS = 34
_WIDER_BY_A_SPACE = 5
"""Bold capitals that are a space wider together than Graphviz takes them to be."""
_ARROW = "━▶"
_LEGEND_ENTRIES = 4
"""In one row, so that the heading is no wider than a small chart."""


def escaped(text: str) -> str:
    """Text of a declaration, safe inside a label."""
    return html.escape(one_line(text), quote=True).replace("&#x27;", "&#39;")


def _named(text: str) -> str:
    """A name, safe inside a label, and never empty: Graphviz refuses an empty element."""
    return escaped(text) or _spaces(1)


def _bold(markup: str, text: str) -> str:
    """Bold text with room behind: Graphviz measures it as if it were not bold, and viewers set it wider."""
    return f"<b>{markup}</b>{_spaces(1 + len(text) // _WIDER_BY_A_SPACE)}"


def _font(markup: str, *, color: str = INK, size: int = TEXT_SIZE) -> str:
    return f'<font color="{escaped(color)}" point-size="{size}">{markup}</font>'


def _filled(parts: Iterable[str], characters: int, *, indent: str = "", hanging: str = "") -> list[str]:
    """Escaped lines of at most ``characters``, the first behind ``indent``, the rest behind ``hanging``.

    A part is never broken, however long it is.
    """
    lines: list[str] = []
    for part in map(one_line, parts):
        if lines and len(lines[-1]) + 1 + len(part) <= characters:
            lines[-1] += f" {part}"
        elif part:
            lines.append((hanging if lines else indent) + part)
    return [_spaces(len(line) - len(line.lstrip())) + escaped(line) for line in lines]


def _spaces(count: int) -> str:
    return "&#160;" * count


_CELL = '<td align="left" colspan="2" cellpadding="1"'


def _rows(lines: Iterable[str], *, color: str = INK) -> str:
    """One table row for each line: Graphviz sets lines of one cell too tight."""
    return "".join(f"<tr>{_CELL}>{_font(f' {line}{_spaces(2)}', color=color)}</td></tr>" for line in lines)


_GAP = '<tr><td colspan="2" height="3" cellpadding="0"></td></tr>'


def state_label(definition: ChartDefinition, state: StateDefinition, overlay: Overlay, box: Box) -> str:
    """A state's box: name and budget, purpose, actions with their services, internal edges, annotations."""
    purpose = (f"<i>{line}</i>" for line in _filled(state.purpose.split(), _BOX_CHARACTERS))
    actions = [
        line
        for verb, callbacks in (("entry", state.enter), ("exit", state.exit))
        for callback in callbacks
        for line in _filled(f"{verb} / {action_text(callback)}".split(), _BOX_CHARACTERS, hanging="   ")
    ]
    annotations = (f"<b>{escaped(line)}</b>" for line in overlay.state(state.id).annotations if one_line(line))
    body = [_rows(purpose, color=MUTED), _rows(actions), _rows(_internal_lines(definition, state, overlay))]
    sections = [_GAP.join(part for part in body if part), _rows(annotations)]
    rows = _with_ports("".join(f"<hr/>{_GAP}{section}{_GAP}" for section in sections if section))
    return f'<<table {box.attributes} cellpadding="4">{_title_row(state)}{rows}</table>>'


def _with_ports(rows: str) -> str:
    """Rows that arrows can be told to end at."""
    head, *tails = rows.split(_CELL)
    return head + "".join(f'{_CELL} port="row{number}"{tail}' for number, tail in enumerate(tails))


def _title_row(state: StateDefinition) -> str:
    name = _font(_bold(_named(state.name), one_line(state.name)), size=NAME_SIZE)
    if state.budget is None:
        return f'<tr><td align="left" colspan="2">{name}</td></tr>'
    budget = _font(escaped(str(state.budget)) + _spaces(1), color=MUTED)
    return f'<tr><td align="left">{name}</td><td align="right">{budget}</td></tr>'


def _internal_lines(definition: ChartDefinition, state: StateDefinition, overlay: Overlay) -> list[str]:
    """Internal edges: those with guards or actions on lines of their own, the plain ones run together."""
    internal = [edge for edge in definition.edges_from(state.id) if edge.internal]
    plain = [edge for edge in internal if is_plain(edge)]
    ranks = precedence_of(definition)
    lines: list[str] = []
    for edge in internal:
        if not is_plain(edge):
            rank = f"{ranks[edge.id]} " if edge.id in ranks else ""
            lines.append(f"↻ {_font(rank, color=MUTED) if rank else ''}{_event(definition, edge, overlay)}")
            for parts in (guard_parts(edge), _slashed(edge).split()):
                lines += _filled(parts, _BOX_CHARACTERS, indent="    ", hanging="      ")
    return lines + _run_together(definition, plain, overlay)


def _slashed(edge: EdgeDefinition) -> str:
    actions = actions_text(edge)
    return f"/ {actions}" if actions else ""


def _run_together(definition: ChartDefinition, edges: Iterable[EdgeDefinition], overlay: Overlay) -> list[str]:
    lines: list[list[str]] = []
    length = _BOX_CHARACTERS
    for edge in edges:
        characters = len(edge.event) + len(overlay.edge(edge.id).label_suffix) + 3
        if length + characters > _BOX_CHARACTERS:
            lines.append([])
            length = 0
        lines[-1].append(_event(definition, edge, overlay))
        length += characters
    return [f"{'↻' if number == 0 else _spaces(3)} {', '.join(line)}" for number, line in enumerate(lines)]


def _event(definition: ChartDefinition, edge: EdgeDefinition, overlay: Overlay) -> str:
    style = overlay.edge(edge.id)
    role = role_of(definition, edge)
    color = style.color or (INK if role is Role.NORMAL else ARROW_COLORS[role])
    suffix = f" {escaped(style.label_suffix)}" if one_line(style.label_suffix) else ""
    return f'<font color="{escaped(color)}">{_named(edge.event)}{suffix}</font>'


def colors_of(arrow: Arrow, overlay: Overlay) -> list[str]:
    """Colours of the edges that an arrow stands for, each once, those that are not dashed first.

    Graphviz draws lines of all of them side by side: one line where all edges look alike.
    """
    styles = [overlay.edge(edge.id) for label in arrow.labels for edge in label.edges]
    styles.sort(key=lambda style: style.dashed)
    return list(dict.fromkeys(style.color or ARROW_COLORS[arrow.role] for style in styles))


def arrow_label(definition: ChartDefinition, arrow: Arrow, overlay: Overlay, ranks: Mapping[str, int]) -> str:
    """The events on an arrow, each with its rank, guards, actions and what the overlay adds, in its colours."""
    rows = "".join(_label_rows(definition, arrow, label, overlay, ranks) for label in arrow.labels)
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="1">{rows}</table>>'


def _label_rows(
    definition: ChartDefinition, arrow: Arrow, label: ArrowLabel, overlay: Overlay, ranks: Mapping[str, int]
) -> str:
    edge = label.edge
    color = colors_of(evolve(arrow, labels=(label,)), overlay)[0]
    rank = shared_rank(label, ranks)
    prefix = _font(f"{rank} ", color=MUTED) if rank is not None else ""
    event = prefix + _font(_bold(_named(edge.event), one_line(edge.event)), color=color)
    shared, by_source = _suffixes(definition, label, overlay)
    if shared:
        event += _font(_bold(shared, shared), color=color)
    lines = [event]
    for parts in (guard_parts(edge), _slashed(edge).split()):
        lines += [_font(line, color=MUTED) for line in _filled(parts, _LABEL_CHARACTERS, hanging="  ")]
    lines += [_font(text, color=own or color) for text, own in by_source]
    return "".join(f'<tr><td align="left">&#160;{line}&#160;</td></tr>' for line in lines)


def _suffixes(definition: ChartDefinition, label: ArrowLabel, overlay: Overlay) -> tuple[str, list[tuple[str, str]]]:
    """What the overlay adds to an event: once when it is the same for every source, else a line and colour for each."""
    styles = {edge.source: overlay.edge(edge.id) for edge in label.edges}
    texts = {escaped(style.label_suffix) for style in styles.values()}
    if len(texts) == 1:
        return texts.pop(), []
    return "", [
        (f"{_spaces(2)}{escaped(definition.state(source).name)} {escaped(style.label_suffix)}", style.color)
        for source, style in styles.items()
        if style.label_suffix
    ]


def any_state_label(definition: ChartDefinition, arrow: Arrow) -> str:
    """The small box that stands for several states."""
    headline, names = origin_of(definition, arrow)
    rows = [_font(f"<i>{escaped(headline)}</i>", color=MUTED), *(_font(_named(name), color=MUTED) for name in names)]
    cells = "".join(f"<tr><td>&#160;&#160;{row}&#160;&#160;</td></tr>" for row in rows)
    return f'<<table {ANY_BOX.attributes} cellpadding="2">{cells}</table>>'


def heading(definition: ChartDefinition, overlay: Overlay) -> str:
    """The picture's heading: the chart's name, what is drawn over it, and a legend of what occurs in it."""
    caption = f" {_font(escaped(overlay.caption), color=MUTED, size=NAME_SIZE)}" if one_line(overlay.caption) else ""
    entries = [
        _font(sign, color=color) + _font(f" {text}", color=MUTED) for sign, color, text in _legend(definition, overlay)
    ]
    meanings = [_font("■", color=color) + _font(f" {escaped(text)}", color=MUTED) for color, text in overlay.legend]
    legend = [entries[:_LEGEND_ENTRIES], entries[_LEGEND_ENTRIES:], meanings]
    rows = [
        f"{_font(_bold(_named(definition.name), one_line(definition.name)), size=TITLE_SIZE)}{caption}",
        *(_spaces(4).join(row) for row in legend if row),
    ]
    cells = "".join(f'<tr><td align="left">{row}</td></tr>' for row in rows)
    return f'<<table border="0" cellborder="0" cellspacing="0" cellpadding="3">{cells}<tr><td> </td></tr></table>>'


def _legend(definition: ChartDefinition, overlay: Overlay) -> list[tuple[str, str, str]]:
    """Sign, colour and meaning of everything that occurs in the chart and explains itself badly."""
    entries = _legend_of_edges(definition)
    if definition.edges and all(overlay.edge(edge.id).color for edge in definition.edges):
        entries = [entry for entry in entries if entry[0] != _ARROW]  # their colours mean something else here
    if definition.automatic:
        entries.append(("1 2 3", INK, "order in which a state tries its edges"))
    if any(edge.internal for edge in definition.edges):
        entries.append(("↻", INK, "stays: no exit, no entry"))
    if any(state.final for state in definition.states):
        entries.append(("■", FINAL_BOX.border, "final"))
    return entries


def _legend_of_edges(definition: ChartDefinition) -> list[tuple[str, str, str]]:
    roles = {role_of(definition, edge) for edge in definition.edges}
    origins = set(definition.origins.values())
    entries = []
    if definition.automatic:
        entries.append((_ARROW, ARROW_COLORS[Role.NORMAL], "fires by itself when its guards hold"))
    elif not definition.edges or any(event not in definition.origins for event in definition.events):
        entries.append((_ARROW, ARROW_COLORS[Role.NORMAL], "sent by the host"))
    if Role.COMMAND in roles:
        entries.append((_ARROW, ARROW_COLORS[Role.COMMAND], "command, sent by the host"))
    if Role.FAULT in roles:
        entries.append((_ARROW, ARROW_COLORS[Role.FAULT], "a guard or callback raised"))
    if Origin.GUARDS in origins:
        entries.append((f"{NO_EVENT}:", INK, "taken by itself when its guards hold"))
    if Origin.ENDED in origins:
        ended = next(event for event, origin in definition.origins.items() if origin is Origin.ENDED)
        entries.append((f"{escaped(ended)}:", INK, "sent by the machine at the end of that state"))
    return entries

"""A chart as Markdown tables: everything that the definition says, in the order in which it counts."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from mm_fsm.chart import CallbackDefinition, ChartDefinition, EdgeDefinition, Origin, StateDefinition
from mm_fsm.chart.definition import NO_EVENT
from mm_fsm.core.plurals import counted
from mm_fsm.diagram.arrows import precedence_of
from mm_fsm.diagram.text import actions_of, kind_text, one_line

_MARKUP = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|&#"})
_CODE_SPAN = re.compile(r"(?<!`)(?P<fence>`{1,2})(?!`)(?P<code>[^`]+)(?P=fence)(?!`)")


def markdown_source(definition: ChartDefinition, owner: type | None = None) -> str:
    """The chart as tables of states, edges and guards.

    Args:
        definition: the chart.
        owner: the class whose methods are the guards; the first line of each docstring says what the guard means.
    """
    sections = [
        [f"# {_prose(definition.name)}", ""],
        _introduction(definition, owner),
        ["## States", "", *_state_section(definition), ""],
        ["## Edges", "", *_edge_section(definition), ""],
    ]
    if definition.guard_names:
        header = ("Guard", "Holds when", "Asked by")
        sections.append(["## Guards", "", *_table(header, _guard_rows(definition, owner)), ""])
    return "\n".join(line for section in sections for line in section)


def _introduction(definition: ChartDefinition, owner: type | None) -> list[str]:
    summary = _summary(owner)
    lines = [_prose(summary), ""] if summary else []
    lines += [f"Generated from the declaration; do not edit. Definition sha256: `{definition.digest}`.", ""]
    counts = f"{counted(len(definition.states), 'state')}, {counted(len(definition.edges), 'edge')}"
    lines.append(f"{counts}; it starts in {_code(definition.initial.name)}.")
    if definition.fault_event is not None and not definition.origins:
        lines.append(f"When a guard or a callback raises, the machine sends {_code(definition.fault_event)}.")
    return [*lines, ""]


def _state_section(definition: ChartDefinition) -> Iterator[str]:
    header = ("State", "Within", "Purpose", "Budget", "On entry", "On exit")
    return _table(header if definition.hierarchy.parents else _without_second(header), _state_rows(definition))


def _state_rows(definition: ChartDefinition) -> Iterator[tuple[str, ...]]:
    names, parents = _names(definition), definition.hierarchy.parents
    for state in definition.states:
        row = (
            names[state.id] + _marks(definition, state),
            names[parents[state.id]] if state.id in parents else "",
            _prose(state.purpose),
            str(state.budget or ""),
            _actions(state.enter),
            _actions(state.exit),
        )
        yield row if parents else _without_second(row)


def _names(definition: ChartDefinition) -> dict[str, str]:
    """What each state is called: its name; its identifier where another state has the same name."""
    known = Counter(state.name for state in definition.states)
    return {state.id: _code(state.name if known[state.name] == 1 else state.id) for state in definition.states}


def _marks(definition: ChartDefinition, state: StateDefinition) -> str:
    around = definition.hierarchy.parents.get(state.id, "")
    is_first = state.initial or state.id in definition.hierarchy.starts.get(around, ())
    marks = [word for word, holds in (("initial", is_first), ("final", state.final)) if holds]
    return f" ({', '.join(marks)})" if marks else ""


def _edge_section(definition: ChartDefinition) -> Iterator[str]:
    if definition.automatic:
        yield "The number is the order in which a state tries its edges; the first whose guards hold is taken."
        yield "A command is sent by the host, a fault by the machine itself: they have no number."
    else:
        yield from _origins(definition)
    yield ""
    header = ("From", "", "Event", "Guards", "To", "Actions", "Note")
    yield from _table(header if definition.automatic else _without_second(header), _edge_rows(definition))


def _origins(definition: ChartDefinition) -> Iterator[str]:
    """Who sends the events of a chart that does not fire by itself."""
    origins = set(definition.origins.values())
    if not origins:
        yield "Every event is sent by the host; of one event's edges the first whose guards hold is taken."
    elif any(event not in definition.origins for event in definition.events):
        yield "The host sends the other events; of one event's edges the first whose guards hold is taken."
    if Origin.GUARDS in origins:
        yield f"An edge with {_code(NO_EVENT)} is taken by itself as soon as its guards hold."
    if Origin.ENDED in origins:
        yield "The machine sends an event marked (ended) when the state that it names, or work in it, has ended."
    if Origin.FAULT in origins:
        yield "The machine sends one marked (fault) when a guard or a callback raises."


def _without_second(row: tuple[str, ...]) -> tuple[str, ...]:
    return (row[0], *row[2:])


def _edge_rows(definition: ChartDefinition) -> Iterator[tuple[str, ...]]:
    ranks, names = precedence_of(definition), _names(definition)
    for state in definition.states:
        for edge in definition.edges_from(state.id):
            row = (
                names[state.id],
                str(ranks.get(edge.id, "")),
                f"{_code(edge.event)} {kind_text(definition, edge)}".rstrip(),
                ", ".join(_code(str(guard)) for guard in edge.guards),
                _target(edge, names),
                _actions(actions_of(edge)),
                _notes(edge),
            )
            yield row if definition.automatic else _without_second(row)


def _target(edge: EdgeDefinition, names: Mapping[str, str]) -> str:
    if edge.internal:
        return "stays: no exit, no entry"
    return f"{names[edge.target]}, entered again" if edge.target == edge.source else names[edge.target]


def _notes(edge: EdgeDefinition) -> str:
    excluded = f"No test can reach it: {edge.excluded}" if edge.excluded else ""
    return "; ".join(_prose(note) for note in (edge.note, excluded) if note)


def _actions(callbacks: Iterable[CallbackDefinition]) -> str:
    return "<br>".join(
        _code(callback.name) + (f" → {', '.join(_code(call) for call in callback.calls)}" if callback.calls else "")
        for callback in callbacks
    )


def _guard_rows(definition: ChartDefinition, owner: type | None) -> Iterator[tuple[str, ...]]:
    for guard in definition.guard_names:
        events = dict.fromkeys(edge.event for edge in definition.edges if guard in {term.name for term in edge.guards})
        meaning = _summary(inspect.getattr_static(owner, guard, None)) if owner is not None else ""
        yield (_code(guard), _prose(meaning), ", ".join(_code(event) for event in events))


def _summary(documented: object) -> str:
    """The first line of an own docstring; empty when there is none."""
    if not (inspect.isroutine(documented) or isinstance(documented, (type, property))):
        return ""
    text = documented.__doc__ or ""
    return text.strip().partition("\n")[0].strip()


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (header, tuple("---" for _ in header), *rows):
        yield f"| {' | '.join(row)} |"


def _code(text: str) -> str:
    """A name as code, with as many backticks around it as it needs, and its bars kept from ending the cell."""
    plain = one_line(text).replace("|", "\\|")
    fence = "`"
    while fence in plain:
        fence += "`"
    padding = " " if "`" in plain else ""
    return f"{fence}{padding}{plain}{padding}{fence}" if plain else ""


def _prose(text: str) -> str:
    """Text of a declaration: what it marks as code stays code, and nothing else in it is taken for markup."""
    plain, written, end = one_line(text), "", 0
    for span in _CODE_SPAN.finditer(plain):
        written += plain[end : span.start()].translate(_MARKUP) + _code(span["code"])
        end = span.end()
    return written + plain[end:].translate(_MARKUP)

"""A chart as a Mermaid state diagram, which code hosts draw in place; the same text for the same definition."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator

from mm_fsm.chart import ChartDefinition, EdgeDefinition, StateDefinition
from mm_fsm.diagram.arrows import Arrow, arrows_of, fault_states, origin_of, precedence_of, shared_rank
from mm_fsm.diagram.palette import FAULT_BOX, FINAL_BOX
from mm_fsm.diagram.text import action_text, actions_text, guards_text, is_plain, kind_text, one_line

_WORDS = frozenset(
    {"accdescr", "acctitle", "as", "choice", "class", "classdef", "click", "default", "direction", "end", "fork"}
    | {"hide", "href", "join", "note", "root", "scale", "state", "style"}
)
"""Words of Mermaid's language that cannot name a state."""
_CODES = {ord(sign): f"#{ord(sign)};" for sign in '#;:<>"%{}`\\'}
"""Characters that end a label, or that Mermaid takes for markup, as its own character codes."""
_STATE_CHARACTERS = 46


def mermaid_source(definition: ChartDefinition) -> str:
    """The chart as ``stateDiagram-v2`` text.

    Internal edges stand in their state; edges from many states come from one "any state"; notes are left to the
    Markdown tables.
    """
    return "\n".join([*_lines(definition), ""])


def _lines(definition: ChartDefinition) -> Iterator[str]:
    names = _identifiers(definition)
    yield f"%% {_text(definition.name)}"
    yield f"%% mm-fsm definition sha256: {definition.digest}"
    yield "stateDiagram-v2"
    yield "    direction TB"
    for state in definition.states:
        yield f'    state "{_text(state.name) or names[state.id]}" as {names[state.id]}'
        for line in _state_lines(definition, state):
            yield f"    {names[state.id]} : {_text(line)}"
    yield f"    [*] --> {names[definition.initial.id]}"
    numbers = itertools.count(1)
    for arrow in arrows_of(definition):
        tail = names[arrow.sources[0]]
        if arrow.is_grouped:
            tail = _free_name(f"any_state_{next(numbers)}", names)
            yield f'    state "{_text(_origin(definition, arrow))}" as {tail}'
        yield f"    {tail} --> {names[arrow.target]} : {_arrow_text(definition, arrow)}"
    yield from (f"    {names[state.id]} --> [*]" for state in definition.states if state.final)
    yield from _class_lines(definition, names)


def _state_lines(definition: ChartDefinition, state: StateDefinition) -> Iterator[str]:
    if state.budget is not None:
        yield str(state.budget)
    if state.purpose:
        yield state.purpose
    yield from (f"entry / {action_text(callback)}" for callback in state.enter)
    yield from (f"exit / {action_text(callback)}" for callback in state.exit)
    ranks = precedence_of(definition)
    internal = [edge for edge in definition.edges_from(state.id) if edge.internal]
    yield from (f"↻ {_edge_text(definition, edge, ranks.get(edge.id))}" for edge in internal if not is_plain(edge))
    plain = ", ".join(_edge_text(definition, edge, ranks.get(edge.id)) for edge in internal if is_plain(edge))
    yield from (f"↻ {line}" for line in textwrap.wrap(plain, _STATE_CHARACTERS, break_long_words=False))


def _edge_text(definition: ChartDefinition, edge: EdgeDefinition, rank: int | None) -> str:
    actions = actions_text(edge)
    parts = (
        "" if rank is None else str(rank),
        edge.event,
        kind_text(definition, edge),
        guards_text(edge),
        f"/ {actions}" if actions else "",
    )
    return " ".join(part for part in parts if part)


def _arrow_text(definition: ChartDefinition, arrow: Arrow) -> str:
    ranks = precedence_of(definition)
    return "<br/>".join(_text(_edge_text(definition, label.edge, shared_rank(label, ranks))) for label in arrow.labels)


def _origin(definition: ChartDefinition, arrow: Arrow) -> str:
    headline, names = origin_of(definition, arrow)
    return f"{headline} {', '.join(names)}".strip()


def _text(text: str) -> str:
    return one_line(text).translate(_CODES)


def _identifiers(definition: ChartDefinition) -> dict[str, str]:
    """A name for each state that is no word of Mermaid's language."""
    names = {state.id: state.id for state in definition.states}
    for state_id in names:
        if state_id.lower() in _WORDS:
            names[state_id] = _free_name(f"{state_id}_state", names)
    return names


def _free_name(wanted: str, names: dict[str, str]) -> str:
    while wanted in names.values():
        wanted += "_"
    return wanted


def _class_lines(definition: ChartDefinition, names: dict[str, str]) -> Iterator[str]:
    fault = sorted(names[state_id] for state_id in fault_states(definition))
    final = [names[state.id] for state in definition.states if state.final]
    for name, box, members in (("faultState", FAULT_BOX, fault), ("finalState", FINAL_BOX, final)):
        if members:
            yield f"    classDef {name} fill:{box.fill},stroke:{box.border}"
            yield f"    class {','.join(members)} {name}"

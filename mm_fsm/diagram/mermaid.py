"""A chart as a Mermaid state diagram, which code hosts draw in place; the same text for the same definition.

Mermaid fails on arrows that end at a state with others inside where that state is a region of a parallel one, lies
around the other end, or is the other end. Such arrows end at a small box "itself" within the state, where also the
state's own text stands: Mermaid writes nothing beside the name of a state with others inside.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from attrs import frozen

from mm_fsm.chart import ChartDefinition, EdgeDefinition, Nesting, StateDefinition
from mm_fsm.diagram.arrows import Arrow, arrows_of, origin_of, precedence_of, shared_rank
from mm_fsm.diagram.palette import FINAL_BOX
from mm_fsm.diagram.text import action_text, actions_text, guards_text, is_plain, kind_text, one_line

_WORDS = frozenset(
    {"accdescr", "acctitle", "as", "choice", "class", "classdef", "click", "default", "direction", "end", "fork"}
    | {"hide", "href", "join", "note", "root", "scale", "state", "style"}
)
"""Words of Mermaid's language that cannot name a state."""
_CODES = {ord(sign): f"#{ord(sign)};" for sign in '#;:<>"%{}`\\'}
"""Characters that end a label, or that Mermaid takes for markup, as its own character codes."""
_STATE_CHARACTERS = 46
_INDENT = "    "


def mermaid_source(definition: ChartDefinition) -> str:
    """The chart as ``stateDiagram-v2`` text.

    Internal edges stand in their state; edges from many states come from one "any state"; notes are left to the
    Markdown tables.
    """
    return "\n".join([*_Chart(definition).lines(), ""])


@frozen(slots=False)
class _Chart:
    """One chart being written."""

    definition: ChartDefinition

    @cached_property
    def names(self) -> dict[str, str]:
        """A name for each state that is no word of Mermaid's language and holds no other signs than letters."""
        known = [state.id for state in self.definition.states]
        names = {name: name for name in known if re.fullmatch(r"\w+", name) and name.lower() not in _WORDS}
        for name in known:
            if name not in names:
                plain = re.sub(r"\W", "_", name)
                names[name] = free_name(f"{plain}_state" if plain.lower() in _WORDS or not plain else plain, names)
        return names

    @cached_property
    def itself(self) -> Mapping[str, str]:
        """The name of the box that stands for a state within it, for each state that needs one."""
        needed = [state.id for state in self.definition.states if self._is_around(state.id) and self._needs_box(state)]
        taken, boxes = dict(self.names), {}
        for state in needed:
            boxes[state] = taken[f"{state} itself"] = free_name(f"{self.names[state]}_itself", taken)
        return boxes

    @cached_property
    def arrows(self) -> tuple[Arrow, ...]:
        """Every arrow."""
        return arrows_of(self.definition)

    def _is_around(self, state: str) -> bool:
        return bool(self.definition.hierarchy.inside(state))

    def _needs_box(self, state: StateDefinition) -> bool:
        arrows = [arrow for arrow in self.arrows if state.id in (*arrow.sources, arrow.target)]
        return bool(state.enter or state.exit or any(self._internal(state.id))) or any(
            self._fails_at(arrow, state.id) for arrow in arrows
        )

    def _internal(self, state: str) -> Iterator[EdgeDefinition]:
        return (edge for edge in self.definition.edges_from(state) if edge.internal)

    def _around(self, state: str) -> list[str]:
        """The states around a state, the nearest first."""
        parents, found = self.definition.hierarchy.parents, []
        while state in parents:
            state = parents[state]
            found.append(state)
        return found

    def _fails_at(self, arrow: Arrow, state: str) -> bool:
        """Whether Mermaid cannot draw an arrow to the frame of a state."""
        nesting = self.definition.hierarchy.nesting
        others = [end for end in (*arrow.sources, arrow.target) if end != state]
        return (
            any(nesting[around] is Nesting.PARALLEL for around in self._around(state))
            or any(state in self._around(other) for other in others)
            or (not others and not arrow.is_grouped)
        )

    def _end(self, arrow: Arrow, state: str) -> str:
        return self.itself[state] if self._is_around(state) and self._fails_at(arrow, state) else self.names[state]

    def _scope(self, arrow: Arrow) -> str:
        """The innermost state around both ends of an arrow in which one can be written; empty for the chart."""
        if arrow.is_grouped:
            return ""
        (source,), target = arrow.sources, arrow.target
        outer = [target, *self._around(target)] if self._is_around(target) else self._around(target)
        inner = [source, *self._around(source)] if self._is_around(source) else self._around(source)
        nesting = self.definition.hierarchy.nesting
        own = {end for end in (source, target) if self._is_around(end) and not self._fails_at(arrow, end)}
        shared = (one for one in inner if one in outer and one not in own)
        return next((one for one in shared if nesting[one] is not Nesting.PARALLEL), "")

    # -- writing ----------------------------------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        """The whole text."""
        definition = self.definition
        yield f"%% {_text(definition.name)}"
        yield f"%% mm-fsm definition sha256: {definition.digest}"
        yield "stateDiagram-v2"
        yield f"{_INDENT}direction TB"
        parents = definition.hierarchy.parents
        outermost = [state for state in definition.states if state.id not in parents]
        yield from _indented(self._states(outermost))
        yield f"{_INDENT}[*] --> {self.names[definition.initial.id]}"
        yield from _indented(self._arrows(""))
        yield from _indented(f"{self.names[state.id]} --> [*]" for state in outermost if state.final)
        yield from _indented(self._class_lines())

    def _states(self, states: Iterable[StateDefinition]) -> Iterator[str]:
        for state in states:
            declared = f'state "{_text(state.name) or self.names[state.id]}" as {self.names[state.id]}'
            if self._is_around(state.id):
                yield f"{declared} {{"
                yield from _indented(self._content(state))
                yield "}"
            else:
                yield declared
                yield from (f"{self.names[state.id]} : {_text(line)}" for line in self._state_lines(state))

    def _content(self, state: StateDefinition) -> Iterator[str]:
        """What stands in the frame of a state."""
        hierarchy = self.definition.hierarchy
        inside = [self.definition.state(inner) for inner in hierarchy.inside(state.id)]
        if state.id in self.itself:
            yield f'state "itself" as {self.itself[state.id]}'
            yield from (f"{self.itself[state.id]} : {_text(line)}" for line in self._state_lines(state))
        if hierarchy.nesting[state.id] is Nesting.PARALLEL:
            for number, region in enumerate(inside):
                if number or state.id in self.itself:
                    yield "--"
                yield from self._states([region])
            return
        yield from self._states(inside)
        starts = (inner for inner in hierarchy.starts.get(state.id, ()) if hierarchy.parents[inner] == state.id)
        yield from (f"[*] --> {self.names[inner]}" for inner in starts)
        yield from self._arrows(state.id)
        yield from (f"{self.names[inner.id]} --> [*]" for inner in inside if inner.final)

    def _arrows(self, scope: str) -> Iterator[str]:
        boxes: dict[tuple[str, ...], str] = {}
        taken = {**self.names, **{f"{state} itself": name for state, name in self.itself.items()}}
        for arrow in self.arrows:
            if self._scope(arrow) != scope:
                continue
            tail = self._end(arrow, arrow.sources[0])
            if arrow.is_grouped and arrow.sources not in boxes:
                boxes[arrow.sources] = free_name(f"any_state_{len(boxes) + 1}", taken)
                yield f'state "{_text(self._origin(arrow))}" as {boxes[arrow.sources]}'
            if arrow.is_grouped:
                tail = boxes[arrow.sources]
            yield f"{tail} --> {self._end(arrow, arrow.target)} : {self._arrow_text(arrow)}"
        if scope == "":
            yield from self._defaults_of_history()

    def _defaults_of_history(self) -> Iterator[str]:
        hierarchy = self.definition.hierarchy
        for state, nesting in hierarchy.nesting.items():
            if nesting is Nesting.HISTORY:
                for target in hierarchy.starts.get(state, ()):
                    yield f"{self.names[state]} --> {self.names[target]} : nothing remembered"

    def _state_lines(self, state: StateDefinition) -> Iterator[str]:
        if state.budget is not None:
            yield str(state.budget)
        if state.purpose and not self._is_around(state.id):
            yield state.purpose
        yield from (f"entry / {action_text(callback)}" for callback in state.enter)
        yield from (f"exit / {action_text(callback)}" for callback in state.exit)
        ranks = precedence_of(self.definition)
        internal = list(self._internal(state.id))
        yield from (f"↻ {self._edge_text(edge, ranks.get(edge.id))}" for edge in internal if not is_plain(edge))
        plain = ", ".join(self._edge_text(edge, ranks.get(edge.id)) for edge in internal if is_plain(edge))
        yield from (f"↻ {line}" for line in textwrap.wrap(plain, _STATE_CHARACTERS, break_long_words=False))

    def _edge_text(self, edge: EdgeDefinition, rank: int | None) -> str:
        actions = actions_text(edge)
        parts = (
            "" if rank is None else str(rank),
            edge.event,
            kind_text(self.definition, edge),
            guards_text(edge),
            f"/ {actions}" if actions else "",
        )
        return " ".join(part for part in parts if part)

    def _arrow_text(self, arrow: Arrow) -> str:
        ranks = precedence_of(self.definition)
        return "<br/>".join(_text(self._edge_text(label.edge, shared_rank(label, ranks))) for label in arrow.labels)

    def _origin(self, arrow: Arrow) -> str:
        headline, names = origin_of(self.definition, arrow)
        return f"{headline} {', '.join(names)}".strip()

    def _class_lines(self) -> Iterator[str]:
        final = [self.names[state.id] for state in self.definition.states if state.final]
        if final:
            yield f"classDef finalState fill:{FINAL_BOX.fill},stroke:{FINAL_BOX.border}"
            yield f"class {','.join(final)} finalState"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"{_INDENT}{line}" for line in lines)


def _text(text: str) -> str:
    return one_line(text).translate(_CODES)


def free_name(wanted: str, names: Mapping[str, str]) -> str:
    """A name that none of ``names`` has."""
    while wanted in names.values():
        wanted += "_"
    return wanted

"""Flat charts drawn by hypothesis: callbacks in every place, candidates with guards, hooks by name, internal edges."""

from __future__ import annotations

import functools
import operator
import types
from typing import Any, NamedTuple

import hypothesis.strategies as st

from mm_fsm.chart import Chart, State

STATES = ("north", "east", "south")
END = "gone"
EVENTS = ("go", "turn", "stay")
CALLBACKS = ("first", "second", "third", "fourth")
"""Shared: one of them may stand in several places, and be called more than once on one edge."""
HOOKS = (
    *(f"on_{what}_{state}" for what in ("enter", "exit") for state in STATES),
    f"on_enter_{END}",
    *(f"{when}_{event}" for when in ("before", "on", "after") for event in EVENTS),
)


class DrawnEdge(NamedTuple):
    source: str
    target: str
    guarded: bool
    """Whether it is only a candidate: another edge of the event follows where the guard does not hold."""
    internal: bool
    before: tuple[str, ...]
    on: tuple[str, ...]
    after: tuple[str, ...]


class DrawnChart(NamedTuple):
    enter: dict[str, tuple[str, ...]]
    exit: dict[str, tuple[str, ...]]
    events: dict[str, list[DrawnEdge]]
    hooks: frozenset[str]


_named = st.lists(st.sampled_from(CALLBACKS), max_size=2, unique=True).map(tuple)


@st.composite
def drawn_edges(draw: st.DrawFn, source: str, *, guarded: bool) -> DrawnEdge:
    internal = draw(st.booleans())
    target = source if internal else draw(st.sampled_from((*STATES, END)))
    return DrawnEdge(source, target, guarded, internal, draw(_named), draw(_named), draw(_named))


@st.composite
def _events(draw: st.DrawFn) -> dict[str, list[DrawnEdge]]:
    found: dict[str, list[DrawnEdge]] = {}
    for event in EVENTS:
        for source in STATES:
            edges = []
            if draw(st.booleans()):
                edges.append(draw(drawn_edges(source, guarded=True)))
            if draw(st.booleans()):
                edges.append(draw(drawn_edges(source, guarded=False)))
            if edges:
                found.setdefault(event, []).extend(edges)
    return found


def drawn_charts() -> st.SearchStrategy[DrawnChart]:
    """Three states and an end, up to three events with one or two candidates in each state, callbacks anywhere."""
    actions = st.fixed_dictionaries(dict.fromkeys((*STATES, END), _named))
    return st.builds(DrawnChart, actions, actions, _events(), st.frozensets(st.sampled_from(HOOKS)))


def _method(self: object) -> None:
    """Never called: an owner of the test's own stands in for the machine."""


def built(drawn: DrawnChart) -> type[Chart]:
    """The drawn chart as a class. ``visit_...`` leads from anywhere to each state, so that none is out of reach."""

    def fill(body: dict[str, Any]) -> None:
        body["chart_is_automatic"] = False
        states = {
            name: State(initial=name == STATES[0], final=name == END, enter=drawn.enter[name], exit=drawn.exit[name])
            for name in (*STATES, END)
        }
        body |= states
        for event, edges in drawn.events.items():
            made = [
                states[edge.source].to(
                    states[edge.target],
                    cond="holds" if edge.guarded else None,
                    internal=edge.internal,
                    before=edge.before,
                    on=edge.on,
                    after=edge.after,
                )
                for edge in edges
            ]
            body[event] = functools.reduce(operator.or_, made)
        for name in (*STATES, END):
            body[f"visit_{name}"] = states[name].from_.any()
        hooks = {hook for hook in drawn.hooks if hook.startswith(("on_enter", "on_exit"))}
        hooks |= {hook for hook in drawn.hooks if hook.partition("_")[2] in drawn.events}
        body |= dict.fromkeys((*CALLBACKS, *hooks, "holds"), _method)

    made: Any = types.new_class("Drawn", (Chart,), {}, fill)
    return made  # type: ignore[no-any-return]

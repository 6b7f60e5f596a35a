"""Random charts and random events, against an account that is kept by other means: lists, searched from the front."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from statemachine import State, StateChart
from statemachine.factory import StateMachineMetaclass
from statemachine.transition_list import TransitionList

from mm_fsm.coverage.criteria import Criterion
from tests.coverage.recording import Seen, recording

Edge = tuple[int, str, int]
"""Source, event, target."""
EVENTS = ("a", "b", "c")


@st.composite
def charts(draw: st.DrawFn) -> tuple[int, list[Edge]]:
    """A number of states, and edges: one on from each state to the next, so that all are reached, and others."""
    count = draw(st.integers(min_value=2, max_value=4))
    states = st.integers(min_value=0, max_value=count - 1)
    chain = [(state, draw(st.sampled_from(EVENTS)), state + 1) for state in range(count - 1)]
    others = draw(st.lists(st.tuples(states, st.sampled_from(EVENTS), states), max_size=6))
    edges = draw(st.permutations(list(dict.fromkeys([*chain, *others]))))
    stuck = set(range(count)) - {source for source, _, _ in edges}
    return count, [*edges, *((state, "a", 0) for state in stuck)]


def built(count: int, edges: list[Edge]) -> Any:
    """The chart as a class of python-statemachine."""
    states = [State(initial=number == 0) for number in range(count)]
    namespace: dict[str, Any] = {f"s{number}": state for number, state in enumerate(states)}
    for event in EVENTS:
        lists = [states[source].to(states[target]) for source, name, target in edges if name == event]
        if lists:
            namespace[event] = TransitionList([transition for one in lists for transition in one])
    namespace["__module__"] = __name__
    return StateMachineMetaclass("Random", (StateChart,), namespace)


def walked(edges: list[Edge], events: list[str]) -> tuple[list[Edge], set[tuple[str, str]]]:
    """The edges that are taken in turn, and the state and event where none is. The first edge of an event wins."""
    state, trace, refused = 0, [], set()
    for event in events:
        edge = next((edge for edge in edges if edge[:2] == (state, event)), None)
        if edge is None:
            refused.add((f"s{state}", event))
        else:
            trace.append(edge)
            state = edge[2]
    return trace, refused


def tree_paths(edges: list[Edge]) -> list[list[Edge]]:
    """Every path from the initial state that ends where it meets a state the tree has, level by level."""
    known, level, paths = {0}, [list[Edge]()], []
    while level:
        following = []
        for path in level:
            state = path[-1][2] if path else 0
            for edge in sorted((edge for edge in edges if edge[0] == state), key=lambda edge: EVENTS.index(edge[1])):
                if edge[2] in known:
                    paths.append([*path, edge])
                else:
                    known.add(edge[2])
                    following.append([*path, edge])
        level = following
    return paths


def occurs(path: list[Edge], trace: list[Edge]) -> bool:
    return any(trace[start : start + len(path)] == path for start in range(len(trace) - len(path) + 1))


def edges_of(seen: Seen) -> list[Edge]:
    return [(int(edge.source[1:]), edge.event, int(edge.target[1:])) for edge in seen.chart.model.definition.edges]


@settings(max_examples=50)
@given(charts(), st.lists(st.sampled_from(EVENTS), max_size=30))
def test_the_account_is_right(chart: tuple[int, list[Edge]], events: list[str]) -> None:
    """Edges, pairs, paths and refused events are those that a plain list of what happened contains."""
    count, edges = chart
    machine_class = built(count, edges)
    with recording(machine_class) as seen:
        machine = machine_class()
        for event in events:
            machine.send(event)
    ordered = edges_of(seen)
    # python-statemachine keeps the edges of a state in the order in which the class body made them: event by event.
    assert Counter(ordered) == Counter(edges)
    trace, refused = walked(ordered, events)
    assert machine.current_state_value == f"s{trace[-1][2] if trace else 0}"
    hits = seen.chart.hits
    assert {ordered[place]: number for place, number in hits.edges.items()} == Counter(trace)
    assert {(ordered[a], ordered[b]): n for (a, b), n in hits.pairs.items()} == Counter(pairwise(trace))
    assert seen.sneaks == {cell for cell in refused if cell[1] in {event for _, event, _ in edges}}
    paths = tree_paths(ordered)
    assert {ordered[place] for place in hits.paths} == {path[-1] for path in paths if occurs(path, trace)}
    assert seen.criterion(Criterion.ROUNDTRIP).total == len(paths)


@settings(max_examples=50)
@given(charts(), st.lists(st.sampled_from(EVENTS), max_size=30))
def test_nothing_is_covered_that_is_not_asked_for(chart: tuple[int, list[Edge]], events: list[str]) -> None:
    """Every hit belongs to an obligation, and covered and missing make up the total."""
    machine_class = built(*chart)
    with recording(machine_class) as seen:
        machine = machine_class()
        for event in events:
            machine.send(event)
    for criterion, hits in (
        (Criterion.TRANSITIONS, seen.chart.hits.edges),
        (Criterion.PAIRS, seen.chart.hits.pairs),
        (Criterion.ROUNDTRIP, seen.chart.hits.paths),
        (Criterion.SNEAK, seen.chart.hits.sneaks),
    ):
        result = seen.criterion(criterion)
        assert result.covered == len(hits)
        assert result.covered + len(result.missing) == result.total

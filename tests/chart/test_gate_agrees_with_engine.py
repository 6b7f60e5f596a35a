"""Whatever the chart: the gate answers what the engine would do, and dead edges, only they, are refused."""

from __future__ import annotations

import functools
import itertools
import operator
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from mm_fsm.chart import Chart, EdgeDefinition, Gate, State, chart_of, definition_of
from mm_fsm.errors import ChartDefinitionError

GUARDS = ("alpha", "beta", "gamma", "delta")
STATES = ("north", "east", "south")
Answers = dict[str, bool]


class DrawnEdge(NamedTuple):
    source: str
    target: str
    cond: tuple[str, ...]
    unless: tuple[str, ...]
    internal: bool

    def holds(self, answers: Answers) -> bool:
        return all(answers[guard] for guard in self.cond) and not any(answers[guard] for guard in self.unless)


class DrawnEvent(NamedTuple):
    command: bool
    edges: list[DrawnEdge]


Drawn = list[DrawnEvent]


@st.composite
def drawn_edges(draw: st.DrawFn) -> DrawnEdge:
    source = draw(st.sampled_from(STATES))
    internal = draw(st.booleans())
    target = source if internal else draw(st.sampled_from(STATES))
    wanted = draw(st.dictionaries(st.sampled_from(GUARDS), st.booleans(), max_size=3))
    cond = tuple(guard for guard, expected in wanted.items() if expected)
    return DrawnEdge(source, target, cond, tuple(guard for guard in wanted if guard not in cond), internal)


CHARTS = st.lists(
    st.builds(DrawnEvent, st.sampled_from([False, False, True]), st.lists(drawn_edges(), min_size=1, max_size=4)),
    min_size=1,
    max_size=6,
)
ANSWERS = st.fixed_dictionaries({guard: st.booleans() for guard in GUARDS})
EVERY_ANSWER = [
    dict(zip(GUARDS, values, strict=True)) for values in itertools.product([False, True], repeat=len(GUARDS))
]


def living(drawn: Drawn) -> Drawn:
    """The chart without its dead edges, found by trying every table of answers."""
    kept: Drawn = []
    for command, edges in drawn:
        event = DrawnEvent(command, [])
        kept.append(event)
        for edge in edges:
            rivals = [
                rival
                for other in kept
                for rival in other.edges
                if rival.source == edge.source and (other is event or not (other.command or command))
            ]
            if any(
                edge.holds(answers) and not any(rival.holds(answers) for rival in rivals) for answers in EVERY_ANSWER
            ):
                event.edges.append(edge)
    return [event for event in kept if event.edges]


class Table:
    """A machine whose guards are read from a table, and which notes the edges that its engine takes."""

    def __init__(self, state: str, answers: Answers) -> None:
        self.state = state
        self.answers = answers
        self.taken: list[int] = []

    def alpha(self) -> bool:
        return self.answers["alpha"]

    def beta(self) -> bool:
        return self.answers["beta"]

    def gamma(self) -> bool:
        return self.answers["gamma"]

    def delta(self) -> bool:
        return self.answers["delta"]


def noting(number: int) -> Callable[[Table], None]:
    def note(self: Table) -> None:
        self.taken.append(number)

    return note


def build(drawn: Drawn) -> Any:
    """The drawn chart as a class; commands lead to every state, so that none is out of reach."""

    def fill(body: dict[str, Any]) -> None:
        states = {name: State(initial=name == STATES[0]) for name in STATES}
        body |= states
        number = itertools.count()
        for position, event in enumerate(drawn):
            edges = []
            for edge in event.edges:
                note = f"note_{next(number)}"
                body[note] = noting(int(note[5:]))
                edges.append(
                    states[edge.source].to(
                        states[edge.target],
                        cond=edge.cond,
                        unless=edge.unless,
                        internal=edge.internal,
                        command=event.command,
                        on=note,
                    )
                )
            body[f"event_{position}"] = functools.reduce(operator.or_, edges)
        for name in STATES:
            body[f"visit_{name}"] = states[name].from_.any(command=True)

    return types.new_class("Drawn", (Table, Chart), {}, fill)


def engine_takes(chart: Any, state: str, answers: Answers, events: list[str]) -> tuple[int, str] | None:
    """What an engine does in ``state`` when the events are tried one by one: number of the edge, and where it ends."""
    for event in events:
        machine = chart(state, answers)
        engine: Any = chart_of(chart)(machine)
        engine.send(event)
        if machine.taken:
            (number,) = machine.taken
            return number, machine.state
    return None


def gate_takes(edge: EdgeDefinition | None) -> tuple[int, str] | None:
    return None if edge is None else (int(edge.on[0].name[5:]), edge.target)


@given(CHARTS.map(living), st.sampled_from(STATES), ANSWERS)
def test_gate_answers_the_first_event_that_moves_the_engine(drawn: Drawn, state: str, answers: Answers) -> None:
    chart = build(drawn)
    gate = Gate(definition_of(chart), chart(state, answers))
    automatic = [f"event_{position}" for position, event in enumerate(drawn) if not event.command]
    assert gate_takes(gate.first_enabled(state)) == engine_takes(chart, state, answers, automatic)


@given(CHARTS.map(living), st.sampled_from(STATES), ANSWERS)
def test_gate_answers_for_every_command_what_the_engine_does(drawn: Drawn, state: str, answers: Answers) -> None:
    chart = build(drawn)
    gate = Gate(definition_of(chart), chart(state, answers))
    for position, event in enumerate(drawn):
        if event.command:
            name = f"event_{position}"
            taken = engine_takes(chart, state, answers, [name])
            assert gate_takes(gate.first_for_command(state, name)) == taken


@given(CHARTS.map(living), st.sampled_from(STATES), ANSWERS)
@settings(max_examples=60)
def test_observer_hears_what_a_reader_of_the_chart_would_ask(drawn: Drawn, state: str, answers: Answers) -> None:
    chart = build(drawn)
    gate = Gate(definition_of(chart), chart(state, answers))
    unobserved = gate.first_enabled(state)
    heard: list[tuple[str, bool]] = []

    class Listener:
        def guard_was_asked(self, edge: EdgeDefinition, guard: str, outcome: bool) -> None:
            heard.append((guard, outcome))

    gate.observe(Listener())
    assert gate.first_enabled(state) is unobserved
    expected: list[tuple[str, bool]] = []
    for edge in (edge for event in drawn if not event.command for edge in event.edges if edge.source == state):
        terms = [(guard, True) for guard in edge.cond] + [(guard, False) for guard in edge.unless]
        for guard, wanted in terms:
            expected.append((guard, answers[guard]))
            if answers[guard] is not wanted:
                break
        else:
            break
    assert heard == expected


@given(CHARTS)
def test_chart_is_refused_exactly_when_some_edge_can_never_be_taken(drawn: Drawn) -> None:
    if living(drawn) == drawn:
        build(drawn)
    else:
        with pytest.raises(ChartDefinitionError, match="can never be taken"):
            build(drawn)


@given(CHARTS.map(living))
@settings(max_examples=30)
def test_edges_have_different_identities(drawn: Drawn) -> None:
    edges = definition_of(build(drawn)).edges
    assert len({edge.id for edge in edges}) == len(edges)

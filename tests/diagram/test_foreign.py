"""python-statemachine's own classes, flat and nested, read into our definition and drawn."""

from __future__ import annotations

import re
from typing import Any

import pygraphviz
import pytest
from statemachine import State, StateChart, StateMachine

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.chart import Chart, ChartDefinition, GuardTerm, Origin, chart_of, definition_of
from mm_fsm.diagram import (
    DiagramFormat,
    dot_source,
    drawable,
    markdown_source,
    mermaid_source,
    render,
)
from tests.coverage.charts import Pausing, Regions
from tests.diagram.charts.foreign import (
    Alike,
    ById,
    ByName,
    Compound,
    Deep,
    Kinds,
    Namesakes,
    Parallel,
    Raising,
    Restless,
    TrafficLight,
)
from tests.diagram.charts.nine_states import NineStateMachine
from tests.diagram.charts.three_states import ApprovalMachine
from tests.diagram.reading import read_dot


def test_states_are_read() -> None:
    """Names, markers, and callbacks given by name or found by convention."""
    states = drawable(TrafficLight).definition.states
    assert [(s.id, s.name, s.initial, s.final, [c.name for c in s.enter]) for s in states] == [
        ("green", "Green", True, False, ["count"]),
        ("red", "Red!", False, False, ["on_enter_red"]),
        ("off", "Off", False, True, []),
    ]


def test_invoked_work_is_an_entry_action() -> None:
    """What python-statemachine starts in the background when a state is entered is shown where it starts."""
    awake = drawable(Restless).definition.states[0]
    assert [callback.name for callback in awake.enter] == ["invoke fetch", "invoke on_invoke_awake"]


def test_edges_are_read() -> None:
    """Expressions, negated guards, functions, several events of one transition, validators, internal transitions."""
    definition = drawable(TrafficLight).definition
    assert [
        (e.event, e.source, e.target, [str(guard) for guard in e.guards], e.internal, e.note) for e in definition.edges
    ] == [
        ("cycle", "green", "red", ["powered and not broken", "not held"], False, ""),
        ("look", "green", "green", [], True, ""),
        ("cycle", "red", "green", ["lambda in line 18"], False, ""),
        ("shut_down", "red", "off", [], False, "validated by check_key"),
        ("lights_out", "red", "off", [], False, "validated by check_key"),
    ]
    actions = {edge.event: [c.name for c in (*edge.before, *edge.on, *edge.after)] for edge in definition.edges}
    assert actions == {"cycle": ["count"], "look": ["count"], "shut_down": [], "lights_out": ["before_lights_out"]}
    assert not definition.automatic


def test_an_edge_without_an_event_and_the_fault_event_are_named() -> None:
    definition = drawable(Restless).definition
    assert [(edge.event, edge.guards) for edge in definition.edges] == [
        ("(no event)", (GuardTerm("tired"),)),
        ("error_execution", ()),
    ]
    assert definition.fault_event == "error_execution"


def essence(definition: ChartDefinition) -> tuple[object, ...]:
    """What a definition and the engine class built from it must agree on."""
    states = [
        (s.id, s.name, s.initial, s.final, [c.name for c in s.enter], [c.name for c in s.exit])
        for s in definition.states
    ]
    edges = {
        (
            e.event,
            e.source,
            e.target,
            frozenset(e.guards),
            e.internal,
            tuple(c.name for c in (*e.before, *e.on, *e.after)),
        )
        for e in definition.edges
    }
    return states, edges


@pytest.mark.parametrize("chart", [ApprovalMachine, NineStateMachine, OrderLifecycle])
def test_our_engine_class_reads_back_as_our_definition(chart: type[Chart]) -> None:
    """The engine class that a chart is built into, read as a stranger's, has the chart's own states and edges."""
    assert essence(drawable(chart_of(chart)).definition) == essence(definition_of(chart))


def test_names_that_are_shared_are_told_apart() -> None:
    """States of one name by those around them, functions of one name by number, edges that look alike by number."""
    definition = drawable(Namesakes).definition
    assert [state.id for state in definition.states] == ["day", "day.a", "day.b", "night", "night.a", "night.b"]
    advance = [edge for edge in definition.edges if edge.event == "advance"]
    line = Namesakes.first.__code__.co_firstlineno
    assert [[guard.name for guard in edge.guards] for edge in advance] == [
        [f"lambda in line {line}"],
        [f"lambda in line {line} (2)"],
    ]
    assert len({edge.id for edge in definition.edges}) == len(definition.edges)
    actions = [callback.name for callback in definition.state("night.b").enter]
    assert len(set(actions)) == len(actions) == 2


def test_edges_that_look_alike_have_identifiers_of_their_own() -> None:
    """Two edges between the same states for the same event, that differ by what they do."""
    same = [edge.id for edge in drawable(Alike).definition.edges if edge.event == "go"]
    assert same == ["here --go--> there", "here --go--> there (2)"]


@pytest.mark.parametrize(
    ("chart", "event", "is_fault"),
    [(ByName, "error_execution", True), (ById, "error.execution", True), (Raising, "error_execution", False)],
)
def test_the_fault_event_is_known_by_name_and_by_identifier(
    chart: type[StateChart[Any]], event: str, is_fault: bool
) -> None:
    """A class that raises to its caller is never sent one; its event of that name is the host's."""
    definition = drawable(chart).definition
    assert definition.fault_event == (event if is_fault else None)
    assert [definition.is_fault(edge) for edge in definition.edges if edge.event == event] == [is_fault]
    drawn = dot_source(definition)
    assert ("#b42318" in drawn) is is_fault
    assert ("(fault)" in mermaid_source(definition)) is is_fault


def test_an_ordinary_state_stays_ordinary_where_a_fault_leads() -> None:
    """Only the fault's own arrow is red, neither the state nor other ways to it."""
    drawn = read_dot(dot_source(drawable(ByName).definition))
    red = [edge.lines for edge in drawn.edges if edge.attributes["color"] == "#b42318"]
    assert red == [("error_execution",)]


INTERNAL = {
    # by the engine, as counted by hand: (entry actions run, exit actions run, drawn as staying)
    (StateChart, "ring"): (1, 0, False),
    (StateMachine, "ring"): (0, 0, True),
}


@pytest.mark.parametrize(("base", "event"), INTERNAL)
def test_internal_edges_are_described_as_the_engine_takes_them(base: Any, event: str) -> None:
    class Lift(base):  # type: ignore[misc]
        waiting = State(initial=True)
        moving = State()
        ring = waiting.to.itself(internal=True)
        go = waiting.to(moving)
        stop = moving.to(waiting)
        entries = -1
        exits = 0

        def on_enter_waiting(self) -> None:
            self.entries += 1

        def on_exit_waiting(self) -> None:
            self.exits += 1

    entered, left, stays = INTERNAL[base, event]
    lift = Lift()
    lift.send(event)
    assert (lift.entries, lift.exits) == (entered, left)
    edge = next(edge for edge in drawable(Lift).definition.edges if edge.event == event)
    assert edge.internal is stays
    text = markdown_source(drawable(Lift).definition)
    assert ("no exit, no entry" in text) is stays


def test_who_sends_an_event_is_said_for_each_kind() -> None:
    """Edges without an event, ends of states, faults, and what the host sends."""
    definition = drawable(Kinds).definition
    assert definition.origins == {
        "(no event)": Origin.GUARDS,
        "done_state_work": Origin.ENDED,
        "error_execution": Origin.FAULT,
    }
    text = markdown_source(definition)
    assert "The host sends the other events" in text
    assert "`done_state_work` (ended)" in text
    assert "Every event is sent by the host" not in text
    assert "go" not in definition.origins


NESTED = [Compound, Parallel, Pausing, Regions, Namesakes, Kinds, Deep]


@pytest.mark.parametrize("chart", NESTED)
@pytest.mark.parametrize("form", list(DiagramFormat))
def test_states_within_states_are_drawn_in_every_format(chart: type[StateChart[Any]], form: DiagramFormat) -> None:
    drawn = render(drawable(chart), form)
    if form in (DiagramFormat.PNG, DiagramFormat.PDF):
        assert drawn.startswith((b"\x89PNG", b"%PDF"))
        return
    text = drawn.decode()
    for state in drawable(chart).definition.states:
        assert state.name in text


@pytest.mark.parametrize("chart", NESTED)
def test_frames_lie_within_one_another_as_states_do(chart: type[StateChart[Any]]) -> None:
    """Read back by Graphviz: each state with others inside has a frame with exactly these, and all within them."""
    definition = drawable(chart).definition
    graph = pygraphviz.AGraph(string=dot_source(definition))
    frames = {str(frame.name).removeprefix("cluster "): frame for frame in all_frames(graph)}
    inside = {state.id for state in definition.states if definition.hierarchy.inside(state.id)}
    assert set(frames) == inside
    for name, frame in frames.items():
        own = [node for node in frame.nodes() if "marker" not in node and node not in inside]
        expected = {
            state.id
            for state in definition.states
            if state.id not in inside and name in ancestors(definition, state.id)
        }
        assert set(own) == expected


def all_frames(graph: Any) -> list[Any]:
    return [frame for one in graph.subgraphs() for frame in (one, *all_frames(one))]


def ancestors(definition: ChartDefinition, state: str) -> list[str]:
    parents, found = definition.hierarchy.parents, []
    while state in parents:
        state = parents[state]
        found.append(state)
    return found


@pytest.mark.parametrize("chart", NESTED)
def test_mermaid_blocks_lie_within_one_another_as_states_do(chart: type[StateChart[Any]]) -> None:
    """Read back line by line: each state stands in the block of the state around it."""
    definition = drawable(chart).definition
    around: list[str] = []
    found: dict[str, str] = {}
    for line in mermaid_source(definition).splitlines():
        declared = re.match(r'\s*state "[^"]*" as (\w+)( \{)?$', line)
        if declared and not declared[1].endswith("_itself"):
            found[declared[1]] = around[-1] if around else ""
        if declared and declared[2]:
            around.append(declared[1])
        elif line.strip() == "}":
            around.pop()
    names = {state.id: state.id.replace(".", "_") for state in definition.states}
    assert found == {
        names[state.id]: names.get(definition.hierarchy.parents.get(state.id, ""), "") for state in definition.states
    }

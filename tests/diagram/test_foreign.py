"""python-statemachine's own classes, read into our definition; states within states are refused."""

from __future__ import annotations

import pytest
from statemachine.contrib.diagram import main as draw_with_the_library

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.chart import Chart, ChartDefinition, GuardTerm, chart_of, definition_of
from mm_fsm.diagram import ChartLoadError, drawable, load_chart
from tests.diagram.charts.foreign import Restless, TrafficLight
from tests.diagram.charts.nine_states import NineStateMachine
from tests.diagram.charts.three_states import ApprovalMachine

CHARTS = "tests.diagram.charts"


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
        ("cycle", "red", "green", ["<lambda>"], False, ""),
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


@pytest.mark.parametrize(("name", "state"), [("Compound", "outer"), ("Parallel", "both")])
def test_states_within_states_are_refused(name: str, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the state, and the command it recommends works."""
    with pytest.raises(ChartLoadError, match=rf"found states that contain others: \['{state}'\]") as caught:
        load_chart(f"{CHARTS}.foreign:{name}")
    command = caught.value.remedy.partition("python -m statemachine.contrib.diagram ")[2]
    draw_with_the_library(command.split())
    assert capsys.readouterr().out.startswith("stateDiagram-v2")

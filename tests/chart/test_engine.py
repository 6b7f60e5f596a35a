"""The python-statemachine class that runs a chart: built from the chart alone, whatever else shares its name."""

from __future__ import annotations

import types
from typing import Any

import pytest
import statemachine
from statemachine.engines.sync import SyncEngine
from statemachine.signature import SignatureAdapter

from mm_fsm.chart import Chart, State, chart_of, definition_of
from mm_fsm.chart.engine import ChartEngine

OURS = """
from mm_fsm.chart import Chart, State

class Maker(Chart):
    idle = State(initial=True)
    busy = State()
    start = idle.to(busy, cond="ready", on="note")
    stop = busy.to(idle)

    def __init__(self):
        self.state = None
        self.noted = []

    def ready(self):
        {local} = {answer}
        return {local}

    def note(self):
        {local} = "{module}"
        self.noted.append({local})
"""

THEIRS = """
from statemachine import State, StateChart

class Maker(StateChart):
    idle = State(initial=True)
    busy = State()
    start = idle.to(busy, cond="ready", on="note")
    stop = busy.to(idle)

    {asynchronous}def ready(self, {local}):
        return True

    {asynchronous}def note(self, {local}):
        pass
"""


def maker(module: str, source: str, **words: str) -> Any:
    """The class Maker of a module of that name."""
    made = types.ModuleType(module)
    exec(source.format(module=module, **words), vars(made))
    return made.Maker


@pytest.mark.parametrize("answers", [("True", "False"), ("False", "True")])
def test_charts_of_one_name_in_two_modules_call_their_own_methods(answers: tuple[str, str]) -> None:
    classes = [maker(f"module_{answer}", OURS, answer=answer, local="event") for answer in answers]
    machines = [cls() for cls in classes]
    engines: list[Any] = [chart_of(cls)(machine) for cls, machine in zip(classes, machines, strict=True)]
    for engine in engines:
        engine.send("start")
    for answer, machine in zip(answers, machines, strict=True):
        assert machine.state == ("busy" if answer == "True" else "idle")
        assert machine.noted == (["module_True"] if answer == "True" else [])


@pytest.mark.parametrize("asynchronous", ["async ", ""], ids=["async", "plain"])
def test_chart_is_not_called_like_a_foreign_machine_of_the_same_name(asynchronous: str) -> None:
    SignatureAdapter.from_callable.clear_cache()
    foreign = maker("theirs", THEIRS, asynchronous=asynchronous, local="event")
    foreign()
    machine = maker("ours", OURS, answer="True", local="event")()
    engine: Any = chart_of(type(machine))(machine)
    assert isinstance(engine._engine, SyncEngine)
    engine.send("start")
    assert (machine.state, machine.noted) == ("busy", ["ours"])


class Lamp(Chart):
    """A lamp: {statechart:no_such_format}."""

    dark = State("Off", initial=True)
    bright = State("On")
    turn_on = dark.to(bright)
    turn_off = bright.to(dark)


def test_placeholder_in_a_docstring_is_left_alone_also_in_a_subclass() -> None:
    class Child(Lamp):
        pass

    class Documented(Lamp):
        """{statechart:no_such_format}."""

    assert Lamp.__doc__ == "A lamp: {statechart:no_such_format}."
    assert Documented.__doc__ == "{statechart:no_such_format}."
    for chart in (Lamp, Child, Documented):
        assert "{statechart" not in (chart_of(chart).__doc__ or "")


def test_engine_class_is_a_state_chart_named_after_its_class() -> None:
    engine = chart_of(Lamp)
    assert issubclass(engine, statemachine.StateChart)
    assert issubclass(engine, ChartEngine)
    assert (engine.__name__, engine.__module__, engine.__qualname__) == ("Lamp", __name__, "Lamp.chart")


def test_engine_class_has_the_states_events_and_order_of_the_definition() -> None:
    engine: Any = chart_of(Lamp)
    assert [(state.id, state.name, state.initial, state.final) for state in engine.states] == [
        ("dark", "Off", True, False),
        ("bright", "On", False, False),
    ]
    assert [str(event) for event in engine.events] == ["turn_on", "turn_off"]


def test_fault_event_has_one_name_in_the_engine_too() -> None:
    class Failing(Lamp):
        chart_fault_event = "error_execution"
        error_execution = Lamp.dark.from_.any(command=True)

    engine: Any = chart_of(Failing)
    assert [str(event) for event in engine.events] == ["turn_on", "turn_off", "error_execution"]
    assert {transition.event for state in engine.states for transition in state.transitions} == {
        "turn_on",
        "turn_off",
        "error_execution",
    }


def test_precedence_within_a_state_is_the_same_in_the_engine() -> None:
    class Junction(Chart):
        here = State(initial=True)
        there = State()
        slow = here.to(there, cond="is_late")
        back = there.to(here)
        fast = here.to(there, cond="is_free", unless="is_late", ahead_of="slow")
        stop = here.from_.any(but=here, cond="is_late", ahead_of="back")
        wait = here.to.itself(internal=True)

        def is_late(self) -> bool:
            return False

        def is_free(self) -> bool:
            return True

    engine: Any = chart_of(Junction)
    for state in engine.states:
        expected = [
            (
                edge.event,
                edge.target,
                edge.internal,
                [(guard.name, guard.expected) for guard in edge.guards],
            )
            for edge in definition_of(Junction).edges_from(state.id)
        ]
        assert expected == [
            (
                transition.event,
                transition.target.id,
                transition.internal,
                [(spec.func, spec.expected_value) for spec in transition.cond],
            )
            for transition in state.transitions
        ]
    assert [edge.event for edge in definition_of(Junction).edges_from("here")] == ["fast", "slow", "wait"]
    assert [edge.event for edge in definition_of(Junction).edges_from("there")] == ["stop", "back"]


@pytest.mark.parametrize("names", [("Same", "Same"), ("items", "append")])
def test_states_may_look_alike_to_people(names: tuple[str, str]) -> None:
    class Twins(Chart):
        items = State(names[0], initial=True)
        append = State(names[1])
        go = items.to(append)
        back = append.to(items)

        def __init__(self) -> None:
            self.state = ""

    machine = Twins()
    machine.state = "items"
    engine: Any = chart_of(Twins)(machine)
    seen = []
    for event in ("back", "go", "go", "back"):
        engine.send(event)
        seen.append(machine.state)
    assert seen == ["items", "append", "append", "items"]


def test_event_fired_on_the_machine_itself_does_not_exist() -> None:
    class Plain(Lamp):
        def __init__(self) -> None:
            self.state = None

    machine: Any = Plain()
    chart_of(Plain)(machine)
    for event in ("turn_on", "send"):
        assert not hasattr(machine, event)

"""What recording relies on in python-statemachine, each behaviour by itself, so that an upgrade says what changed.

What relies on it are mm_fsm/coverage/engines.py, machines.py and reading.py. All of it is public but one: that a
machine keeps its listeners in ``_listeners``, from which ours is taken. Without that it would only be seen there.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from statemachine import Event, HistoryState, State, StateChart, StateMachine
from statemachine.exceptions import TransitionNotAllowed


class Gate(StateMachine):
    """Guards of every kind on one edge: by name, an expression, a property, a function, and one that must be false."""

    shut = State(initial=True)
    ajar = State(final=True)

    push = shut.to(ajar, cond=["named", "plain and named", "computed", lambda: True], unless="wrong")

    plain = True

    def named(self) -> bool:
        return True

    @property
    def computed(self) -> bool:
        return True

    def wrong(self) -> bool:
        return False


class Ear:
    """A listener with the hook that recording uses."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def after_transition(self, event_data: Any) -> None:
        self.heard.append(event_data)


class Answer:
    """Stands for an expected answer, and keeps what it was compared with."""

    def __init__(self, expected: bool) -> None:
        self.expected = expected
        self.seen: list[object] = []

    def __eq__(self, answer: object) -> bool:
        self.seen.append(answer)
        return answer is self.expected

    __hash__ = None  # type: ignore[assignment]


def test_a_machine_takes_its_listeners_at_the_place_where_we_put_one() -> None:
    parameters = list(inspect.signature(StateChart.__init__).parameters.values())
    names = [(parameter.name, parameter.default) for parameter in parameters[1:5]]
    assert names == [("model", None), ("state_field", "state"), ("start_value", None), ("listeners", None)]
    assert parameters[5].kind is inspect.Parameter.VAR_KEYWORD


def test_a_listener_hears_of_each_complete_transition_with_its_event() -> None:
    ear = Ear()
    machine = Gate(listeners=[ear])
    machine.send("push")
    (heard,) = ear.heard
    assert heard.transition is Gate.shut.transitions[0]
    assert heard.event == "push"
    assert heard.machine is machine


def test_our_listener_is_first_among_the_active_ones_and_others_stay() -> None:
    first, second = Ear(), Ear()
    assert Gate(listeners=[first, second]).active_listeners == [first, second]


def test_a_listener_that_the_machine_no_longer_lists_is_still_told() -> None:
    ear = Ear()
    machine = Gate(listeners=[ear])
    assert vars(machine)["_listeners"] == {id(ear): ear}
    vars(machine)["_listeners"].clear()
    machine.send("push")
    assert [heard.event for heard in ear.heard] == ["push"]


def test_the_states_in_which_a_machine_begins_are_entered_with_an_event_of_their_own() -> None:
    class Entered:
        def __init__(self) -> None:
            self.heard: list[tuple[str, str]] = []

        def on_enter_state(self, target: Any, event: Any) -> None:
            self.heard.append((target.id, str(event)))

    entered = Entered()
    Gate(listeners=[entered]).send("push")
    assert entered.heard == [("shut", "__initial__"), ("ajar", "push")]


def test_an_edge_without_an_event_is_heard_without_one() -> None:
    class Falling(StateChart[Any]):
        high = State(initial=True)
        low = State(final=True)
        high.to(low)

    ear = Ear()
    Falling(listeners=[ear])
    assert [heard.event for heard in ear.heard] == [None]


def test_a_transition_that_fails_is_not_heard() -> None:
    class Failing(StateMachine):
        here = State(initial=True)
        there = State(final=True)
        go = here.to(there, on="break_down")

        def break_down(self) -> None:
            raise ArithmeticError

    ear = Ear()
    machine = Failing(listeners=[ear])
    with pytest.raises(ArithmeticError):
        machine.send("go")
    assert ear.heard == []


def test_the_guards_of_a_transition_are_listed_in_the_order_in_which_they_are_asked() -> None:
    guards = list(Gate.shut.transitions[0].cond)
    assert [spec.func for spec in guards][:2] == ["named", "plain and named"]
    assert [spec.attr_name for spec in guards] == ["named", "plain and named", "computed", "<lambda>", "wrong"]
    assert [spec.expected_value for spec in guards] == [True, True, True, True, False]


@pytest.mark.parametrize("place", range(5))
def test_every_kind_of_guard_is_compared_with_its_expected_value(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine writes ``bool(answer) == expected_value``; what stands there while a machine is made sees it."""
    spec = list(Gate.shut.transitions[0].cond)[place]
    probe = Answer(spec.expected_value)
    monkeypatch.setattr(spec, "expected_value", probe)
    machine = Gate()
    monkeypatch.undo()
    machine.send("push")
    assert probe.seen == [place != 4]
    assert "ajar" in machine.configuration_values


def test_a_guard_that_fails_ends_the_questions() -> None:
    first, second = list(Gate.shut.transitions[0].cond)[:2]
    before = (first.expected_value, second.expected_value)
    first.expected_value, second.expected_value = Answer(expected=False), Answer(expected=True)
    try:
        with pytest.raises(TransitionNotAllowed):
            Gate().send("push")
        assert first.expected_value.seen == [True]
        assert second.expected_value.seen == []
    finally:
        first.expected_value, second.expected_value = before


def test_guards_of_an_asynchronous_machine_are_compared_too() -> None:
    class Slow(StateMachine):
        here = State(initial=True)
        there = State(final=True)
        go = here.to(there, cond="agrees")

        async def agrees(self) -> bool:
            return True

    (spec,) = Slow.here.transitions[0].cond
    probe = spec.expected_value = Answer(expected=True)

    async def run() -> None:
        await Slow().go()

    asyncio.run(run())
    assert probe.seen == [True]


def test_every_way_to_send_an_event_builds_a_trigger_with_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []
    original = Event.build_trigger

    def build_trigger(self: Event, *arguments: Any, machine: Any, **keywords: Any) -> Any:
        built.append((str(self), machine))
        return original(self, *arguments, machine=machine, **keywords)

    monkeypatch.setattr(Event, "build_trigger", build_trigger)
    machine = Gate()
    built.clear()
    machine.send("unheard_of") if machine.allow_event_without_transition else None
    machine.push()
    with pytest.raises(TransitionNotAllowed):
        machine.send("push")
    assert built == [("push", machine), ("push", machine)]


def test_the_state_of_a_flat_machine_is_one_value_and_of_a_nested_one_a_set() -> None:
    class Nested(StateChart[Any]):
        class outer(State.Compound):  # noqa: N801 - a state's name
            inner = State(initial=True)
            leave = inner.to.itself()

    assert Gate().current_state_value == "shut"
    assert set(Gate.states_map) == {"shut", "ajar"}
    assert set(Nested().configuration_values) == {"outer", "inner"}
    assert {value: state.id for value, state in Nested.states_map.items()} == {"outer": "outer", "inner": "inner"}


def test_a_machine_is_copied_by_its_state_and_takes_a_listener_afterwards() -> None:
    machine = Gate()
    state = machine.__getstate__()
    copy = object.__new__(Gate)
    copy.__setstate__(state)
    ear = Ear()
    copy.add_listener(ear)
    copy.send("push")
    assert [heard.event for heard in ear.heard] == ["push"]


def test_what_a_class_says_of_its_states_and_transitions() -> None:
    class Chart(StateChart[Any]):
        class outer(State.Compound):  # noqa: N801 - a state's name
            first = State(initial=True)
            second = State(final=True)
            memory = HistoryState(type="deep")
            step = first.to(second)

        class both(State.Parallel):  # noqa: N801 - a state's name
            class left(State.Compound):  # noqa: N801
                one = State(initial=True)
                stay = one.to.itself(internal=True)

        leave = outer.to(both)
        recall = both.to(outer.memory)
        error_execution = both.to(outer)

    outer, both = Chart.states
    assert Chart.initial_state is outer
    assert [state.id for state in outer.states] == ["first", "second"]
    assert [state.id for state in outer.history] == ["memory"]
    assert outer.history[0].is_history
    assert outer.history[0].type.is_deep
    assert outer.history[0].parent is outer
    assert (outer.parallel, both.parallel) == (False, True)
    first, second = outer.states
    assert (first.initial, second.initial, second.final) == (True, False, True)
    assert [state.id for state in both.states[0].states[0].ancestors()] == ["left", "both"]
    assert [t.target.id for t in outer.transitions if t.initial] == ["first"]
    (leave,) = [t for t in outer.transitions if not t.initial]
    assert ([str(event) for event in leave.events], [s.id for s in leave.targets]) == (["leave"], ["both"])
    assert leave.match("leave")
    assert not leave.match("step")
    faults = [t for t in both.transitions if t.match("error.execution")]
    assert [[str(event) for event in t.events] for t in faults] == [["error_execution", "error.execution"]]
    (stay,) = [t for t in both.states[0].states[0].transitions if not t.initial]
    assert stay.internal


def test_an_event_that_stands_for_many_matches_each_of_them() -> None:
    assert Event("error.*").match("error.execution")
    assert Event("*").match("anything")
    assert not Event("error").match("errors")

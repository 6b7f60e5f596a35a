"""The gate: which edge may be taken now, which guards were asked, and what happens when one of them fails."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mm_fsm.chart import Chart, EdgeDefinition, Gate, GuardFailedError, State, definition_of
from mm_fsm.errors import MarketMakerError


class Signal(Chart):
    """Six edges of one state, with one or two guards each, and a command."""

    red = State(initial=True)
    green = State()
    off = State(final=True)

    halt = red.to(off, cond="is_broken")
    hurry = red.to(green, cond=("is_late", "is_free"))
    wait = red.to.itself(internal=True, cond="is_late", unless="is_night")
    go = red.to(green, cond="is_free", unless="is_broken") | green.to(red)
    switch_off = red.to(off, command=True, cond="is_night") | green.to(off, command=True)
    ring = red.to.itself(command=True)

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def ask(self, name: str) -> Any:
        answer = self.answers.get(name, False)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def is_broken(self) -> bool:
        return bool(self.ask("is_broken"))

    def is_late(self) -> Any:
        return self.ask("is_late")

    def is_free(self) -> Any:
        return self.ask("is_free")

    def is_night(self) -> bool:
        return bool(self.ask("is_night"))


class Listener:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str, bool]] = []

    def guard_was_asked(self, edge: EdgeDefinition, guard: str, outcome: bool) -> None:
        self.heard.append((edge.event, guard, outcome))


def gate_of(machine: Chart) -> Gate:
    return Gate(definition_of(type(machine)), machine)


def first(state: str = "red", **answers: Any) -> str | None:
    edge = gate_of(Signal(**answers)).first_enabled(state)
    return edge.event if edge else None


def test_first_edge_in_order_whose_guards_all_hold_is_the_answer() -> None:
    assert first() is None
    assert first(is_free=True) == "go"
    assert first(is_late=True) == "wait"
    assert first(is_late=True, is_night=True) is None
    assert first(is_late=True, is_free=True) == "hurry"
    assert first(is_late=True, is_free=True, is_broken=True) == "halt"


def test_edge_without_guards_always_holds_and_a_final_state_has_none() -> None:
    assert first("green") == "go"
    assert first("off", is_free=True) is None


def test_answer_is_the_edge_of_the_definition_itself() -> None:
    edge = gate_of(Signal(is_free=True)).first_enabled("red")
    assert any(edge is declared for declared in definition_of(Signal).edges)


def test_command_is_never_an_answer_and_is_asked_for_by_name() -> None:
    gate = gate_of(Signal(is_night=True))
    assert gate.first_enabled("red") is None
    taken = gate.first_for_command("red", "switch_off")
    assert taken is not None
    assert (taken.event, taken.target) == ("switch_off", "off")
    assert gate_of(Signal()).first_for_command("red", "switch_off") is None
    assert gate_of(Signal()).first_for_command("red", "ring") is not None


@pytest.mark.parametrize(("state", "command"), [("off", "switch_off"), ("green", "ring"), ("red", "go"), ("red", "x")])
def test_command_that_the_state_does_not_accept_has_no_edge(state: str, command: str) -> None:
    assert gate_of(Signal(is_free=True)).first_for_command(state, command) is None


def test_where_the_host_sends_every_event_none_fires_by_itself() -> None:
    class Sent(Signal):
        chart_is_automatic = False

    gate = gate_of(Sent(is_free=True))
    assert gate.first_enabled("red") is None
    assert gate.first_enabled("green") is None
    taken = gate.first_for_command("red", "go")
    assert taken is not None
    assert taken.event == "go"
    assert gate.first_for_command("red", "hurry") is None


def test_unknown_state_is_an_error() -> None:
    with pytest.raises(KeyError, match="blue"):
        gate_of(Signal()).first_enabled("blue")


@pytest.mark.parametrize("answer", [1, "x", [0], object(), 0.5])
def test_answer_that_counts_as_true_holds(answer: object) -> None:
    assert first(is_late=answer, is_free=answer) == "hurry"


@pytest.mark.parametrize("answer", [0, "", [], None, 0.0])
def test_answer_that_counts_as_false_does_not_hold(answer: object) -> None:
    assert first(is_late=True, is_free=answer, is_night=True) is None
    assert first(is_late=answer, is_free=True) == "go"


def test_observer_hears_every_guard_that_is_asked_and_no_other() -> None:
    gate, listener = gate_of(Signal(is_late=True, is_free=False)), Listener()
    gate.observe(listener)
    edge = gate.first_enabled("red")
    assert edge is not None
    assert edge.event == "wait"
    assert listener.heard == [
        ("halt", "is_broken", False),
        ("hurry", "is_late", True),
        ("hurry", "is_free", False),
        ("wait", "is_late", True),
        ("wait", "is_night", False),
    ]


def test_observer_hears_the_first_false_guard_of_an_edge_and_not_the_next() -> None:
    gate, listener = gate_of(Signal(is_free=True)), Listener()
    gate.observe(listener)
    gate.first_enabled("red")
    assert listener.heard == [
        ("halt", "is_broken", False),
        ("hurry", "is_late", False),
        ("wait", "is_late", False),
        ("go", "is_free", True),
        ("go", "is_broken", False),
    ]


def test_observer_hears_the_guards_of_commands() -> None:
    gate, listener = gate_of(Signal(is_night=True)), Listener()
    gate.observe(listener)
    gate.first_for_command("red", "switch_off")
    gate.first_for_command("green", "switch_off")
    assert listener.heard == [("switch_off", "is_night", True)]


def test_every_observer_hears_from_the_moment_it_is_added() -> None:
    gate, early, late = gate_of(Signal(is_broken=True)), Listener(), Listener()
    gate.first_enabled("red")
    gate.observe(early)
    gate.first_enabled("red")
    gate.observe(late)
    gate.first_enabled("red")
    assert early.heard == [("halt", "is_broken", True)] * 2
    assert late.heard == [("halt", "is_broken", True)]


def test_observer_hears_what_an_answer_counts_as() -> None:
    gate, listener = gate_of(Signal(is_late=[1], is_free=0, is_night=True)), Listener()
    gate.observe(listener)
    gate.first_enabled("red")
    assert ("hurry", "is_late", True) in listener.heard
    assert ("hurry", "is_free", False) in listener.heard


def test_a_gate_that_is_bound_anew_asks_other_guards_and_tells_the_same_observers() -> None:
    gate, listener = gate_of(Signal()), Listener()
    gate.observe(listener)
    gate.bind(definition_of(Signal), Signal(is_broken=True, is_night=True))
    edge, command = gate.first_enabled("red"), gate.first_for_command("red", "switch_off")
    assert edge is not None
    assert command is not None
    assert (edge.event, command.event) == ("halt", "switch_off")
    assert listener.heard == [("halt", "is_broken", True), ("switch_off", "is_night", True)]


def test_error_of_an_observer_is_not_taken_for_a_guard_that_failed() -> None:
    class Broken:
        def guard_was_asked(self, edge: EdgeDefinition, guard: str, outcome: bool) -> None:
            raise OSError("disk full")

    gate = gate_of(Signal())
    gate.observe(Broken())
    with pytest.raises(OSError, match="disk full"):
        gate.first_enabled("red")


def by_state(gate: Gate) -> EdgeDefinition | None:
    return gate.first_enabled("red")


def by_command(gate: Gate) -> EdgeDefinition | None:
    return gate.first_for_command("red", "switch_off")


@pytest.mark.parametrize("observed", [False, True])
@pytest.mark.parametrize(
    ("ask", "answers", "event", "guard"),
    [
        (by_state, {"is_broken": ZeroDivisionError("x")}, "halt", "is_broken"),
        (by_state, {"is_late": ZeroDivisionError("x")}, "hurry", "is_late"),
        (by_state, {"is_late": True, "is_free": ZeroDivisionError("x")}, "hurry", "is_free"),
        (by_state, {"is_late": True, "is_night": ZeroDivisionError("x")}, "wait", "is_night"),
        (by_state, {"is_free": ZeroDivisionError("x")}, "go", "is_free"),
        (by_command, {"is_night": ZeroDivisionError("x")}, "switch_off", "is_night"),
    ],
)
def test_failure_names_edge_and_guard_and_the_gate_works_on(
    ask: Callable[[Gate], EdgeDefinition | None],
    answers: dict[str, Any],
    event: str,
    guard: str,
    observed: bool,
) -> None:
    machine = Signal(**answers)
    gate = gate_of(machine)
    if observed:
        gate.observe(Listener())
    for _ in range(2):
        with pytest.raises(GuardFailedError) as caught:
            ask(gate)
        assert (caught.value.edge.event, caught.value.edge.source, caught.value.guard) == (event, "red", guard)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert isinstance(caught.value, MarketMakerError)
        assert str(caught.value) == (
            f"guard {guard!r} of event {event!r} in state 'red' failed; "
            "correct it: it must answer True or False whatever the machine has seen"
        )
    machine.answers = {"is_broken": True, "is_night": True}
    assert ask(gate) is not None


@pytest.mark.parametrize("observed", [False, True])
def test_guard_that_fails_once_is_named_and_not_asked_again_to_find_out(observed: bool) -> None:
    class Once(Signal):
        asked = 0

        def is_free(self) -> bool:
            self.asked += 1
            if self.asked == 1:
                raise LookupError("not yet")
            return True

    machine = Once(is_late=True)
    gate = gate_of(machine)
    listener = Listener()
    if observed:
        gate.observe(listener)
    with pytest.raises(GuardFailedError, match="'is_free' of event 'hurry'") as caught:
        gate.first_enabled("red")
    assert isinstance(caught.value.__cause__, LookupError)
    assert machine.asked == 1
    assert listener.heard == ([("halt", "is_broken", False), ("hurry", "is_late", True)] if observed else [])
    edge = gate.first_enabled("red")
    assert edge is not None
    assert edge.event == "hurry"


def test_guard_is_named_as_the_chart_names_it_not_as_its_function_is_called() -> None:
    class Aliased(Signal):
        def fails(self) -> bool:
            raise LookupError

        is_free = fails

    with pytest.raises(GuardFailedError, match="'is_free' of event 'go'"):
        gate_of(Aliased()).first_enabled("red")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_interruption_is_not_a_failure_of_a_guard(stop: type[BaseException]) -> None:
    with pytest.raises(stop):
        gate_of(Signal(is_broken=stop())).first_enabled("red")


class Later:
    def __await__(self) -> Iterator[None]:
        yield


@pytest.mark.parametrize("observed", [False, True])
@pytest.mark.parametrize("answer", [Later(), (item for item in ())])
def test_answer_of_a_hidden_asynchronous_guard_is_a_failure_and_not_true(
    answer: object,
    observed: bool,
) -> None:
    gate = gate_of(Signal(is_late=answer))
    if observed:
        gate.observe(Listener())
    with pytest.raises(GuardFailedError, match="'is_late' of event 'hurry'") as caught:
        gate.first_enabled("red")
    assert str(caught.value.__cause__) == (
        f"expected True or False, found {type(answer).__name__}: make the guard a plain def."
    )


def test_value_without_a_truth_is_a_failure_of_its_guard() -> None:
    class Ambiguous:
        def __bool__(self) -> bool:
            raise ValueError("neither")

    with pytest.raises(GuardFailedError, match="'is_late' of event 'hurry'"):
        gate_of(Signal(is_late=Ambiguous())).first_enabled("red")


def test_overridden_guard_is_the_one_that_is_asked() -> None:
    class Broken(Signal):
        def is_broken(self) -> bool:
            return not super().is_broken()

    edge = gate_of(Broken()).first_enabled("red")
    assert edge is not None
    assert edge.event == "halt"


def test_machines_do_not_share_what_their_gates_know() -> None:
    one, two = Signal(is_free=True), Signal()
    gates = [gate_of(machine) for machine in (one, two)]
    gates[0].observe(Listener())
    assert gates[0].first_enabled("red") is not None
    assert gates[1].first_enabled("red") is None
    ask = functools.partial(gates[1].first_enabled, "red")
    two.answers["is_free"] = True
    assert ask() is not None

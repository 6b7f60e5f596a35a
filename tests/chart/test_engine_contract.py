"""What we rely on in python-statemachine, each behaviour by itself, so that an upgrade says which one has changed.

What relies on it is mm_fsm/chart/engine.py, and on the order of callbacks mm_fsm/machine/strategy.py; what reads
declarations are names.py, checks.py and merge.py beside it. The last section holds why some declarations are refused:
there a failure means that a rule can go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from statemachine import State
from statemachine.engines.sync import SyncEngine
from statemachine.signature import SignatureAdapter

from mm_fsm.chart.engine import ChartEngine


class Kettle(ChartEngine):
    """Every kind of callback at one edge, internal and external self edges, several candidates, and an end."""

    cold = State(initial=True, exit="leave_cold")
    hot = State(enter="arrive_hot")
    gone = State(final=True, enter="arrive_gone")

    heat = cold.to(hot, cond="is_on", unless="is_empty", before="prepare_heat", on="do_heat", after="finish_heat")
    stir = hot.to.itself(internal=True, on="do_stir")
    reheat = hot.to.itself(on="do_reheat")
    cool = hot.to(gone, cond="is_broken") | hot.to(cold, cond="is_on") | hot.to.itself()
    drop = gone.from_(cold, hot, on="do_drop")


class Water:
    """The model: where the state is written, where guards and callbacks are found, and what has been called."""

    def __init__(self, state: str | None = None, failing: str = "", **answers: bool) -> None:
        self.state = state
        self.failing = failing
        self.answers = {"is_on": True} | answers
        self.heard: list[tuple[str, str | None]] = []

    def hear(self, name: str) -> None:
        self.heard.append((name, self.state))
        if name == self.failing:
            raise ArithmeticError(name)

    def ask(self, name: str) -> bool:
        self.hear(name)
        return self.answers.get(name, False)

    def is_on(self) -> bool:
        return self.ask("is_on")

    def is_empty(self) -> bool:
        return self.ask("is_empty")

    def is_broken(self) -> bool:
        return self.ask("is_broken")

    def prepare_heat(self) -> None:
        self.hear("prepare_heat")

    def before_heat(self) -> None:
        self.hear("before_heat")

    def leave_cold(self) -> None:
        self.hear("leave_cold")

    def on_exit_cold(self) -> None:
        self.hear("on_exit_cold")

    def do_heat(self) -> None:
        self.hear("do_heat")

    def on_heat(self) -> None:
        self.hear("on_heat")

    def arrive_hot(self) -> None:
        self.hear("arrive_hot")

    def on_enter_hot(self) -> None:
        self.hear("on_enter_hot")

    def on_exit_hot(self) -> None:
        self.hear("on_exit_hot")

    def finish_heat(self) -> None:
        self.hear("finish_heat")

    def after_heat(self) -> None:
        self.hear("after_heat")

    def do_stir(self) -> None:
        self.hear("do_stir")

    def do_reheat(self) -> None:
        self.hear("do_reheat")

    def arrive_gone(self) -> None:
        self.hear("arrive_gone")

    def do_drop(self) -> None:
        self.hear("do_drop")


IN_ORDER = [
    ("is_on", "cold"),
    ("is_empty", "cold"),
    ("prepare_heat", "cold"),
    ("before_heat", "cold"),
    ("leave_cold", "cold"),
    ("on_exit_cold", "cold"),
    ("do_heat", "cold"),
    ("on_heat", "cold"),
    ("arrive_hot", "hot"),
    ("on_enter_hot", "hot"),
    ("finish_heat", "hot"),
    ("after_heat", "hot"),
]
"""Callbacks of ``heat`` and the state that the model shows while each runs."""


def boiled(state: str | None = "cold", *events: str, **settings: Any) -> tuple[Any, Water]:
    water = Water(state, **settings)
    kettle = Kettle(water)
    for event in events:
        kettle.send(event)
    return kettle, water


def names(water: Water) -> list[str]:
    return [name for name, _ in water.heard]


def test_engine_is_synchronous_and_done_when_send_returns() -> None:
    kettle, water = boiled("cold", "heat")
    assert isinstance(kettle._engine, SyncEngine), "plain callbacks must give the synchronous engine"
    assert water.state == "hot", "send must not return before the transition is done"


def test_callbacks_run_in_order_and_the_state_changes_between_on_and_enter() -> None:
    _, water = boiled("cold", "heat")
    assert water.heard == IN_ORDER, (
        "expected guards (cond before unless), before, exit, on, enter, after; in each the named callback before the "
        "one found by convention; and the state written after on"
    )


@pytest.mark.parametrize("failing", [name for name, state in IN_ORDER if name not in {"finish_heat", "after_heat"}])
def test_error_before_the_end_of_entry_is_raised_and_restores_the_state(failing: str) -> None:
    kettle, water = boiled("cold", failing=failing)
    with pytest.raises(ArithmeticError, match=failing):
        kettle.send("heat")
    assert water.state == "cold", f"an error in {failing} must leave the machine where it was"
    assert [state.id for state in kettle.configuration] == ["cold"]
    assert names(water)[-1] == failing, f"nothing may run after an error in {failing}"


@pytest.mark.parametrize("failing", ["finish_heat", "after_heat"])
def test_error_after_entry_is_raised_and_the_new_state_stays(failing: str) -> None:
    kettle, water = boiled("cold", failing=failing)
    with pytest.raises(ArithmeticError, match=failing):
        kettle.send("heat")
    assert water.state == "hot", f"an error in {failing} comes too late to restore the state"
    assert names(water)[-1] == failing, f"nothing may run after an error in {failing}"


@pytest.mark.parametrize("failing", ["is_on", "before_heat", "arrive_hot", "after_heat"])
def test_machine_works_on_after_an_error(failing: str) -> None:
    kettle, water = boiled("cold", failing=failing)
    with pytest.raises(ArithmeticError):
        kettle.send("heat")
    water.failing = ""
    kettle.send("heat")
    kettle.send("cool")
    assert water.state == "cold", "an error must leave no lock and no queued event behind"


def test_error_on_entry_to_an_end_leaves_the_machine_running() -> None:
    kettle, water = boiled("cold", failing="arrive_gone")
    with pytest.raises(ArithmeticError):
        kettle.send("drop")
    assert (water.state, kettle.is_terminated) == ("cold", False), "an end that is not entered must not end the machine"


@pytest.mark.parametrize(("state", "event"), [("cold", "cool"), ("cold", "no_such_event"), ("hot", "heat")])
def test_event_that_no_edge_accepts_changes_nothing_and_raises_nothing(state: str, event: str) -> None:
    kettle, water = boiled(state)
    assert kettle.send(event) is None, "allow_event_without_transition must make this silent"
    assert (water.state, water.heard) == (state, [])


def test_event_whose_guards_do_not_hold_changes_nothing() -> None:
    _, water = boiled("cold", "heat", is_empty=True)
    assert water.heard == IN_ORDER[:2]
    assert water.state == "cold"


def test_cond_is_asked_before_unless_and_the_first_answer_against_it_ends_the_asking() -> None:
    _, water = boiled("cold", "heat", is_on=False)
    assert names(water) == ["is_on"], "guards must be asked one by one, cond first, until one is against it"


def test_internal_self_edge_neither_leaves_nor_enters_its_state() -> None:
    _, water = boiled("hot", "stir")
    assert names(water) == ["do_stir"], "an internal edge must run no exit and no entry callbacks"
    assert water.state == "hot"


def test_external_self_edge_leaves_and_enters_its_state() -> None:
    _, water = boiled("hot", "reheat")
    assert names(water) == ["on_exit_hot", "do_reheat", "arrive_hot", "on_enter_hot"], (
        "an external self edge must run exit and entry callbacks, also without enable_self_transition_entries"
    )
    assert water.state == "hot"


@pytest.mark.parametrize(
    ("answers", "target", "asked"),
    [
        ({"is_broken": True}, "gone", ["is_broken"]),
        ({}, "cold", ["is_broken", "is_on"]),
        ({"is_on": False}, "hot", ["is_broken", "is_on"]),
    ],
)
def test_first_candidate_that_holds_is_taken(answers: dict[str, bool], target: str, asked: list[str]) -> None:
    _, water = boiled("hot", "cool", **answers)
    assert water.state == target, "candidates of one event must be tried in the order of their declaration"
    assert [name for name in names(water) if name.startswith("is_")] == asked


def test_state_is_written_to_the_field_that_is_named() -> None:
    water: Any = Water()
    Kettle(water, state_field="current_state").send("heat")
    assert (water.current_state, water.state) == ("hot", None)


def test_new_machine_enters_its_initial_state_and_a_restored_one_enters_nothing() -> None:
    class Noisy(Water):
        def on_enter_cold(self) -> None:
            self.hear("on_enter_cold")

    new, restored = Noisy(), Noisy("cold")
    Kettle(new)
    Kettle(restored)
    assert new.heard == [("on_enter_cold", "cold")]
    assert restored.heard == [], "a state that is set already must be taken up without running entry callbacks"


def test_terminated_machine_takes_no_event() -> None:
    kettle, water = boiled("cold", "drop")
    assert kettle.is_terminated
    water.heard.clear()
    assert kettle.send("heat") is None
    assert kettle.send("drop") is None
    assert (water.state, water.heard) == ("gone", []), "an event after the end must be ignored"


def test_hooks_found_by_convention_are_those_we_know() -> None:
    found = {
        spec.func
        for state in Kettle.states
        for group in (state._specs, *(transition._specs for transition in state.transitions))
        for spec in group
        if spec.is_convention
    } | {spec.func for spec in Kettle._specs}
    expected = {"on_enter_state", "on_exit_state", "on_invoke_state", "prepare_event"}
    expected |= {"before_transition", "on_transition", "after_transition"}
    expected |= {f"on_{verb}_{state}" for verb in ("enter", "exit", "invoke") for state in ("cold", "hot", "gone")}
    events = ("heat", "stir", "reheat", "cool", "drop")
    expected |= {f"{prefix}_{event}" for prefix in ("before", "on", "after") for event in events}
    assert found == expected, "names.py must know every method name that the library binds by itself"


# Why some declarations are refused: the library does with them what nobody would expect


def test_guard_named_like_an_attribute_of_the_engine_means_both() -> None:
    class Watched(ChartEngine):
        one = State(initial=True)
        two = State()
        go = one.to(two, cond="history_values")
        back = two.to(one)

    class Model:
        state = None

        def history_values(self) -> bool:
            return True

    model: Any = Model()
    Watched(model).send("go")
    assert model.state == "one", "expected the guard to be asked together with the engine's own empty history_values"


def test_guard_in_cond_and_in_unless_is_only_in_cond() -> None:
    one, two = State(), State()
    (edge,) = one.to(two, cond="is_on", unless="is_on")
    assert [(spec.func, spec.expected_value) for spec in edge.cond] == [("is_on", True)]


def test_subclass_of_a_plain_machine_changes_its_parent() -> None:
    class Parent(ChartEngine):
        one = State(initial=True)
        two = State()
        go = one.to(two)
        back = two.to(one)

    before = len(Parent.two.transitions.transitions)

    class Child(Parent):
        again = Parent.two.to(Parent.two)

    assert len(Parent.two.transitions.transitions) == before + 1
    assert Child.two is Parent.two


def test_bindings_can_be_forgotten() -> None:
    """All else here fails with this, for ``ChartEngine.__init__`` does it."""
    assert callable(getattr(SignatureAdapter.from_callable, "clear_cache", None)), (
        "find what empties the library's cache of bindings now, or, if the next test fails too, leave it out"
    )


def test_bindings_are_shared_between_methods_of_one_name_in_two_modules() -> None:
    def made(module: str, parameters: str) -> Callable[..., object]:
        namespace: dict[str, Any] = {"__name__": module}
        exec(f"class Model:\n    def ready(self{parameters}):\n        event = 1\n", namespace)
        return namespace["Model"]().ready  # type: ignore[no-any-return]

    SignatureAdapter.from_callable.clear_cache()
    first = SignatureAdapter.from_callable(made("one", ", event"))
    assert SignatureAdapter.from_callable(made("two", "")) is first, "ChartEngine.__init__ need not empty the cache"
    SignatureAdapter.from_callable.clear_cache()
    assert SignatureAdapter.from_callable(made("two", "")) is not first

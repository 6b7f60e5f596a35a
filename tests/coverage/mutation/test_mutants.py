"""Mutants of small charts against counts made by hand, and what each does to a class while it is there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from statemachine import State, StateChart, StateMachine
from statemachine.exceptions import TransitionNotAllowed

from mm_fsm.books.order_lifecycle import OrderEvent, OrderLifecycle, OrderStatus, status_after
from mm_fsm.chart import Chart, chart_of, definition_of
from mm_fsm.chart import State as OurState
from mm_fsm.coverage.mutation.making import model_of, mutated
from mm_fsm.coverage.mutation.mutants import Mutant, mutants_of
from mm_fsm.errors import OrderLifecycleError
from tests.coverage.charts import Door, Download, Lamp, Pausing, Regions, Siblings, Twice


class Turnstile(StateMachine):
    """Two candidates for one event, guards, and actions of every kind."""

    locked = State(initial=True, exit="creak")
    unlocked = State(enter="shine")

    coin = locked.to(unlocked, cond="is_real", on="keep") | locked.to.itself(internal=True, unless="is_torn")
    push = unlocked.to(locked, after="count")

    def __init__(self, *, real: bool = True) -> None:
        self.real, self.heard = real, [""]
        super().__init__()
        self.heard = []

    def is_real(self) -> bool:
        return self.real

    def is_torn(self) -> bool:
        return False

    def creak(self) -> None:
        self.heard.append("creak")

    def shine(self) -> None:
        self.heard.append("shine")

    def keep(self) -> None:
        self.heard.append("keep")

    def count(self) -> None:
        self.heard.append("count")

    def on_enter_locked(self) -> None:
        self.heard.append("lock")


class Valve(Chart):
    """Ours and automatic: its edges are tried in declared order, whatever their events."""

    shut = OurState(initial=True)
    ajar = OurState()
    worn = OurState(final=True)

    wear_out = shut.to(worn, cond="is_old")
    release = shut.to(ajar, cond="is_hot")
    close = ajar.to(shut)

    def is_old(self) -> bool:
        return False

    def is_hot(self) -> bool:
        return False

    def on_enter_ajar(self) -> None: ...


def mutant_of(chart: type, key: str) -> Mutant:
    (mutant,) = [mutant for mutant in mutants_of(model_of(chart)) if mutant.key == key]
    return mutant


# Transitions dropped + redirected + guards negated and dropped + candidates swapped + actions dropped.
@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        pytest.param(Door, 3 + 3 * 2 + 2 * 2, id="flat"),
        pytest.param(Siblings, 2 + 2 + 2 * 2, id="a-guard-shared-by-two-edges"),
        pytest.param(Twice, 1 + 1 + 2, id="two-events-on-one-transition"),
        pytest.param(Download, 2 + 2 + 2 + 1, id="asynchronous"),
        pytest.param(Lamp, 4 + 4 * 2 + 2, id="ours"),
        pytest.param(Regions, 5 + 5, id="parallel"),
        pytest.param(Pausing, 3 + 1 + 1 + 2, id="history"),
        pytest.param(Turnstile, 3 + 3 + 2 * 2 + 1 + (2 + 1 + 1 + 1), id="candidates-and-actions"),
        pytest.param(Valve, 3 + 3 * 2 + 2 * 2 + 1 + 1, id="ours-and-automatic"),
    ],
)
def test_the_number_of_mutants_is_that_counted_by_hand(chart: type, expected: int) -> None:
    keys = [mutant.key for mutant in mutants_of(model_of(chart))]
    assert len(keys) == expected
    assert len(set(keys)) == expected


COIN = "locked --coin [is_real]--> unlocked"


@pytest.mark.parametrize(
    ("key", "state", "heard"),
    [
        (f"{COIN}: dropped", "locked", []),
        (f"{COIN}: redirected to locked", "locked", ["creak", "keep", "lock"]),
        (f"{COIN}: is_real negated", "locked", []),
        (f"{COIN}: tried after locked --coin [not is_torn]--> locked", "locked", []),
        (f"{COIN}: keep (on) dropped", "unlocked", ["creak", "shine"]),
        ("exit of locked: creak dropped", "unlocked", ["keep", "shine"]),
        ("entry of unlocked: shine dropped", "unlocked", ["creak", "keep"]),
    ],
)
def test_a_mutant_of_a_foreign_machine_has_its_fault_while_it_is_there(key: str, state: str, heard: list[str]) -> None:
    with mutated(Turnstile, mutant_of(Turnstile, key)):
        turnstile = Turnstile()
        turnstile.send("coin")
        assert (turnstile.current_state_value, turnstile.heard) == (state, heard)
    whole = Turnstile()
    whole.send("coin")
    assert (whole.current_state_value, whole.heard) == ("unlocked", ["creak", "keep", "shine"])


def test_a_dropped_guard_is_not_asked() -> None:
    with mutated(Turnstile, mutant_of(Turnstile, f"{COIN}: is_real dropped")):
        turnstile = Turnstile(real=False)
        turnstile.send("coin")
        assert turnstile.current_state_value == "unlocked"


def test_an_asynchronous_machine_has_faults_too() -> None:
    async def state_after_start() -> str:
        download = Download()
        await download.activate_initial_state()
        await download.start()
        return str(download.current_state_value)

    key = "idle --start [is_online]--> running: is_online negated"
    with mutated(Download, mutant_of(Download, key)), pytest.raises(TransitionNotAllowed):
        asyncio.run(state_after_start())
    assert asyncio.run(state_after_start()) == "running"


def test_every_mutant_leaves_its_class_as_it_was() -> None:
    for chart in (Door, Turnstile, Regions, Pausing, Valve, Lamp):
        before = model_of(chart)
        for mutant in mutants_of(before):
            with mutated(chart, mutant):
                pass
        assert model_of(chart) == before


@pytest.mark.parametrize("mutant", mutants_of(model_of(Door)), ids=lambda mutant: mutant.key)
def test_a_mutant_of_a_foreign_class_differs_from_it(mutant: Mutant) -> None:
    with mutated(Door, mutant):
        changed = model_of(Door)
    assert changed != model_of(Door)


def test_a_mutant_of_ours_changes_gate_and_engine_and_no_subclass() -> None:
    class Child(Valve):
        pass

    definition, engine = definition_of(Valve), chart_of(Valve)
    mutant = mutant_of(Valve, "shut --wear_out [is_old]--> worn: tried after shut --release [is_hot]--> ajar")
    with mutated(Valve, mutant):
        assert [edge.event for edge in definition_of(Valve).edges] == ["release", "wear_out", "close"]
        shut = next(state for state in chart_of(Valve).states if state.id == "shut")
        assert [str(transition.event) for transition in shut.transitions] == ["release", "wear_out"]
        assert [edge.event for edge in definition_of(Child).edges] == ["wear_out", "release", "close"]
    assert definition_of(Valve) is definition
    assert chart_of(Valve) is engine


def test_a_chart_that_is_looked_up_as_a_table_has_faults_too() -> None:
    asked = ("order", OrderStatus.PENDING_NEW, OrderEvent.ACKNOWLEDGE)
    with mutated(OrderLifecycle, mutant_of(OrderLifecycle, "pending_new --acknowledge--> open: redirected to filled")):
        assert status_after(*asked) is OrderStatus.FILLED
    with (
        mutated(OrderLifecycle, mutant_of(OrderLifecycle, "pending_new --acknowledge--> open: dropped")),
        pytest.raises(OrderLifecycleError),
    ):
        status_after(*asked)
    assert status_after(*asked) is OrderStatus.OPEN


def test_what_mutants_rely_on_in_python_statemachine() -> None:
    """Transitions, targets and callbacks are plain lists that a machine reads when it is made or fires."""

    class Chart(StateChart[Any]):
        here = State(initial=True, enter="greet")
        there = State()
        go = here.to(there, cond="may", on="note")
        back = there.to(here)

        def may(self) -> bool:
            return False

        def greet(self) -> None:
            raise AssertionError("its entry was taken out")

        def note(self) -> None: ...

    (transition,) = Chart.here.transitions.transitions
    assert isinstance(Chart.here.transitions.transitions, list)
    assert transition.targets == [Chart.there]
    assert {transition.internal, transition.is_self} == {False}
    assert transition.cond.list is transition.on.list
    assert Chart.here.enter.list is Chart.here.exit.list
    for group in (transition.cond, Chart.here.enter):
        first = next(iter(group))
        group.list.items[:] = [spec for spec in group.list.items if spec is not first]
    machine = Chart()
    transition.targets[:] = [Chart.here]
    transition.is_self = True
    machine.send("go")
    assert machine.current_state_value == "here"
    Chart.here.transitions.transitions.clear()
    machine.send("go")
    assert machine.current_state_value == "here"

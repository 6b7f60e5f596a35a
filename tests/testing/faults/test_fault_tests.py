"""Generated fault tests find what is planted, say where, and let clean charts pass."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.services.protocols import Services
from mm_fsm.testing import UnsupportedChartError, fault_tests
from tests.machine.scripted import services
from tests.machine.test_executors_agree import Stopped
from tests.testing.faulty import (
    AsyncPorter,
    Careless,
    Creative,
    Forgetful,
    Greedy,
    Guest,
    Lamp,
    Nested,
    Pausable,
    Porter,
    Swallowing,
    Thermostat,
    ask_for_a_pause,
)
from tests.testing.generated import failures, outcomes

AT_ITS = ("at its beginning", "at its end")


@pytest.mark.parametrize("chart", [Lamp, Guest, Porter, AsyncPorter])
def test_a_chart_that_keeps_its_promises_passes(chart: type) -> None:
    assert failures(fault_tests(chart)) == {}


def test_every_callback_raises_on_every_edge_at_both_ends_and_every_guard_once_in_each_state() -> None:
    edge = "dark --switch [has_power]--> lit"
    calls = ("before check", "exit warm_up", "on click", "enter shine", "after count")
    expected = [f"{edge}: {call} {moment}" for call in calls for moment in AT_ITS]
    assert list(outcomes(fault_tests(Lamp))) == [*expected, f"{edge}: guard has_power"]


def test_the_callback_itself_runs_where_it_raises_at_its_end_and_not_at_its_beginning() -> None:
    seen: list[int] = []

    def look(lamp: Lamp) -> None:
        seen.append(lamp.counted)

    outcomes(fault_tests(Lamp, check=look))
    # before (2), exit (2), on (2), enter (2), after at its beginning: not counted; after at its end: counted; guard
    assert seen == [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]


def test_an_error_that_vanishes_leaves_a_chart_in_a_state_that_it_has_half_entered() -> None:
    found = failures(fault_tests(Careless))
    edge = "away --arrive [is_welcome]--> here: enter on_enter_here"
    assert found == {f"{edge} {moment}": "expected that the machine is in away; found here." for moment in AT_ITS}


@pytest.mark.parametrize(
    ("machine", "case", "promise"),
    [
        pytest.param(
            Forgetful,
            "monitoring_orders --fills_arrived [has_fills]--> order_filled: enter handle_fills at its beginning",
            "expected that every live order has a cancel in flight; found mm-test-2: open.",
            id="an order is left alone",
        ),
        pytest.param(
            Greedy,
            "calculating_spreads --spreads_calculated--> placing_orders: enter place_orders at its end",
            "expected that nothing is placed after the failure",
            id="an order leaves after the failure",
        ),
        pytest.param(
            Creative,
            "(start)--> idle: enter begin_cycle at its beginning",
            "expected that the books are as they were; found cash 19999.99 instead of 20000",
            id="money is missing",
        ),
        pytest.param(
            Swallowing,
            "service orders.plan_changes",
            "expected that the step ends in error; found placing_orders.",
            id="an error is swallowed",
        ),
    ],
)
def test_a_broken_promise_of_a_market_maker_is_found(machine: type, case: str, promise: str) -> None:
    found = failures(fault_tests(machine), only=case)
    assert found[case].startswith(promise)


@pytest.mark.slow
def test_where_nothing_is_being_placed_a_greedy_machine_is_not_blamed() -> None:
    """The cases that fail are those in which something raises where an order leaves, or right after."""
    assert {case.split(":")[0] for case in failures(fault_tests(Greedy))} == {
        "calculating_spreads --spreads_calculated--> placing_orders",
        "placing_orders --error_execution--> error",
        "idle --stop--> inventory_management",
        "error --stop--> inventory_management",
        "error --wind_down [all_confirmed and may_wind_down and not worth_retrying]--> inventory_management",
    }


def is_on(machine: Thermostat) -> bool:
    return machine.heating.is_heating


def is_off(machine: Thermostat) -> bool:
    return not machine.heating.is_heating


def test_a_machine_of_another_strategy_is_made_by_the_test_and_checked_by_it() -> None:
    """After a failure a thermostat does not heat."""
    assert failures(fault_tests(Thermostat, make=Thermostat, check=is_off)) == {}
    found = failures(fault_tests(Thermostat, make=Thermostat, check=is_on))
    assert set(found.values()) == {"expected that is_on holds; found False."}


def test_the_same_calls_raise_and_the_same_is_found_on_either_executor() -> None:
    """A machine with callbacks in all five places, one of them in two; every case of it fails its check."""
    found = [
        failures(fault_tests(Stopped, make=partial(Stopped, executor), check=is_on)) for executor in ("engine", "table")
    ]
    assert found[0] == found[1]
    on_the_way_to_a_stop = [case for case in found[1] if case.startswith("on --stop--> off: ")]
    calls = ("before note", "exit cool", "on note_on", "enter on_enter_off", "after note_after")
    assert on_the_way_to_a_stop == [f"on --stop--> off: {call} {moment}" for call in calls for moment in AT_ITS]
    assert {"expected that is_on holds; found False."} == set(found[1].values())


def test_services_are_made_anew_for_every_case() -> None:
    made: list[Services] = []

    def make_services() -> Services:
        made.append(services())
        return made[-1]

    generated = fault_tests(MarketMakingStateMachine, services=make_services)
    assert failures(generated, only="idle --halt [must_halt]--> error") == {}
    # note_halt and cancel_everything at both ends, must_halt for the gate
    assert len(made) == 5


@pytest.mark.parametrize(
    ("chart", "options", "said"),
    [
        pytest.param(Nested, {}, "last is history", id="nested"),
        pytest.param(OrderLifecycle, {}, "it has no callback and no guard", id="nothing can raise"),
        pytest.param(Thermostat, {}, "it is not known how one is made", id="no make"),
        pytest.param(Lamp, {"services": services}, "services are given", id="services for a lamp"),
        pytest.param(Lamp, {"commands": {"switch": ask_for_a_pause}}, "it is told no facts", id="commands for a lamp"),
        pytest.param(int, {}, "it is no chart with states", id="no chart"),
    ],
)
def test_what_cannot_be_tested_so_is_refused_when_the_tests_are_made(
    chart: type, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnsupportedChartError, match=said):
        fault_tests(chart, **options)


def test_a_command_is_tested_when_it_is_said_what_carries_it() -> None:
    edge = "on --pause--> off"
    with_command = outcomes(fault_tests(Pausable, make=Pausable, commands={"pause": ask_for_a_pause}), only=edge)
    # exit cool, on cool and nothing on entering off: each at both ends
    assert list(with_command.values()) == [None] * 4
    assert outcomes(fault_tests(Pausable, make=Pausable), only=edge) == {}


def test_an_edge_that_no_step_can_take_is_skipped_with_the_reason() -> None:
    (mark,) = fault_tests(MarketMakingStateMachine).pytestmark  # type: ignore[attr-defined]
    skipped = {case.id for case in mark.args[1] for mark in case.marks if mark.name == "skip"}
    # calculating_spreads and order_filled are left at once, so that no command finds the machine there
    assert skipped == {
        "calculating_spreads --stop--> inventory_management",
        "order_filled --stop--> inventory_management",
    }

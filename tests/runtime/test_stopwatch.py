"""The stopwatch charges computing to states and counts what exceeds a budget; it changes no decision."""

from __future__ import annotations

from mm_fsm.books.facts import Timer
from mm_fsm.chart import definition_of
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult, TransitionRecord
from mm_fsm.runtime.stopwatch import StateStopwatch

MILLISECOND = 1_000_000


class Clock:
    """A clock that is set by hand, milliseconds."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now * MILLISECOND


def watched() -> tuple[StateStopwatch, Clock]:
    clock = Clock()
    return StateStopwatch(definition_of(MarketMakingStateMachine), clock), clock


def result(state: str) -> StepResult:
    return StepResult(sequence=1, time=0, fact=Timer(received_at=0), state=state)


def test_work_is_charged_to_the_state_that_does_it() -> None:
    """3 ms of guards in MONITORING_ORDERS, 4 ms to enter ORDER_FILLED, 2 + 1 ms in INVENTORY_MANAGEMENT."""
    watch, clock = watched()
    watch.step_began("monitoring_orders", Timer(received_at=0))
    clock.now = 3
    watch.transition_began("monitoring_orders", "fills_arrived")
    clock.now = 7
    watch.transition_was_taken(TransitionRecord("monitoring_orders", "fills_arrived", "order_filled"), 0)
    watch.transition_began("order_filled", "fills_handled")
    clock.now = 9
    watch.transition_was_taken(TransitionRecord("order_filled", "fills_handled", "inventory_management"), 0)
    clock.now = 10
    watch.step_ended(result("inventory_management"))
    milliseconds = {state: spent / MILLISECOND for state, spent in watch.computing.items() if spent}
    assert milliseconds == {"monitoring_orders": 3, "order_filled": 4, "inventory_management": 3}
    assert not watch.breaches


def test_a_cycle_beyond_its_budget_is_counted() -> None:
    """MONITORING_ORDERS may compute for 10 ms a cycle: 10 are within, 11 are not, and two cycles are not added up."""
    watch, clock = watched()
    for spent in (10, 10, 11):
        watch.step_began("monitoring_orders", Timer(received_at=0))
        clock.now += spent
        watch.step_ended(result("monitoring_orders"))
    assert watch.breaches == {"monitoring_orders": 1}


def test_a_waiting_budget_is_not_held_against_the_clock() -> None:
    """PLACING_ORDERS has 500 ms by the times of facts; a second of computing is another matter."""
    watch, clock = watched()
    watch.step_began("placing_orders", Timer(received_at=0))
    clock.now = 1000
    watch.step_ended(result("placing_orders"))
    assert not watch.breaches

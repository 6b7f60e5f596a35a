"""What each edge of the market maker's chart does, by facts on the real machine: effects, refusals and precedence.

Expected is what the lifecycle's description says. No test here reads the chart to know what to expect.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from mm_fsm.core.decisions import Fault, FaultCode, InventoryAction, InventoryStep
from mm_fsm.core.messages import CancelOrder, PlaceOrder, RejectionCode, RequestKind
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import MARKET_MAKER_INVARIANTS, MARKET_MAKER_WAYS, MarketMakerHost, quick_settings
from mm_fsm.testing.traps import Trap
from tests.machine.scripted import PausingMachine

Taken = list[tuple[str, str, str]]


def new_host(machine: type[MarketMakingStateMachine] = MarketMakingStateMachine, **changes: object) -> MarketMakerHost:
    host = MarketMakerHost(machine, quick_settings(**changes), invariants=MARKET_MAKER_INVARIANTS)
    host.nudge()
    return host


def make(host: MarketMakerHost, guard: str, answer: bool = True, state: str = "") -> None:  # noqa: FBT001, FBT002
    MARKET_MAKER_WAYS[guard].make(host, answer, state or host.state)


def taken_since(host: MarketMakerHost, count: int) -> Taken:
    return [(t.source, t.event, t.target) for t in host.taken[count:]]


def events_of(host: MarketMakerHost, happen: Callable[[MarketMakerHost], object]) -> list[str]:
    """The events that fire because of what happens."""
    count = len(host.taken)
    happen(host)
    return [event for _, event, _ in taken_since(host, count)]


# -- how to get somewhere ------------------------------------------------------------------------------------------


def idle(**changes: object) -> MarketMakerHost:
    host = new_host(**changes)
    host.show_book()
    return host


def placing_orders(**changes: object) -> MarketMakerHost:
    """Two placements wait for their answers."""
    host = new_host(**changes)
    make(host, "ready_to_quote")
    assert host.state == "placing_orders"
    return host


def monitoring_orders(**changes: object) -> MarketMakerHost:
    """A quote rests on each side."""
    host = placing_orders(**changes)
    host.answer_only(PlaceOrder)
    assert host.state == "monitoring_orders"
    return host


def adjusting_spreads(**changes: object) -> MarketMakerHost:
    """Cancels and placements wait for their answers."""
    host = monitoring_orders(**changes)
    host.show_book(8)
    assert host.state == "adjusting_spreads"
    return host


def inventory_management(**changes: object) -> MarketMakerHost:
    """An adjustment has begun: the quotes' cancels wait for their answers."""
    host = monitoring_orders(**changes)
    make(host, "inventory_limit_passed")
    assert host.state == "inventory_management"
    return host


def error(*, transient: bool = True, **changes: object) -> MarketMakerHost:
    """The quotes' cancels wait for their answers."""
    host = monitoring_orders(**changes)
    halt(host, transient=transient)
    assert host.state == "error"
    return host


def paused_in(state: str) -> MarketMakerHost:
    """A machine that rests in one of the two states which others pass through."""
    host = new_host(PausingMachine)
    host.machine.goes_on = state != "calculating_spreads"  # type: ignore[attr-defined]
    make(host, "ready_to_quote")
    if state == "order_filled":
        host.answer_only(PlaceOrder)
        host.machine.goes_on = False  # type: ignore[attr-defined]
        host.fill(host.order_ids()[0])
    assert host.state == state
    return host


REACH: dict[str, Callable[[], MarketMakerHost]] = {
    "idle": idle,
    "calculating_spreads": lambda: paused_in("calculating_spreads"),
    "placing_orders": placing_orders,
    "monitoring_orders": monitoring_orders,
    "adjusting_spreads": adjusting_spreads,
    "order_filled": lambda: paused_in("order_filled"),
    "inventory_management": inventory_management,
    "error": error,
}


def halt(host: MarketMakerHost, *, transient: bool = True) -> None:
    host.next_fault_is_transient = transient
    make(host, "must_halt")
    host.nudge()


def is_book_leaving(host: MarketMakerHost) -> bool:
    """Every live order has a cancel in flight."""
    return all(order.cancel_in_flight for order in host.context.orders.live())


# -- what edges do -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [state for state in REACH if state != "error"])
def test_a_halt_is_noted_as_a_fault_and_cancels_everything(state: str) -> None:
    host = REACH[state]()
    count = len(host.taken)
    halt(host)
    assert taken_since(host, count) == [(state, "halt", "error")]
    assert [fault.reason for fault in host.last.faults] == ["scripted"]
    assert host.context.fault is not None
    assert host.context.fault.state == state
    assert not host.script.services.risk.halt_cause(host.context), "the cause has been acted on"
    assert host.context.recover_at == host.now + 1_000_000_000, "the first back-off lasts a second"
    assert is_book_leaving(host)


@pytest.mark.parametrize("state", REACH)
def test_a_stop_winds_down_and_places_nothing_any_more(state: str) -> None:
    """Quotes are cancelled on entry to INVENTORY_MANAGEMENT, in the same step."""
    host = REACH[state]()
    count = len(host.taken)
    host.script.answer("inventory.is_reduced", lambda _answer: False)
    host.stop()
    assert taken_since(host, count)[0] == (state, "stop", "inventory_management")
    assert host.state == "inventory_management"
    assert host.context.is_stopping
    assert host.context.plan is None
    assert host.context.reduction is not None
    assert host.context.reduction.goal == 0
    assert is_book_leaving(host)


@pytest.mark.parametrize("state", REACH)
def test_a_guard_that_raises_ends_in_error(state: str) -> None:
    host = REACH[state]()
    count = len(host.taken)
    host.traps.set(Trap(state=state, between_transitions=True))
    host.nudge()
    assert taken_since(host, count) == [(state, "error_execution", "error")]
    assert [fault.code for fault in host.last.faults] == [FaultCode.GUARD]
    assert is_book_leaving(host)


@pytest.mark.parametrize("state", ["placing_orders", "monitoring_orders", "adjusting_spreads"])
def test_old_data_leads_to_idle_whose_entry_cancels(state: str) -> None:
    """The entry does it: no stray is left for IDLE to find."""
    host = REACH[state]()
    count = len(host.taken)
    host.wait(3)
    assert taken_since(host, count) == [(state, "data_went_stale", "idle")]
    assert host.order_ids()
    assert is_book_leaving(host)


def test_failed_checks_are_noted_as_a_fault() -> None:
    host = idle()
    make(host, "checks_fail")
    assert events_of(host, MarketMakerHost.nudge) == ["checks_failed"]
    assert host.state == "error"
    assert [fault.reason for fault in host.last.faults] == ["scripted"]


def test_a_cycle_prices_and_places_in_one_step() -> None:
    host = placing_orders()
    assert [t.event for t in host.last.transitions] == ["ready", "spreads_calculated"]
    assert host.context.last_spread_calculation == host.now
    assert {intent.side.value for intent in host.last.intents if isinstance(intent, PlaceOrder)} == {"bid", "ask"}


def test_an_adjustment_counts_prices_anew_and_replaces() -> None:
    host = adjusting_spreads()
    assert [t.event for t in host.last.transitions] == ["quotes_went_stale"]
    assert host.context.adjustment_count == 1
    assert host.context.last_spread_calculation == host.now
    assert {type(intent) for intent in host.last.intents} >= {CancelOrder, PlaceOrder}
    host.answer_only(PlaceOrder, CancelOrder)
    assert host.taken[-1].event == "spreads_adjusted"
    assert host.state == "monitoring_orders"


@pytest.mark.parametrize(
    ("state", "event"), [("placing_orders", "placing_continued"), ("adjusting_spreads", "adjusting_continued")]
)
def test_a_rejected_placement_is_priced_and_sent_again(state: str, event: str) -> None:
    host = REACH[state]()
    rejected = host.sent(PlaceOrder)[-1]
    adjustments = host.context.adjustment_count
    assert events_of(host, lambda host: host.reject(rejected.client_order_id)) == [event]
    assert host.state == state
    again = [intent for intent in host.last.intents if isinstance(intent, PlaceOrder)]
    assert [intent.side for intent in again] == [rejected.side]
    assert host.context.adjustment_count == adjustments, "the state is not entered again"


def test_fills_are_named_and_inventory_is_managed_before_the_next_cycle() -> None:
    host = monitoring_orders()
    events = events_of(host, lambda host: host.fill(host.order_ids()[0]))
    assert events[:3] == ["fills_arrived", "fills_handled", "next_cycle"]
    assert any(reason.startswith("filled") for reason in host.last.reasons)
    assert any(reason.startswith("inventory at") for reason in host.last.reasons)
    assert not host.context.unhandled_fills


def test_a_passed_limit_begins_an_adjustment_that_the_next_cycle_ends() -> None:
    host = inventory_management()
    assert host.context.reduction is not None
    assert is_book_leaving(host)
    make(host, "inventory_settled")
    assert ("inventory_management", "next_cycle", "idle") in taken_since(host, 0)
    assert host.context.reduction is None


def test_the_next_step_of_an_adjustment_enters_the_state_again() -> None:
    host = inventory_management()
    host.script.answer("inventory.is_reduced", lambda _answer: False)
    make(host, "inventory_needs_action")
    calls = host.script.calls["inventory.next_action"]
    assert events_of(host, MarketMakerHost.nudge) == ["manage_again"]
    assert host.state == "inventory_management"
    assert host.script.calls["inventory.next_action"] > calls + 1, "the entry action asks for the step, too"


def test_a_recovery_counts_and_forgets_the_fault() -> None:
    host = error()
    make(host, "all_confirmed")
    assert host.state == "error", "the back-off is not over"
    events = events_of(host, lambda host: host.wait(1))
    assert events[0] == "recover"
    assert host.context.recovery_attempts == 1
    assert host.context.fault is None
    assert host.context.healthy_since == host.now


def test_a_permanent_fault_winds_down_once_and_remembers() -> None:
    host = error(transient=False)
    host.script.answer("inventory.is_reduced", lambda _answer: False)
    make(host, "all_confirmed")
    assert host.taken[-1].event == "wind_down"
    assert host.state == "inventory_management"
    assert host.context.has_wound_down
    assert host.context.is_stopping
    host.traps.set(Trap(state="inventory_management", between_transitions=True))
    events = events_of(host, MarketMakerHost.nudge)
    assert events == ["error_execution", "give_up"], "it is not wound down twice"
    assert host.state == "completed"


def test_completing_says_why() -> None:
    host = monitoring_orders()
    host.stop(flatten=False)
    make(host, "all_confirmed")
    assert host.taken[-1].event == "wound_down"
    assert host.state == "completed"
    assert "completed: asked" in host.last.reasons


@pytest.mark.parametrize("state", ["idle", "error"])
def test_a_stray_is_cancelled_at_once_and_once(state: str) -> None:
    """A placement had no answer; the venue says at last that the order rests there, where no order may."""
    host = placing_orders()
    order_id = host.order_ids()[0]
    host.drop(len(host.outstanding))
    host.venue.take(order_id, host.now)
    if state == "idle":
        host.lose(order_id)
        host.wait(3)
    else:
        halt(host)
        host.lose(order_id, RequestKind.CANCEL)
        host.context.orders.get(order_id).cancel_wanted = False  # type: ignore[union-attr]
    assert host.state == state
    assert events_of(host, lambda host: host.report(order_id)) == ["strays_found"]
    assert [i.client_order_id for i in host.last.intents if isinstance(i, CancelOrder)] == [order_id]
    assert not host.last.faults


# -- what a guard that does not hold keeps from happening ----------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "settled"), [("placing_orders", "orders_placed"), ("adjusting_spreads", "spreads_adjusted")]
)
def test_fills_come_before_placing_again(state: str, settled: str) -> None:
    """A fill while requests are out: what is left to place waits until it has been handled."""
    host = REACH[state]()
    waiting = [intent.client_order_id for intent in host.outstanding if isinstance(intent, PlaceOrder)]
    host.answer_only(CancelOrder)
    assert host.state == state
    assert events_of(host, lambda host: host.fill(waiting[0])) == []
    events = events_of(host, lambda host: host.reject(waiting[1]))
    assert events[:3] == [settled, "fills_arrived", "fills_handled"]


def test_placing_waits_for_every_answer() -> None:
    host = placing_orders()
    assert events_of(host, lambda host: host.answer(1)) == []
    assert host.state == "placing_orders"


def test_an_adjustment_that_ends_confirmed_does_not_end_the_session() -> None:
    """Everything is confirmed and at target, but nobody asked to stop."""
    host = inventory_management()
    host.script.answer("inventory.is_reduced", lambda _answer: False)
    make(host, "all_confirmed")
    assert host.state == "inventory_management"
    assert host.answer_of("all_confirmed")
    host.script.forget("inventory.is_reduced")
    host.move_funds(base=-host.context.inventory_offset)
    assert ("inventory_management", "next_cycle", "idle") in taken_since(host, 0)
    assert host.state != "completed"


def test_a_wind_down_is_not_over_before_orders_are_confirmed() -> None:
    host = monitoring_orders()
    host.stop()
    assert host.answer_of("flat_or_late") is False
    host.script.answer("inventory.is_reduced", lambda _answer: True)
    host.nudge()
    assert host.state == "inventory_management"
    make(host, "all_confirmed")
    assert host.state == "completed"


def test_a_wind_down_is_not_over_before_the_position_is_flat() -> None:
    host = monitoring_orders()
    host.script.answer("inventory.is_reduced", lambda _answer: False)
    host.stop()
    make(host, "all_confirmed")
    assert host.answer_of("all_confirmed")
    assert host.state == "inventory_management"


def test_a_wind_down_never_begins_another_cycle() -> None:
    host = monitoring_orders()
    host.script.answer("inventory.is_reduced", lambda _answer: True)
    host.stop()
    host.nudge()
    assert host.answer_of("inventory_settled")
    assert host.state == "inventory_management"


def test_nothing_is_recovered_before_cancels_are_confirmed() -> None:
    host = error()
    host.wait(2)
    assert host.answer_of("backoff_over")
    assert host.state == "error"
    assert events_of(host, lambda host: make(host, "all_confirmed"))[0] == "recover"


def test_a_permanent_fault_is_not_retried_however_long_it_lasts() -> None:
    host = error(transient=False)
    host.wait(2)
    assert events_of(host, lambda host: make(host, "all_confirmed"))[0] == "wind_down"


def test_nothing_is_wound_down_before_cancels_are_confirmed() -> None:
    host = error(transient=False)
    assert events_of(host, lambda host: host.wait(2)) == []


def test_nothing_is_given_up_before_cancels_are_confirmed() -> None:
    host = error(transient=False, wind_down_on_fault=False)
    assert events_of(host, lambda host: host.wait(2)) == []
    assert events_of(host, lambda host: make(host, "all_confirmed")) == ["give_up"]


@pytest.mark.parametrize("winds_down", [False, True])
def test_a_fault_worth_retrying_is_neither_wound_down_nor_given_up(winds_down: bool) -> None:  # noqa: FBT001
    host = error(wind_down_on_fault=winds_down)
    assert events_of(host, lambda host: make(host, "all_confirmed")) == []
    assert host.answer_of("all_confirmed")
    assert host.state == "error"


def test_an_error_without_strays_rests() -> None:
    host = error()
    assert events_of(host, MarketMakerHost.nudge) == []
    assert not host.last.faults


# -- which edge is taken when several could be ---------------------------------------------------------------------


def test_in_idle_a_halt_comes_before_failed_checks() -> None:
    host = idle()
    make(host, "checks_fail")
    make(host, "must_halt")
    assert events_of(host, MarketMakerHost.nudge) == ["halt"]


def test_in_idle_failed_checks_come_before_quoting() -> None:
    """One book makes the machine ready; it is the same one on which the checks fail."""
    host = idle()
    while not host.context.reconciliation.is_complete:
        host.answer()
    host.script.answer("risk.check_cycle", lambda _answer: _funds() if host.answer_of("ready_to_quote") else None)
    for _ in range(4):
        if host.taken:
            break
        host.later(1)
        host.show_book()
    assert [t.event for t in host.taken] == ["checks_failed"]


def test_a_new_cycle_that_is_ready_quotes_with_what_rests_there() -> None:
    """An order that no service wanted out is no reason to wait: the next placing keeps it or replaces it."""
    host = monitoring_orders()
    host.script.answer("inventory.is_reduced", lambda _answer: True, state="inventory_management")
    host.script.answer("inventory.next_action", lambda _answer: None)
    events = events_of(host, lambda host: host.fill(host.order_ids()[0]))
    assert events[:4] == ["fills_arrived", "fills_handled", "next_cycle", "ready"]
    assert "strays_found" not in events


@pytest.mark.parametrize("state", ["placing_orders", "monitoring_orders", "adjusting_spreads"])
def test_a_halt_comes_before_old_data(state: str) -> None:
    host = REACH[state]()
    make(host, "must_halt")
    assert events_of(host, lambda host: host.wait(3)) == ["halt"]


@pytest.mark.parametrize("state", ["placing_orders", "adjusting_spreads"])
def test_old_data_comes_before_placing_again(state: str) -> None:
    host = REACH[state]()
    rejected = host.sent(PlaceOrder)[-1].client_order_id
    host.later(3)
    assert events_of(host, lambda host: host.reject(rejected, RejectionCode.POST_ONLY)) == ["data_went_stale"]


@pytest.mark.parametrize(
    ("state", "event"), [("placing_orders", "placing_continued"), ("adjusting_spreads", "adjusting_continued")]
)
def test_what_is_left_is_placed_before_placing_counts_as_done(state: str, event: str) -> None:
    """The last answer is a rejection: every request is settled, and there is more to send."""
    host = REACH[state]()
    waiting = [intent.client_order_id for intent in host.outstanding if isinstance(intent, PlaceOrder)]
    host.answer_only(CancelOrder)
    host.tell(host.venue.take(waiting[0], host.now))
    assert host.state == state
    assert events_of(host, lambda host: host.reject(waiting[1])) == [event]


def test_in_monitoring_old_data_comes_before_fills() -> None:
    host = monitoring_orders()
    host.later(3)
    assert events_of(host, lambda host: host.fill(host.order_ids()[0]))[0] == "data_went_stale"


def test_in_monitoring_fills_come_before_a_passed_limit() -> None:
    host = monitoring_orders()
    host.script.answer("inventory.assess", lambda answer: evolve(answer, is_over_limit=True), state="monitoring_orders")
    assert events_of(host, lambda host: host.fill(host.order_ids()[0]))[0] == "fills_arrived"


def test_in_monitoring_a_passed_limit_comes_before_stale_quotes() -> None:
    host = monitoring_orders()
    host.later(0.01)
    host.script.answer("spreads.are_quotes_stale", lambda _answer: True, state="monitoring_orders")
    assert events_of(host, lambda host: make(host, "inventory_limit_passed"))[0] == "limit_passed"


def test_in_inventory_a_halt_comes_before_the_end() -> None:
    host = monitoring_orders()
    host.stop(flatten=False)
    make(host, "must_halt", state="inventory_management")
    assert events_of(host, lambda host: make(host, "all_confirmed")) == ["halt"]


def test_in_inventory_the_end_comes_before_another_step() -> None:
    host = monitoring_orders()
    host.stop(flatten=False)
    host.script.answer("inventory.next_action", lambda _answer: _step() if host.answer_of("all_confirmed") else None)
    make(host, "all_confirmed")
    assert [t.event for t in host.taken[-2:]] == ["stop", "wound_down"]


def test_in_inventory_another_step_comes_before_the_next_cycle() -> None:
    host = monitoring_orders()
    make(host, "inventory_needs_action", state="inventory_management")
    events = events_of(host, lambda host: host.fill(host.order_ids()[0]))
    assert events[:3] == ["fills_arrived", "fills_handled", "manage_again"]


def _funds() -> Fault:
    return Fault(code=FaultCode.FUNDS, reason="scripted", transient=False)


def _step() -> InventoryAction:
    return InventoryAction(step=InventoryStep.CANCEL_QUOTES, reason="one more")


def test_the_faults_that_are_scripted_here_are_faults() -> None:
    """The script's faults say what these tests read from results."""
    host = error(transient=False)
    assert host.last.faults == (
        Fault(code=FaultCode.KILL_SWITCH, reason="scripted", transient=False, state="monitoring_orders", at=host.now),
    )

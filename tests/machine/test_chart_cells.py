"""Every (state, event) cell of the chart, against the lifecycle's table written out by hand.

A legal cell is driven on the real machine by facts that make its guards true. An illegal one is sent to the engine in
that state, past the gate, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache

import pytest

from mm_fsm.chart import definition_of
from mm_fsm.core.instrument import Balances
from mm_fsm.core.messages import PlaceOrder, RejectionCode, RequestKind, Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from tests.machine.bench import Bench, settings_with
from tests.machine.scripted import PausingMachine, ScriptedRisk, fault, services

BID, ASK = Side.BID, Side.ASK

STATES = [
    "idle",
    "calculating_spreads",
    "placing_orders",
    "monitoring_orders",
    "adjusting_spreads",
    "order_filled",
    "inventory_management",
    "completed",
    "error",
]

# The lifecycle's table: sources, event, guards, target. "internal" stays in its state without entering it again.
TABLE = """
idle calculating_spreads placing_orders monitoring_orders adjusting_spreads order_filled inventory_management
    | halt | must_halt | error
placing_orders monitoring_orders adjusting_spreads
    | data_went_stale | data_stale | idle
idle
    | checks_failed | checks_fail | error
idle
    | ready | ready_to_quote | calculating_spreads
calculating_spreads
    | spreads_calculated | | placing_orders
placing_orders
    | placing_continued | work_remains, not has_fills | internal
placing_orders
    | orders_placed | requests_settled | monitoring_orders
adjusting_spreads
    | adjusting_continued | work_remains, not has_fills | internal
adjusting_spreads
    | spreads_adjusted | requests_settled | monitoring_orders
monitoring_orders
    | fills_arrived | has_fills | order_filled
monitoring_orders
    | limit_passed | inventory_limit_passed | inventory_management
monitoring_orders
    | quotes_went_stale | quotes_stale | adjusting_spreads
order_filled
    | fills_handled | | inventory_management
inventory_management
    | wound_down | stopping, all_confirmed, flat_or_late | completed
inventory_management
    | manage_again | inventory_needs_action | inventory_management
inventory_management
    | next_cycle | inventory_settled, not stopping | idle
error
    | recover | all_confirmed, worth_retrying, backoff_over | idle
error
    | wind_down | all_confirmed, may_wind_down, not worth_retrying | inventory_management
error
    | give_up | all_confirmed, not worth_retrying, not may_wind_down | completed
idle error
    | strays_found | has_strays | internal
idle calculating_spreads placing_orders monitoring_orders adjusting_spreads order_filled inventory_management
    | error_execution | | error
error
    | error_execution | | internal
idle calculating_spreads placing_orders monitoring_orders adjusting_spreads order_filled inventory_management error
    | stop | | inventory_management
"""


def read_table() -> list[tuple[str, str, frozenset[str], str]]:
    """Source, event, guards and target of every edge, in order of precedence."""
    rows = TABLE.strip().replace("\n    |", "|").splitlines()
    edges = []
    for row in rows:
        sources, event, guards, target = (cell.strip() for cell in row.split("|"))
        names = frozenset(guard.strip() for guard in guards.split(",") if guard.strip())
        edges += [(source, event, names, target) for source in sources.split()]
    return edges


EDGES = read_table()
EVENTS = list(dict.fromkeys(event for _, event, _, _ in EDGES))
TARGET = {(source, event): source if target == "internal" else target for source, event, _, target in EDGES}
ILLEGAL = [(state, event) for state in STATES for event in EVENTS if (state, event) not in TARGET]


def test_the_chart_is_the_table() -> None:
    definition = definition_of(MarketMakingStateMachine)
    assert [state.id for state in definition.states] == STATES
    found = [
        (edge.source, edge.event, frozenset(map(str, edge.guards)), "internal" if edge.internal else edge.target)
        for edge in definition.edges
    ]
    assert sorted(found, key=str) == sorted(EDGES, key=str)
    assert len(TARGET) + len(ILLEGAL) == 9 * 22
    for state in STATES:  # edges of one state are tried in the table's order
        assert [edge.event for edge in definition.edges_from(state)] == [e for s, e, _, _ in EDGES if s == state]


def test_commands_are_sent_and_every_other_event_fires_by_itself() -> None:
    commands = {edge.event for edge in definition_of(MarketMakingStateMachine).edges if edge.command}
    assert commands == {"error_execution", "stop"}


# -- reaching the states -------------------------------------------------------------------------------------------


def new_bench(balances: Balances | None = None, **changes: object) -> Bench:
    funds = {} if balances is None else {"balances": balances}
    return Bench(settings_with(**changes), services=services(risk=ScriptedRisk()), machine=PausingMachine, **funds)


def idle(**changes: object) -> Bench:
    bench = new_bench(**changes)
    bench.book()
    return bench


def warm_up_until(bench: Bench, state: str) -> Bench:
    """Books and honest answers, until the machine is in a state; what it asked for there is not answered yet."""
    while bench.state != state:
        bench.settle()
        bench.later(1)
        bench.book()
    return bench


def calculating_spreads(**changes: object) -> Bench:
    bench = new_bench(**changes)
    bench.machine.goes_on = False
    return warm_up_until(bench, "calculating_spreads")


def placing_orders(**changes: object) -> Bench:
    return warm_up_until(new_bench(**changes), "placing_orders")


def monitoring_orders(**changes: object) -> Bench:
    return new_bench(**changes).start_quoting()


def adjusting_spreads(**changes: object) -> Bench:
    bench = monitoring_orders(requote_tolerance_share=0.0, **changes)
    bench.later(0.1)
    bench.book("99.49", "99.51")
    return bench


def order_filled(**changes: object) -> Bench:
    bench = monitoring_orders(**changes)
    bench.machine.goes_on = False
    bench.fill(bench.live(BID)[0])
    return bench


def inventory_management(**changes: object) -> Bench:
    """An adjustment under way: the position has passed its limit, and quotes are being cancelled."""
    bench = monitoring_orders(**changes)
    pass_limit(bench)
    return bench


def completed(**changes: object) -> Bench:
    bench = monitoring_orders(**changes)
    bench.stop(flatten=False)
    bench.settle()
    return bench


def error(*, transient: bool = True, **changes: object) -> Bench:
    bench = monitoring_orders(**changes)
    halt(bench, transient=transient)
    return bench


REACH: dict[str, Callable[..., Bench]] = {
    "idle": idle,
    "calculating_spreads": calculating_spreads,
    "placing_orders": placing_orders,
    "monitoring_orders": monitoring_orders,
    "adjusting_spreads": adjusting_spreads,
    "order_filled": order_filled,
    "inventory_management": inventory_management,
    "completed": completed,
    "error": error,
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_can_be_reached_and_rested_in(state: str) -> None:
    assert REACH[state]().state == state


# -- what happens there --------------------------------------------------------------------------------------------


def halt(bench: Bench, *, transient: bool = True) -> None:
    risk = bench.machine.services.risk
    risk.cause = fault(transient=transient)
    bench.beat()
    risk.cause = None


def break_risk(bench: Bench) -> None:
    """The first guard of every state raises."""

    def raises(_context: object) -> None:
        raise RuntimeError("the service broke")

    bench.machine.services.risk.halt_cause = raises
    bench.beat()


def break_error(bench: Bench) -> None:
    bench.machine.is_broken = True
    bench.beat()


def pass_limit(bench: Bench) -> None:
    """50 units arrive from outside; the limit is about 20."""
    bench.deposit("50")


def go_on(bench: Bench) -> None:
    bench.machine.goes_on = True
    bench.beat()


def stop(bench: Bench) -> None:
    bench.stop()


def outlive_the_data(bench: Bench) -> None:
    bench.wait(2)


def show_book(bench: Bench) -> None:
    bench.book()


def warm_up(bench: Bench) -> None:
    bench.run(4)


def reject_bid(bench: Bench) -> None:
    bench.reject(bench.sent(PlaceOrder)[-1].client_order_id, RejectionCode.POST_ONLY)


def settle(bench: Bench) -> None:
    bench.settle()


def fill_bid(bench: Bench) -> None:
    bench.fill(bench.live(BID)[0], "0.5")


def move_market(bench: Bench) -> None:
    bench.book("99.49", "99.51")


def stop_and_settle(bench: Bench) -> None:
    bench.stop()
    bench.settle()
    bench.run(10)


def settle_for_long(bench: Bench) -> None:
    bench.run(10)


def find_stray(bench: Bench) -> None:
    """An order whose placement had no answer is found open after all."""
    bench.report(bench.sent(PlaceOrder)[0].client_order_id)


def idle_with_unknown_order() -> Bench:
    bench = placing_orders(stale_data_seconds=2.0)
    name = bench.sent(PlaceOrder)[0].client_order_id
    bench.lose(name)
    bench.orders[name].is_known = bench.orders[name].is_open = True
    bench.wait(2)
    return bench


def error_with_unknown_order() -> Bench:
    bench = placing_orders()
    name = bench.sent(PlaceOrder)[0].client_order_id
    bench.orders[name].is_known = bench.orders[name].is_open = True
    halt(bench)
    bench.lose(name, RequestKind.CANCEL)
    bench.own(name).cancel_wanted = False
    return bench


def poor() -> Bench:
    """Neither side can afford the smallest order: 5 USD."""
    bench = new_bench(Balances(base=Decimal(0), quote=Decimal(4)))
    bench.beat()
    return bench


SCENARIOS: dict[tuple[str, str], tuple[Callable[[], Bench], Callable[[Bench], None]]] = {
    # how to get there, and what happens then
    **{(state, "halt"): (REACH[state], halt) for state, event in TARGET if event == "halt"},
    **{(state, "stop"): (REACH[state], stop) for state, event in TARGET if event == "stop"},
    **{(state, "error_execution"): (REACH[state], break_risk) for state, event in TARGET if event == "error_execution"},
    ("error", "error_execution"): (error, break_error),
    ("placing_orders", "data_went_stale"): (lambda: placing_orders(stale_data_seconds=2.0), outlive_the_data),
    ("monitoring_orders", "data_went_stale"): (lambda: monitoring_orders(stale_data_seconds=2.0), outlive_the_data),
    ("adjusting_spreads", "data_went_stale"): (lambda: adjusting_spreads(stale_data_seconds=2.0), outlive_the_data),
    ("idle", "checks_failed"): (poor, show_book),
    ("idle", "ready"): (idle, warm_up),
    ("calculating_spreads", "spreads_calculated"): (calculating_spreads, go_on),
    ("placing_orders", "placing_continued"): (placing_orders, reject_bid),
    ("placing_orders", "orders_placed"): (placing_orders, settle),
    ("adjusting_spreads", "adjusting_continued"): (adjusting_spreads, reject_bid),
    ("adjusting_spreads", "spreads_adjusted"): (adjusting_spreads, settle),
    ("monitoring_orders", "fills_arrived"): (monitoring_orders, fill_bid),
    ("monitoring_orders", "limit_passed"): (monitoring_orders, pass_limit),
    ("monitoring_orders", "quotes_went_stale"): (monitoring_orders, move_market),
    ("order_filled", "fills_handled"): (order_filled, go_on),
    ("inventory_management", "wound_down"): (inventory_management, stop_and_settle),
    ("inventory_management", "manage_again"): (inventory_management, settle),
    ("inventory_management", "next_cycle"): (inventory_management, settle_for_long),
    ("error", "recover"): (error, settle_for_long),
    ("error", "wind_down"): (lambda: error(transient=False), settle_for_long),
    ("error", "give_up"): (lambda: error(transient=False, wind_down_on_fault=False), settle_for_long),
    ("idle", "strays_found"): (idle_with_unknown_order, find_stray),
    ("error", "strays_found"): (error_with_unknown_order, find_stray),
}


def test_every_legal_cell_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(TARGET)


@pytest.mark.parametrize(("state", "event"), TARGET)
def test_a_legal_cell_is_taken_when_its_guards_hold(state: str, event: str) -> None:
    reach, happen = SCENARIOS[state, event]
    bench = reach()
    assert bench.state == state
    begun = len(bench.results)
    happen(bench)
    taken = [(t.source, t.event, t.target) for result in bench.results[begun:] for t in result.transitions]
    assert (state, event, TARGET[state, event]) in taken


@cache
def resting_in(state: str) -> Bench:
    return REACH[state]()


@pytest.mark.parametrize(("state", "event"), ILLEGAL)
def test_an_illegal_cell_changes_nothing(state: str, event: str) -> None:
    bench = resting_in(state)
    before = bench.fingerprint()
    bench.machine.engine.send(event)
    assert bench.state == state
    assert bench.fingerprint() == before


@pytest.mark.parametrize("state", [state for state in STATES if state != "completed"])
def test_an_event_whose_guards_do_not_hold_changes_nothing_either(state: str) -> None:
    bench = REACH[state]()
    guarded = [event for source, event, guards, _ in EDGES if source == state and guards]
    before = bench.fingerprint()
    for event in guarded:
        bench.machine.engine.send(event)
        assert bench.fingerprint() == before, event


def test_nothing_leads_out_of_completed_and_facts_go_on_being_booked() -> None:
    bench = completed()
    begun = len(bench.results)
    for happen in (show_book, stop, pass_limit, outlive_the_data):
        happen(bench)
    assert bench.taken(begun) == []
    assert bench.context.base_position == 150

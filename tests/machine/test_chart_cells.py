"""Every (state, event) cell of the chart, against the lifecycle's table written out by hand.

A legal cell is driven by facts and services that make its guards true. An illegal one is sent to the engine in that
state, past the gate, and changes nothing.
"""

from __future__ import annotations

from functools import cache

import pytest

from mm_fsm.chart import definition_of
from mm_fsm.core.messages import PlaceOrder
from mm_fsm.machine.market_making import MarketMakingStateMachine
from tests.machine.bench import Bench
from tests.machine.driver import HAPPENINGS, SETTINGS, reach
from tests.machine.scripted import services

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
    | quotes_withdrawn | must_withdraw | idle
placing_orders monitoring_orders adjusting_spreads
    | operator_paused | operator_hold | idle
idle
    | checks_failed | checks_fail | error
idle
    | ready | ready_to_quote | calculating_spreads
calculating_spreads
    | spreads_calculated | | placing_orders
placing_orders
    | placing_continued | work_remains, not has_fills, not inventory_limit_passed | internal
placing_orders
    | orders_placed | wait_is_over | monitoring_orders
adjusting_spreads
    | adjusting_continued | work_remains, not has_fills, not inventory_limit_passed | internal
adjusting_spreads
    | spreads_adjusted | wait_is_over | monitoring_orders
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
    assert len(TARGET) + len(ILLEGAL) == 9 * 23
    for state in STATES:  # edges of one state are tried in the table's order
        assert [edge.event for edge in definition.edges_from(state)] == [e for s, e, _, _ in EDGES if s == state]


def test_every_event_of_the_chart_can_be_brought_about() -> None:
    events = {edge.event for edge in definition_of(MarketMakingStateMachine).edges}
    assert events == set(HAPPENINGS), "HAPPENINGS in tests/machine/driver.py says what brings each about: add or remove"


def test_commands_are_sent_and_every_other_event_fires_by_itself() -> None:
    commands = {edge.event for edge in definition_of(MarketMakingStateMachine).edges if edge.command}
    assert commands == {"error_execution", "stop"}


# -- what happens there --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "event"), TARGET)
def test_a_legal_cell_is_taken_when_its_guards_hold(state: str, event: str) -> None:
    driver = reach(state, **SETTINGS.get(event, {}))
    driver.take((state, event))
    leads_to = dict(zip(driver.way.edges, driver.way.targets, strict=True))
    assert leads_to[state, event] == TARGET[state, event]


@cache
def resting_in(state: str) -> Bench:
    """A machine in a state, and without any service that could be asked something."""
    bench = reach(state).bench
    bench.machine.services = services(spreads=None, orders=None, inventory=None, risk=None)
    return bench


@pytest.mark.parametrize(("state", "event"), ILLEGAL)
def test_an_illegal_cell_changes_nothing_and_asks_no_service(state: str, event: str) -> None:
    bench = resting_in(state)
    before = bench.fingerprint()
    bench.machine.engine.send(event)
    assert bench.state == state
    assert bench.fingerprint() == before


@pytest.mark.parametrize("state", [state for state in STATES if state != "completed"])
def test_an_event_whose_guards_do_not_hold_changes_nothing_either(state: str) -> None:
    bench = reach(state).bench
    guarded = [event for source, event, guards, _ in EDGES if source == state and guards]
    before = bench.fingerprint()
    for event in guarded:
        bench.machine.engine.send(event)
        assert bench.fingerprint() == before, event


def test_nothing_leads_out_of_completed_and_facts_go_on_being_booked() -> None:
    driver = reach("completed")
    bench, begun = driver.bench, len(driver.way.edges)
    bench.book()
    bench.stop()
    bench.deposit("50")
    bench.wait(20)
    assert driver.way.edges[begun:] == []
    assert bench.context.base_position == 150


@pytest.mark.parametrize(
    ("state", "settled_by"), [("placing_orders", "orders_placed"), ("adjusting_spreads", "spreads_adjusted")]
)
def test_fills_are_acted_on_before_anything_more_is_sent(state: str, settled_by: str) -> None:
    """A look at own trades finds one when the answers are overdue, after which there may be more to send."""
    driver = reach(state)
    bench, begun = driver.bench, len(driver.way.edges)
    bench.trade(bench.sent(PlaceOrder)[-1].client_order_id, "0.5")
    bench.later(bench.context.settings.request_timeout_seconds)
    bench.report_trades()
    assert driver.way.edges[begun : begun + 2] == [(state, settled_by), ("monitoring_orders", "fills_arrived")]


@pytest.mark.parametrize(
    ("state", "settled_by"), [("placing_orders", "orders_placed"), ("adjusting_spreads", "spreads_adjusted")]
)
def test_a_passed_limit_is_acted_on_before_anything_more_is_sent(state: str, settled_by: str) -> None:
    """50 units from outside, where about 20 are the limit, make the quotes stale, too."""
    driver = reach(state)
    bench, begun = driver.bench, len(driver.way.edges)
    bench.deposit("50")
    assert driver.way.edges[begun : begun + 2] == [(state, settled_by), ("monitoring_orders", "limit_passed")]
    assert bench.sent(PlaceOrder, len(bench.results) - 1) == []

"""Every edge of the market-making chart right after every edge that can come before it, by facts and services alone.

The few pairs that no step can bring about are named here with the reason, and again in pytest's setting
``fsm_exclude``, where the coverage of this suite fails when one of them is seen after all.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from mm_fsm.books.facts import TradingStatusChanged
from mm_fsm.chart import definition_of
from mm_fsm.machine.market_making import MarketMakingStateMachine
from tests.machine.bench import SYMBOL
from tests.machine.driver import SETTINGS, Driver, Edge, halt_without_rest, reach

EDGES = definition_of(MarketMakingStateMachine).edges


def is_impossible(before: Edge, after: Edge) -> bool:
    """What ``is_stopping``, once set, forbids; it is never taken back."""
    if before[1] in {"stop", "wind_down"}:  # they set it: a second stop is no command, and there is no next cycle
        return after[1] in {"stop", "next_cycle"}
    # A machine that is stopping is in INVENTORY_MANAGEMENT, ERROR or COMPLETED, so neither edge was taken while it was.
    return before[1] in {"limit_passed", "fills_handled"} and after[1] == "wound_down"


PAIRS = [
    ((one.source, one.event), (other.source, other.event))
    for one in EDGES
    for other in EDGES
    if one.target == other.source
]
POSSIBLE = [pair for pair in PAIRS if not is_impossible(*pair)]


def begin_halted(driver: Driver) -> None:
    """Trading is halted, so that quotes are priced and none is wanted; then a cycle begins."""
    bench = driver.bench
    bench.tell(TradingStatusChanged(received_at=bench.now, symbol=SYMBOL, trading=False))
    driver.take(("idle", "ready"))


def behind(edge: Edge, following: Edge) -> Driver:
    """A machine that has just taken an edge, in a situation in which the other one may follow."""
    changes = SETTINGS.get(edge[1], {}) | SETTINGS.get(following[1], {})
    if edge == ("error", "error_execution"):  # not by a stop, after which there would be no recovery
        driver = reach("inventory_management", **changes)
        driver.take(edge, by=halt_without_rest)
        return driver
    is_without_quotes = (edge[1], following[1]) == ("spreads_calculated", "orders_placed")  # else they are sent first
    driver = reach("idle" if is_without_quotes else edge[0], **changes)
    if is_without_quotes:
        begin_halted(driver)
    if edge[1] == "manage_again" and following[1] == "wound_down":
        driver.bench.stop()
    driver.take(edge)
    return driver


def test_the_chart_has_as_many_pairs_as_counted_by_hand() -> None:
    """Edges into a state times edges out of it.

    ERROR 17 x 6, IDLE 9 x 6, CALCULATING 1 x 4, PLACING 2 x 7, MONITORING 2 x 8, ADJUSTING 2 x 7, FILLED 1 x 4,
    INVENTORY 12 x 6. Impossible are next_cycle and stop after 9 edges, wound_down after 2.
    """
    assert len(PAIRS) == 102 + 54 + 4 + 14 + 16 + 14 + 4 + 72
    assert len(PAIRS) - len(POSSIBLE) == 2 * 9 + 2


@pytest.mark.parametrize(("before", "after"), POSSIBLE, ids=".".join)
def test_an_edge_is_taken_right_after_another(before: Edge, after: Edge) -> None:
    driver = behind(before, after)
    driver.take(after)
    assert (before, after) in pairwise(driver.way.edges)

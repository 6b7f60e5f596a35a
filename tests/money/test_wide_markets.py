"""An order that may take no further than ``max_slippage_bps`` rests in a market that is wider, and the status says so.

The book is 99.75 to 100.25: a half-spread of 25 bps around 100.00, where ``max_slippage_bps`` is 20. A sale within 20
bps asks for 99.80 at least, which nobody pays.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mm_fsm.core.messages import PlaceOrder, Side, TimeInForce
from mm_fsm.core.settings import AdjustmentPolicy
from tests.machine.bench import Bench, settings_with

BID, ASK = Side.BID, Side.ASK
WIDE = ("99.75", "100.25")
NARROW = ("99.99", "100.01")
SAYS = "half the market's spread is 25.0 bps, max_slippage_bps is 20"


def winding_down(**changes: Any) -> Bench:
    """A machine one unit long that has been asked to stop, its passive time over, in a wide market."""
    values = {"wind_down_passive_seconds": 10.0, "wind_down_deadline_seconds": 120.0, "max_slippage_bps": 20.0}
    bench = Bench(settings_with(**(values | changes))).start_quoting()
    bench.fills_reducing_orders = False
    bench.fill(bench.live(BID)[0])
    bench.settle()
    bench.book(*WIDE)
    bench.settle()
    bench.stop()
    bench.settle()
    bench.run(9)
    bench.run(2)
    return bench


def reducing(bench: Bench) -> list[PlaceOrder]:
    return [order.intent for order in bench.orders.values() if order.is_open and order.intent.side is ASK]


def test_the_wind_down_rests_and_the_status_says_why() -> None:
    """One order that waits, not one every few seconds that nobody can take."""
    bench = winding_down()
    begun = len(bench.results)
    bench.run(60)
    (order,) = reducing(bench)
    assert (order.price, order.post_only) == (Decimal("100.25"), True)
    assert bench.sent(PlaceOrder, begun) == []
    assert bench.context.sides[BID].status.detail == f"asked; {SAYS}: the wind-down waits passively"


def test_once_the_market_is_narrow_again_it_takes_within_the_slippage() -> None:
    bench = winding_down()
    bench.run(5)
    bench.book(*NARROW)
    begun = len(bench.results)
    bench.run_until(lambda: bench.state == "completed", 30)
    (taking,) = bench.sent(PlaceOrder, begun)
    assert taking.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
    assert taking.price == Decimal("99.80")
    assert bench.context.inventory_offset == 0


def test_the_deadline_ends_it_without_success_and_nothing_rests() -> None:
    bench = winding_down()
    bench.run(130)
    assert bench.state == "completed"
    assert not bench.machine.result().success
    assert not any(order.is_open for order in bench.orders.values())


def test_an_adjustment_that_may_take_rests_too_and_says_so() -> None:
    """The same rule where a passed limit asks for ``limit`` orders: 50 more than about 20."""
    bench = Bench(settings_with(adjustment_policy=AdjustmentPolicy.LIMIT)).start_quoting()
    bench.fills_reducing_orders = False
    bench.book(*WIDE)
    bench.settle()
    bench.deposit("50")
    bench.settle()
    bench.run(5)
    (order,) = reducing(bench)
    assert order.post_only
    assert bench.context.sides[BID].status.detail == f"the position is being reduced; {SAYS}: the order waits passively"


def test_an_adjustment_that_never_takes_has_nothing_to_say() -> None:
    bench = Bench(settings_with(adjustment_policy=AdjustmentPolicy.PASSIVE)).start_quoting()
    bench.fills_reducing_orders = False
    bench.book(*WIDE)
    bench.deposit("50")
    bench.settle()
    bench.run(5)
    assert bench.context.sides[BID].status.detail == "the position is being reduced"

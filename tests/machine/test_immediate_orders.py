"""An order that trades at once or not at all, whose end goes unheard."""

from __future__ import annotations

from mm_fsm.core.messages import OrderPurpose, PlaceOrder, QueryOrder, TimeInForce
from mm_fsm.core.settings import AdjustmentPolicy
from tests.machine.test_rejections import quoting


def test_the_end_of_an_adjustment_that_goes_unheard_is_asked_for_within_seconds() -> None:
    """The venue takes the order and falls silent about it; everything else goes on. The position waits for it."""
    bench, _, _ = quoting(adjustment_policy=AdjustmentPolicy.LIMIT, adjustment_retry_seconds=1.0)
    bench.deposit("30")
    taken, asked = dict[str, int](), dict[str, int]()
    for _ in range(100):
        while bench.outbox:
            bench.later(0.001)
            intent = bench.outbox.popleft()
            if isinstance(intent, PlaceOrder) and intent.purpose is OrderPurpose.ADJUSTMENT and not taken:
                assert intent.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL
                taken[intent.client_order_id] = bench.now
                bench.acknowledge(intent.client_order_id)
                continue
            if isinstance(intent, QueryOrder):
                asked.setdefault(intent.client_order_id, bench.now)
            bench.answer(intent)
        bench.later(0.1)
        bench.book()
    ((order_id, at),) = taken.items()
    assert 2.0 <= (asked[order_id] - at) / 1e9 <= 2.3  # query_interval_seconds, and how far the bench's clock jumps

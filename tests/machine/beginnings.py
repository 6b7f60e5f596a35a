"""Benches that stand where tests of what comes next begin."""

from __future__ import annotations

from mm_fsm.core.messages import PlaceOrder, Side
from tests.machine.bench import Bench, settings_with
from tests.strategies import EXACT_QUOTES

BID, ASK = Side.BID, Side.ASK


def placing(**changes: object) -> tuple[Bench, str, str]:
    """A machine whose first bid and ask have just been sent and not been answered."""
    bench = Bench(settings_with(**changes))
    while not bench.sent(PlaceOrder):
        bench.settle()
        bench.later(1)
        bench.book()
    bench.outbox.clear()
    (bid,), (ask,) = bench.live(BID), bench.live(ASK)
    assert bench.state == "placing_orders"
    return bench, bid, ask


def quoting(**changes: object) -> tuple[Bench, str, str]:
    """A machine with one bid and one ask resting."""
    bench = Bench(settings_with(**changes)).start_quoting()
    (bid,), (ask,) = bench.live(BID), bench.live(ASK)
    return bench, bid, ask


def cancelling() -> tuple[Bench, str]:
    """A machine that has just asked to cancel its bid, after a move of the market."""
    bench, bid, _ = quoting(**EXACT_QUOTES)
    bench.outbox.clear()
    bench.later(0.1)
    bench.book("99.49", "99.51")
    assert bench.own(bid).cancel_in_flight
    bench.outbox.clear()
    return bench, bid

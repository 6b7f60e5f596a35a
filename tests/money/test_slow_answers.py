"""A venue that answers late, twice or never must not keep the other orders in a market that has moved on.

A bid and an ask at 10 bps around 100.00: each some 5 bps from the middle. The slow request is always the bid's.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from mm_fsm.books.facts import AccountFeedLost, CancelRefused, OrderCanceled, OrderRejected
from mm_fsm.core.messages import CancelOrder, PlaceOrder, RejectionCode, RequestKind, Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from tests.machine.bench import SYMBOL, Bench, settings_with
from tests.machine.scripted import ScriptedRisk, fault, services
from tests.strategies import EXACT_QUOTES

BID, ASK = Side.BID, Side.ASK
SETTINGS = settings_with(**EXACT_QUOTES, stale_data_seconds=4.0)
"""Data is old before the five seconds are over for which an answer is waited for."""
DOWN = ("98.99", "99.01")
"""The market a hundred basis points lower: a bid near 99.95 is now far above it."""


def slow_placement() -> Bench:
    """The ask has been taken and rests; nothing has been heard of the bid."""
    bench = Bench(SETTINGS, services=services(risk=ScriptedRisk()))
    while bench.state != "placing_orders":
        bench.settle()
        bench.later(1)
        bench.book()
    return answer_all_but_the_bid(bench)


def slow_cancel() -> Bench:
    """The market rose, and both orders follow it: all is answered but the cancel of the first bid."""
    bench = Bench(SETTINGS, services=services(risk=ScriptedRisk())).start_quoting()
    bench.later(1)
    bench.book("100.02", "100.04")
    cancels = bench.sent(CancelOrder, len(bench.results) - 1)
    first_bid = next(each.client_order_id for each in cancels if bench.own(each.client_order_id).side is BID)
    while bench.outbox:
        intent = bench.outbox.popleft()
        if not (isinstance(intent, CancelOrder) and intent.client_order_id == first_bid):
            bench.later(0.001)
            bench.answer(intent)
    assert bench.state == "adjusting_spreads"
    return bench


def answer_all_but_the_bid(bench: Bench) -> Bench:
    while bench.outbox:
        intent = bench.outbox.popleft()
        if not (isinstance(intent, PlaceOrder) and intent.side is BID):
            bench.later(0.001)
            bench.answer(intent)
    assert bench.state == "placing_orders"
    return bench


SLOW = {"placement": slow_placement, "cancel": slow_cancel}


def cancelled_now(bench: Bench) -> set[str]:
    """Orders whose cancel left with the last step."""
    return {intent.client_order_id for intent in bench.sent(CancelOrder, len(bench.results) - 1)}


def staying(bench: Bench) -> set[str]:
    """Orders for which nobody asked to be let go."""
    return {order.client_order_id for order in bench.context.orders.live() if not order.cancel_in_flight}


# -- what is to be got rid of leaves at once -----------------------------------------------------------------------


@pytest.mark.parametrize("slow", SLOW)
def test_when_the_market_moves_every_order_is_cancelled_at_once(slow: str) -> None:
    """It had stood for the five seconds that an answer is waited for."""
    bench = SLOW[slow]()
    live = staying(bench)
    bench.later(0.1)
    bench.book(*DOWN)
    assert cancelled_now(bench) == live != set()


HOLDS: dict[str, Callable[[Bench], object]] = {
    "one side of the book is empty": lambda bench: bench.book(None),
    "the book is crossed": lambda bench: bench.book("100.10", "99.90"),
    "nobody quotes": lambda bench: bench.book(None, None),
    "the feed of own orders is lost": lambda bench: bench.tell(
        AccountFeedLost(received_at=bench.now, symbol=SYMBOL, reason="silent")
    ),
    "the data is old": lambda bench: bench.wait(3.9),
}


@pytest.mark.parametrize("slow", SLOW)
@pytest.mark.parametrize("hold", HOLDS)
def test_when_the_market_is_held_every_order_is_cancelled_at_once(slow: str, hold: str) -> None:
    bench = SLOW[slow]()
    live = staying(bench)
    begun = len(bench.results)
    bench.later(0.1)
    HOLDS[hold](bench)
    assert {intent.client_order_id for intent in bench.sent(CancelOrder, begun)} >= live != set()
    assert bench.sent(PlaceOrder, begun) == []


@pytest.mark.parametrize("slow", SLOW)
def test_a_kill_switch_does_not_wait_for_answers(slow: str) -> None:
    bench = SLOW[slow]()
    live = staying(bench)
    bench.machine.services.risk.cause = fault(transient=False)  # type: ignore[attr-defined]
    bench.later(0.1)
    bench.beat()
    assert bench.state == "error"
    assert cancelled_now(bench) == live != set()


@pytest.mark.parametrize("slow", SLOW)
def test_a_passed_limit_is_acted_on_at_once(slow: str) -> None:
    """50 units arrive from outside where about 20 are the limit; they are sold once nothing rests any more."""
    bench = SLOW[slow]()
    live = staying(bench)
    bench.later(0.1)
    bench.deposit("50")
    assert bench.state == "inventory_management"
    assert cancelled_now(bench) == live != set()
    assert bench.sent(PlaceOrder, len(bench.results) - 1) == []


@pytest.mark.parametrize("slow", SLOW)
def test_a_wind_down_begins_at_once_and_reaches_its_end(slow: str) -> None:
    bench = SLOW[slow]()
    bench.fill(bench.live(ASK)[-1])
    live = staying(bench)
    bench.later(0.1)
    bench.stop()
    assert bench.state == "inventory_management"
    assert cancelled_now(bench) == live
    bench.run_until(lambda: bench.state == "completed", 120)
    assert bench.context.inventory_offset == 0
    assert not any(order.is_open for order in bench.orders.values())


@pytest.mark.parametrize("slow", SLOW)
def test_a_fill_is_acted_on_at_once(slow: str) -> None:
    bench = SLOW[slow]()
    bench.later(0.1)
    begun = len(bench.results)
    bench.fill(bench.live(ASK)[-1])
    assert ("monitoring_orders", "fills_arrived") in bench.taken(begun)


@pytest.mark.parametrize(("name", "happens"), [("one-sided", lambda bench: bench.book(None)), ("deadline", None)])
def test_a_reducing_order_without_an_answer_is_taken_back_too(
    name: str, happens: Callable[[Bench], object] | None
) -> None:
    """A wind-down's order is on its way when the market becomes unsound, or when the wind-down's time is up."""
    changes = {"wind_down_passive_seconds": 1.0, "wind_down_deadline_seconds": 4.0, "adjustment_retry_seconds": 60.0}
    bench = Bench(settings_with(**EXACT_QUOTES, **changes), services=services(risk=ScriptedRisk())).start_quoting()
    bench.fill(bench.live(BID)[0])
    bench.settle()
    bench.stop()
    while bench.outbox:
        intent = bench.outbox.popleft()
        if not isinstance(intent, PlaceOrder):
            bench.later(0.001)
            bench.answer(intent)
    (reducing,) = bench.live()
    assert not bench.own(reducing).acknowledged
    bench.later(0.1)
    begun = len(bench.results)
    if happens is None:
        bench.wait(4)
    else:
        happens(bench)
    assert [intent.client_order_id for intent in bench.sent(CancelOrder, begun)] == [reducing], name


# -- one order where one is meant ----------------------------------------------------------------------------------


def may_rest(bench: Bench, side: Side) -> list[PlaceOrder]:
    """Orders that the venue may hold, or come to hold, whatever the machine believes."""
    return [order.intent for order in bench.orders.values() if order.intent.side is side and order.remaining]


@pytest.mark.parametrize("seconds", [0.1, 1.0, 4.0])
def test_no_second_bid_leaves_while_the_first_is_not_answered(seconds: float) -> None:
    """The market moves again and again; the bid's placement and its cancel are both on their way."""
    bench = slow_placement()
    for number in range(5):
        bench.later(seconds / 5)
        bench.book(str(Decimal("98.99") - number), str(Decimal("99.01") - number))
        for intent in [*bench.outbox]:
            if intent.client_order_id != bench.sent(PlaceOrder)[0].client_order_id:  # type: ignore[attr-defined]
                bench.outbox.remove(intent)
                bench.answer(intent)
    assert len(may_rest(bench, BID)) == 1
    assert bench.hold(BID) == "orders_in_flight"
    assert bench.context.orders.exposure(BID) == may_rest(bench, BID)[0].quantity


def test_a_bid_whose_cancel_is_not_answered_is_counted_and_replaced_once() -> None:
    """The replacement left with the cancel, as the worst case allows both; no third order joins them."""
    bench = slow_cancel()
    begun = len(bench.results)
    for number in range(5):
        bench.later(0.2)
        bench.book(str(Decimal("100.49") + number), str(Decimal("100.51") + number))
    assert [intent.side for intent in bench.sent(PlaceOrder, begun)].count(BID) == 0
    both = bench.context.orders.live(BID)
    assert len(both) == 2
    assert bench.context.orders.exposure(BID) == sum(order.quantity for order in both)


@pytest.mark.parametrize("slow", SLOW)
def test_quotes_are_back_as_soon_as_the_answer_has_come(slow: str) -> None:
    bench = SLOW[slow]()
    bench.later(0.1)
    bench.book(*DOWN)
    bench.later(0.5)
    begun = len(bench.results)
    for order in bench.context.orders.live():
        if not order.acknowledged:
            bench.acknowledge(order.client_order_id)
    for order in bench.context.orders.live():
        bench.confirm_cancel(order.client_order_id)
    bench.outbox = type(bench.outbox)(intent for intent in bench.outbox if isinstance(intent, PlaceOrder))
    bench.settle()
    assert {intent.side for intent in bench.sent(PlaceOrder, begun)} >= {BID}
    assert bench.holds() == {"bid": None, "ask": None}
    assert bench.context.active_bid_orders[0].price < 99


# -- answers that never come, come twice, or too late --------------------------------------------------------------


@pytest.mark.parametrize("slow", SLOW)
def test_an_answer_that_never_comes_is_looked_up_and_the_quotes_are_back(slow: str) -> None:
    """The order may have reached the venue, or not; what it knows decides."""
    bench = SLOW[slow]()
    bench.later(0.1)
    bench.book(*DOWN)
    bench.run_until(lambda: bench.holds() == {"bid": None, "ask": None}, 60)
    open_orders = [name for name, order in bench.orders.items() if order.is_open]
    assert sorted(open_orders) == sorted(bench.live())
    assert len(open_orders) == 2


def test_an_answer_after_the_time_for_it_is_over_settles_the_order() -> None:
    bench = slow_placement()
    bid = bench.live(BID)[0]
    bench.later(0.1)
    bench.book(*DOWN)
    bench.later(5.1)
    bench.beat()
    assert bench.own(bid).is_unknown
    bench.acknowledge(bid)
    bench.confirm_cancel(bid)
    bench.settle()
    bench.run_until(lambda: bench.holds() == {"bid": None, "ask": None}, 20)
    assert [order.is_open for order in bench.orders.values() if order.intent.side is BID] == [False, True]


@pytest.mark.parametrize("slow", SLOW)
def test_an_answer_that_comes_twice_places_one_order(slow: str) -> None:
    bench = SLOW[slow]()
    bid = next(order for order in bench.context.orders.live(BID) if order.is_request_outstanding).client_order_id
    bench.later(0.1)
    bench.book(*DOWN)
    begun = len(bench.results)
    for _ in range(2):
        bench.acknowledge(bid)
    for _ in range(2):
        bench.confirm_cancel(bid)
    bench.settle()
    assert [intent.side for intent in bench.sent(PlaceOrder, begun)].count(BID) == 1


def test_a_fill_before_the_answer_is_booked_and_its_order_is_not_placed_again() -> None:
    """The bid trades in a falling market before its acknowledgement; its cancel then finds nothing."""
    bench = slow_placement()
    bid = bench.live(BID)[0]
    bench.later(0.1)
    bench.book(*DOWN)
    bench.fill(bid)
    assert bench.context.inventory_offset == bench.orders[bid].filled
    bench.acknowledge(bid)
    bench.tell(bench.about(OrderCanceled, bid, exchange_time=bench.now, filled_quantity=bench.orders[bid].filled))
    bench.settle()
    bench.run(10)
    assert bench.context.inventory_offset == bench.orders[bid].filled
    assert len([order for order in bench.orders.values() if order.is_open and order.intent.side is BID]) <= 1


@pytest.mark.parametrize("slow", SLOW)
def test_a_lost_answer_holds_its_side_alone(slow: str) -> None:
    bench = SLOW[slow]()
    bid = next(order for order in bench.context.orders.live(BID) if order.is_request_outstanding).client_order_id
    bench.lose(bid, RequestKind.PLACE if slow == "placement" else RequestKind.CANCEL)
    begun = len(bench.results)
    bench.later(0.1)
    bench.book("100.49", "100.51")
    placed = bench.sent(PlaceOrder, begun)
    assert [intent.side for intent in placed] == [ASK]


def test_a_placement_that_was_dropped_because_of_its_cancel_holds_nothing() -> None:
    """It still waited for room, or for its record, when the market moved on: the next one may leave at once."""
    bench = slow_placement()
    bid = bench.live(BID)[0]
    bench.later(0.1)
    bench.book(*DOWN)
    begun = len(bench.results)
    bench.tell(bench.about(OrderRejected, bid, code=RejectionCode.RATE_LIMIT, reason="not sent"))
    bench.tell(bench.about(CancelRefused, bid, reason="not sent"))
    bench.outbox = type(bench.outbox)(each for each in bench.outbox if getattr(each, "client_order_id", "") != bid)
    bench.settle()
    assert [intent.side for intent in bench.sent(PlaceOrder, begun)].count(BID) == 1
    assert bench.holds() == {"bid": None, "ask": None}


def test_the_engine_agrees_with_the_table() -> None:
    """The edges that are taken while waiting are the chart's, whatever runs it."""
    for executor in ("table", "engine"):
        bench = Bench(settings_with(**EXACT_QUOTES))
        bench.machine = MarketMakingStateMachine(
            bench.context.settings, bench.context.instrument, bench.context.fees, bench.start, executor=executor
        )
        bench.watch = None
        while bench.state != "placing_orders":
            bench.settle()
            bench.later(1)
            bench.book()
        begun = len(bench.results)
        bench.later(0.1)
        bench.book(*DOWN)
        assert bench.taken(begun) == [("placing_orders", "placing_continued")]

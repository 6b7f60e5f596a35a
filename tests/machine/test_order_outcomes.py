"""Answers that do not come, and cancels: what the machine makes of them."""

from __future__ import annotations

from decimal import Decimal

from mm_fsm.books.facts import CancelRefused, MessageRefused, OrderNotFound, QueryFailed
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.core.messages import CancelOrder, PlaceOrder, QueryOrder, QueryOwnTrades, RequestKind
from tests.machine.beginnings import ASK, BID, cancelling, placing, quoting
from tests.machine.bench import SECOND, SYMBOL

# -- answers that do not come --------------------------------------------------------------------------------------


def test_a_placement_without_an_answer_becomes_unknown_is_asked_about_and_holds_its_side() -> None:
    bench, bid, ask = placing(request_timeout_seconds=5.0)
    bench.acknowledge(ask)
    assert bench.last.wake_at == bench.own(bid).placed_at + 5 * SECOND
    bench.later(4.9)
    bench.book()
    assert bench.own(bid).status is OrderStatus.PENDING_NEW
    result = bench.wake()
    assert bench.own(bid).status is OrderStatus.UNKNOWN
    assert [intent.client_order_id for intent in result.intents if isinstance(intent, QueryOrder)] == [bid]
    assert bench.state == "monitoring_orders"
    assert bench.hold(BID) == "unknown_order"
    assert bench.hold(ASK) is None
    count = len(bench.sent(PlaceOrder))
    for _ in range(40):  # held for as long as nobody knows: neither a time-out nor silence is an answer
        bench.later(0.5)
        bench.book()
    assert bench.own(bid).status is OrderStatus.UNKNOWN
    assert all(order.side is ASK for order in bench.sent(PlaceOrder)[count:])
    assert len(bench.sent(QueryOrder)) > 3


def test_an_unknown_order_found_open_goes_on_as_it_is() -> None:
    bench, bid, ask = placing()
    bench.acknowledge(ask)
    bench.lose(bid)
    bench.orders[bid].is_known = bench.orders[bid].is_open = True
    bench.report(bid)
    assert bench.own(bid).status is OrderStatus.OPEN
    assert bench.holds() == {"bid": None, "ask": None}


def test_an_unknown_order_that_filled_is_settled_by_its_trades() -> None:
    bench, bid, ask = placing()
    bench.acknowledge(ask)
    bench.lose(bid)
    bench.trade(bid)
    bench.outbox.clear()
    result = bench.report(bid)
    assert any(isinstance(intent, QueryOwnTrades) for intent in result.intents)
    assert bench.context.inventory_offset == 0
    assert bench.context.orders.has_unknown(BID)  # what filled is not in the books yet: the side stays held
    bench.report_trades()
    assert bench.own(bid).status is OrderStatus.FILLED
    assert bench.context.inventory_offset == bench.own(bid).quantity


def test_an_order_nobody_finds_is_rejected_only_after_the_validity_window_and_two_clean_looks() -> None:
    bench, bid, ask = placing(validity_window_seconds=30.0, query_interval_seconds=2.0)
    placed_at = bench.now
    bench.acknowledge(ask)
    bench.lose(bid)
    looks = 0
    while bench.own(bid).status is OrderStatus.UNKNOWN:
        assert bench.now < placed_at + 60 * SECOND
        bench.settle()
        bench.later(0.25)
        bench.book()
        looks = sum(isinstance(result.fact, OrderNotFound) for result in bench.results)
    assert bench.own(bid).status is OrderStatus.REJECTED
    assert bench.now > placed_at + 32 * SECOND  # the window, and the interval between the two looks
    late = [r for r in bench.results if isinstance(r.fact, OrderNotFound) and r.time >= placed_at + 30 * SECOND]
    assert len(late) == 2
    assert looks > 2


def test_one_clean_look_that_is_delivered_twice_counts_once() -> None:
    bench, bid, ask = placing(validity_window_seconds=30.0)
    bench.acknowledge(ask)
    bench.lose(bid)
    bench.wait(31)
    look = bench.about(OrderNotFound, bid, exchange_time=bench.now)
    bench.tell(look)
    bench.tell(look)
    bench.tell(look)
    assert bench.own(bid).status is OrderStatus.UNKNOWN


def test_a_look_from_before_the_end_of_the_window_that_arrives_after_it_does_not_count() -> None:
    """The placement may have reached the venue between the look and its arrival here."""
    bench, bid, ask = placing(validity_window_seconds=30.0, request_timeout_seconds=5.0, query_interval_seconds=2.0)
    placed_at = bench.now
    bench.acknowledge(ask)
    bench.lose(bid)
    bench.wait(29.9)
    early = [query.question_id for query in bench.sent(QueryOrder)]
    bench.wait(0.2)
    for question_id in early[-4:]:
        bench.tell(bench.about(OrderNotFound, bid, exchange_time=bench.now, question_id=question_id))
        assert bench.now >= placed_at + 30 * SECOND
        bench.wait(2)
    assert bench.own(bid).status is OrderStatus.UNKNOWN


def test_an_order_that_traded_in_part_and_is_not_found_was_cancelled() -> None:
    bench, bid, _ = quoting(validity_window_seconds=6.0)
    bench.fill(bid, "0.4")
    bench.lose(bid, RequestKind.CANCEL)
    bench.tell(MessageRefused(received_at=bench.now, reason="garbled", client_order_id=bid))
    assert bench.own(bid).status is OrderStatus.UNKNOWN
    for _ in range(30):
        bench.later(0.5)
        bench.book()
        if bench.last.intents and any(getattr(i, "client_order_id", "") == bid for i in bench.last.intents):
            bench.tell(bench.about(OrderNotFound, bid, exchange_time=bench.now))
    assert bench.own(bid).status is OrderStatus.CANCELED
    assert bench.own(bid).filled_quantity == Decimal("0.4")


def test_a_failed_query_is_asked_again_after_a_while() -> None:
    bench, bid, ask = placing(query_interval_seconds=2.0)
    bench.acknowledge(ask)
    bench.lose(bid)
    asked = len(bench.sent(QueryOrder))
    bench.tell(QueryFailed(received_at=bench.now, symbol=SYMBOL, request=RequestKind.QUERY_ORDER, client_order_id=bid))
    bench.wait(1.9)
    assert len(bench.sent(QueryOrder)) == asked
    bench.wait(0.2)
    assert len(bench.sent(QueryOrder)) == asked + 1


def test_a_late_time_out_says_nothing_about_an_order_that_was_acknowledged() -> None:
    bench, bid, _ = quoting()
    bench.lose(bid, RequestKind.PLACE)
    assert bench.own(bid).status is OrderStatus.OPEN


# -- cancels -------------------------------------------------------------------------------------------------------


def test_a_refused_cancel_is_a_question_not_an_answer() -> None:
    bench, bid = cancelling()
    result = bench.tell(bench.about(CancelRefused, bid, reason="unknown order"))
    assert bench.own(bid).status is OrderStatus.UNKNOWN
    assert [intent.client_order_id for intent in result.intents if isinstance(intent, QueryOrder)] == [bid]
    assert bench.context.orders.has_unknown(BID)


def test_a_cancel_that_was_refused_because_the_order_filled_leads_to_its_trades() -> None:
    bench, bid = cancelling()
    bench.trade(bid)
    bench.tell(bench.about(CancelRefused, bid, reason="filled"))
    bench.settle()
    assert bench.own(bid).status is OrderStatus.FILLED
    assert bench.context.base_position == 100 + bench.own(bid).quantity


def test_a_cancel_without_an_answer_is_unknown_and_asked_for_again_once_the_order_is_found_open() -> None:
    bench, bid = cancelling()
    count = len(bench.sent(CancelOrder))
    while bench.own(bid).status is not OrderStatus.UNKNOWN:
        bench.later(0.5)
        bench.book()
    result = bench.report(bid)
    assert [intent.client_order_id for intent in result.intents if isinstance(intent, CancelOrder)] == [bid]
    assert bench.own(bid).cancel_in_flight
    assert len(bench.sent(CancelOrder)) == count + 1


def test_an_order_found_open_while_its_cancel_is_in_flight_is_not_taken_for_a_quote() -> None:
    """A cancel is sent for an UNKNOWN order; the query's answer overtakes the cancel's."""
    bench, bid, _ = quoting()
    bench.tell(MessageRefused(received_at=bench.now, reason="garbled", client_order_id=bid))
    bench.stop(flatten=False)
    assert bench.own(bid).status is OrderStatus.UNKNOWN
    assert bench.own(bid).cancel_in_flight
    bench.report(bid)
    assert bench.own(bid).status is OrderStatus.PENDING_CANCEL
    assert bench.hold(BID) == "stopping"


def test_a_fill_is_faster_than_the_cancel() -> None:
    bench, bid = cancelling()
    bench.fill(bid, "0.3")
    assert bench.own(bid).status is OrderStatus.PENDING_CANCEL
    assert bench.own(bid).cancel_in_flight
    bench.confirm_cancel(bid)
    assert bench.own(bid).status is OrderStatus.CANCELED
    assert bench.own(bid).filled_quantity == Decimal("0.3")


def test_an_acknowledgement_after_a_fill_changes_nothing_but_the_id() -> None:
    bench, bid, _ = placing(skew_price_factor=0.0)  # a fill that moves the quotes would cancel it
    bench.fill(bid, "0.01")
    bench.acknowledge(bid)
    assert bench.own(bid).status is OrderStatus.PARTIALLY_FILLED
    assert bench.own(bid).venue_order_id == f"venue-{bid}"
    assert bench.own(bid).answer_due is None

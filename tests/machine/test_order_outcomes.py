"""What the venue answers about an order, or fails to answer, and what the machine makes of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve

from mm_fsm.core.messages import (
    CancelOrder,
    CancelRefused,
    MessageRefused,
    OrderAcknowledged,
    OrderCanceled,
    OrderNotFound,
    OrderStatusReported,
    OwnTradesReported,
    PlaceOrder,
    QueryBalances,
    QueryFailed,
    QueryOrder,
    QueryOwnTrades,
    RejectionCode,
    ReportedStatus,
    RequestKind,
    Side,
)
from mm_fsm.core.order_lifecycle import OrderStatus
from tests.machine.bench import SECOND, SYMBOL, Bench, settings_with

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


# -- rejections ----------------------------------------------------------------------------------------------------


def test_a_post_only_rejection_is_repriced_a_bounded_number_of_times_and_then_the_side_is_held() -> None:
    bench, bid, ask = placing(post_only_retries=3, post_only_hold_seconds=10.0)
    bench.acknowledge(ask)
    for attempt in range(3):
        bench.later(0.01)
        result = bench.reject(bid, RejectionCode.POST_ONLY)
        assert [intent.side for intent in result.intents if isinstance(intent, PlaceOrder)] == [BID], attempt
        (bid,) = bench.live(BID)
    held_at = bench.now
    result = bench.reject(bid, RejectionCode.POST_ONLY)
    assert not [intent for intent in result.intents if isinstance(intent, PlaceOrder)]
    assert bench.hold(BID) == "post_only_rejections"
    assert bench.hold(ASK) is None
    bench.outbox.clear()
    bench.run_until(lambda: bool(bench.live(BID)), 12, step=0.5)
    assert bench.now >= held_at + 10 * SECOND
    assert bench.context.faults_noted == 0


def test_an_order_that_rests_ends_the_run_of_post_only_rejections() -> None:
    bench, bid, ask = placing(post_only_retries=1)
    bench.acknowledge(ask)
    bench.reject(bid, RejectionCode.POST_ONLY)
    (bid,) = bench.live(BID)
    bench.acknowledge(bid)
    assert bench.context.sides[BID].post_only_rejections == 0
    assert bench.hold(BID) is None


def test_a_rejection_for_funds_holds_the_side_and_asks_for_balances() -> None:
    bench, bid, ask = placing()
    bench.acknowledge(ask)
    result = bench.reject(bid, RejectionCode.INSUFFICIENT_FUNDS)
    assert any(isinstance(intent, QueryBalances) for intent in result.intents)
    assert bench.hold(BID) == "funds"
    bench.settle()
    bench.run(9)
    assert not bench.live(BID)
    bench.run_until(lambda: bench.hold(BID) is None, 8)
    assert bench.context.faults_noted == 0


@pytest.mark.parametrize("code", [RejectionCode.RATE_LIMIT, RejectionCode.NOT_TRADING])
def test_rejections_that_pass_hold_the_side_for_a_while_and_are_no_fault(code: RejectionCode) -> None:
    bench, bid, ask = placing()
    bench.acknowledge(ask)
    for _ in range(8):
        rejected_at = bench.now
        bench.reject(bid, code)
        assert bench.hold(BID) == "rejected_by_venue"
        while not bench.live(BID):
            assert bench.now < rejected_at + 11 * SECOND
            bench.later(0.5)
            bench.book()
        (bid,) = bench.live(BID)
    assert bench.context.faults_noted == 0


def test_placements_refused_again_and_again_are_a_fault_that_is_retried() -> None:
    bench, bid, ask = placing(max_rejections_in_a_row=3, rejection_hold_seconds=1.0, refresh_interval_seconds=1.0)
    bench.acknowledge(ask)
    for _ in range(2):
        bench.reject(bid, RejectionCode.FILTER)
        while not bench.live(BID):
            bench.later(0.5)
            bench.book()
        (bid,) = bench.live(BID)
    result = bench.reject(bid, RejectionCode.FILTER)
    assert [fault.code for fault in result.faults] == ["venue"]
    assert bench.state == "error"
    bench.run_until(lambda: bench.holds() == {"bid": None, "ask": None}, 30)


def test_a_short_hold_does_not_end_a_longer_one() -> None:
    """Held for 60 s for want of funds; 1 s later rubbish about the side arrives, which alone would hold it for 5 s."""
    bench, bid, ask = placing(funds_hold_seconds=60)
    bench.acknowledge(ask)
    bench.reject(bid, RejectionCode.INSUFFICIENT_FUNDS)
    bench.run(1)
    bench.tell(MessageRefused(received_at=bench.now, reason="rubbish", side=BID))
    bench.run(50)
    assert bench.hold(BID) == "funds"
    bench.run(15)
    assert bench.hold(BID) is None


def test_a_duplicate_id_is_no_rejection_but_a_question() -> None:
    """The venue has an order of that id: perhaps the one just sent, whose first answer went astray."""
    bench, bid, ask = placing()
    bench.acknowledge(ask)
    result = bench.tell(bench.about(_rejected(), bid, code=RejectionCode.DUPLICATE, reason="seen before"))
    assert bench.own(bid).status is OrderStatus.UNKNOWN
    assert [type(intent) for intent in result.intents] == [QueryOrder]
    bench.orders[bid].is_known = bench.orders[bid].is_open = True
    bench.report(bid)
    assert bench.own(bid).status is OrderStatus.OPEN
    assert bench.hold(BID) is None


def _rejected() -> type:
    from mm_fsm.core.messages import OrderRejected

    return OrderRejected


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
    early = bench.now
    bench.wait(0.2)
    for _ in range(4):
        bench.tell(bench.about(OrderNotFound, bid, exchange_time=early))
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


def cancelling() -> tuple[Bench, str]:
    """A machine that has just asked to cancel its bid, after a move of the market."""
    bench, bid, _ = quoting(requote_tolerance_share=0.0)
    bench.outbox.clear()
    bench.later(0.1)
    bench.book("99.49", "99.51")
    assert bench.own(bid).cancel_in_flight
    bench.outbox.clear()
    return bench, bid


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
    bench, bid, _ = placing()
    bench.fill(bid, "0.3")
    bench.acknowledge(bid)
    assert bench.own(bid).status is OrderStatus.PARTIALLY_FILLED
    assert bench.own(bid).venue_order_id == f"venue-{bid}"
    assert bench.own(bid).answer_due is None


# -- fills that are missing ----------------------------------------------------------------------------------------


def test_a_cancel_confirmed_with_more_filled_than_was_told_keeps_the_side_held_and_asks_for_trades() -> None:
    bench, bid = cancelling()
    bench.trade(bid, "0.4")
    result = bench.confirm_cancel(bid)
    assert any(isinstance(intent, QueryOwnTrades) for intent in result.intents)
    assert bench.context.orders.has_unknown(BID)
    assert bench.context.orders.exposure(BID) >= Decimal("0.4")
    placed = len([order for order in bench.sent(PlaceOrder) if order.side is BID])
    for _ in range(20):
        bench.later(0.5)
        bench.book()
    assert len([order for order in bench.sent(PlaceOrder) if order.side is BID]) == placed
    assert bench.hold(BID) == "unknown_order"
    bench.report_trades()
    assert bench.context.base_position == Decimal("100.4")
    bench.outbox.clear()
    bench.run_until(lambda: bench.hold(BID) is None, 60)


def test_fills_that_are_reported_missing_after_the_end_of_an_order_are_asked_for_too() -> None:
    """The cancel's answer did not say how much had traded; a query that was still under way does."""
    bench, bid = cancelling()
    bench.trade(bid, "0.4")
    bench.tell(bench.about(OrderCanceled, bid, exchange_time=bench.now, filled_quantity=Decimal(0)))
    assert bench.own(bid).status is OrderStatus.CANCELED
    begun = len(bench.results) - 1
    bench.tell(
        bench.about(
            OrderStatusReported, bid, status=ReportedStatus.CANCELED, filled_quantity=Decimal("0.4"),
            exchange_time=bench.now,
        )
    )  # fmt: skip
    assert bench.sent(QueryOwnTrades, begun)
    assert bench.context.orders.has_unknown(BID)
    bench.report_trades()
    assert bench.context.base_position == Decimal("100.4")
    assert not bench.context.orders.has_unknown(BID)


def test_a_live_order_that_traded_more_than_was_told_has_its_trades_looked_up() -> None:
    bench, bid, _ = quoting()
    bench.trade(bid, "0.4")
    result = bench.report(bid)
    assert any(isinstance(intent, QueryOwnTrades) for intent in result.intents)
    bench.report_trades()
    assert bench.own(bid).filled_quantity == Decimal("0.4")
    assert bench.own(bid).query_due is None


def test_a_fill_is_booked_once_however_often_and_wherever_it_is_told() -> None:
    bench, bid, _ = quoting()
    fill = bench.trade(bid, "0.4")
    for _ in range(3):
        bench.tell(fill)
        bench.tell(
            OwnTradesReported(received_at=bench.now, symbol=SYMBOL, fills=(fill, fill), since=0, until=bench.now)
        )
    assert bench.context.base_position == Decimal("100.4")
    assert bench.context.fill_count == 1
    assert bench.context.total_trades == 1


def test_a_known_trade_told_with_another_quantity_is_refused_and_the_side_is_held_until_the_venue_has_said() -> None:
    """The second message was wrong: the venue knows of 0.4 only, so that quoting goes on."""
    bench, bid, _ = quoting()
    fill = bench.trade(bid, "0.4")
    bench.tell(fill)
    bench.settle()
    wrong = evolve(fill, received_at=bench.now, quantity=Decimal("0.5"))
    assert bench.refuses(wrong) is not None
    begun = len(bench.results)
    bench.tell(MessageRefused(received_at=bench.now, reason="contradicts the books", client_order_id=bid))
    assert bench.hold(BID) == "unknown_order"
    assert [query.client_order_id for query in bench.sent(QueryOrder, begun)] == [bid]
    bench.run_until(lambda: bench.holds() == {"bid": None, "ask": None}, 20)
    assert bench.context.base_position == Decimal("100.4")


@pytest.mark.parametrize("is_told", [True, False])
def test_a_trade_id_that_a_second_order_uses_too_loses_no_fill_unnoticed(is_told: bool) -> None:
    """Two trades of one id: which is so, nobody can tell, but the venue holds 0.3 more than the books."""
    bench = Bench(settings_with(num_price_levels=2, reconcile_interval_seconds=20), is_watched=False).start_quoting()
    first, second = bench.live(BID)
    fill = bench.trade(first, "0.3")
    bench.tell(fill)
    other = bench.trade(second, "0.3", trade_id=fill.trade_id)
    if is_told:
        assert bench.refuses(other) is not None
        bench.tell(MessageRefused(received_at=bench.now, reason="contradicts the books", client_order_id=second))
        assert bench.hold(BID) == "unknown_order"
    bench.run(30)
    assert bench.holds() == {"bid": "reconciling", "ask": "reconciling"}
    assert any("booked with other terms" in reason for result in bench.results for reason in result.reasons)


def test_a_fill_after_the_confirmed_cancel_is_booked() -> None:
    bench, bid = cancelling()
    fill = bench.trade(bid, "0.4")
    bench.orders[bid].is_open = False
    bench.tell(bench.about(OrderCanceled, bid, exchange_time=bench.now, filled_quantity=Decimal(0)))
    bench.tell(fill)
    assert bench.context.base_position == Decimal("100.4")
    assert bench.own(bid).status is OrderStatus.CANCELED


# -- orders that come back -----------------------------------------------------------------------------------------


def finish(bench: Bench, order_id: str, how: str) -> None:
    """Let the machine believe that an order is out of the book."""
    if how == "rejected":
        bench.tell(bench.about(_rejected(), order_id, code=RejectionCode.OTHER))
        bench.tell(bench.about(OrderStatusReported, order_id, status=ReportedStatus.REJECTED, filled_quantity=None,
                               exchange_time=bench.now))  # fmt: skip
    elif how == "expired":
        bench.expire(order_id)
    elif how == "missing":
        bench.tell(bench.about(OrderCanceled, order_id, exchange_time=bench.now, filled_quantity=Decimal("0.1")))
    else:
        bench.tell(bench.about(OrderCanceled, order_id, exchange_time=bench.now, filled_quantity=Decimal(0)))


@pytest.mark.parametrize("how", ["rejected", "expired", "missing", "canceled"])
@pytest.mark.parametrize("state", ["monitoring_orders", "idle", "error", "inventory_management", "completed"])
def test_an_order_alive_again_after_its_end_is_cancelled_at_once_in_every_state(how: str, state: str) -> None:
    bench, bid, _ = quoting()
    if how == "rejected":
        bench.own(bid).acknowledged = False
    finish(bench, bid, how)
    if state == "completed" and how == "missing":
        bench.trade(bid, "0.1")
        bench.report_trades()
    _bring_to(bench, state)
    bench.outbox.clear()
    assert bench.state == state
    result = bench.tell(
        bench.about(
            OrderStatusReported, bid, status=ReportedStatus.OPEN, filled_quantity=bench.own(bid).filled_quantity,
            exchange_time=bench.now,
        )
    )  # fmt: skip
    assert [intent.client_order_id for intent in result.intents if isinstance(intent, CancelOrder)] == [bid]
    assert bench.own(bid).is_live
    assert bench.own(bid).cancel_in_flight
    bench.orders[bid].is_known, bench.orders[bid].is_open = True, False
    bench.outbox.clear()
    bench.tell(bench.about(OrderCanceled, bid, exchange_time=bench.now, filled_quantity=bench.own(bid).filled_quantity))
    assert not bench.own(bid).is_live


def _bring_to(bench: Bench, state: str) -> None:
    if state == "monitoring_orders":
        bench.settle()
    elif state == "idle":
        while bench.state != "idle":
            bench.later(1)
            bench.wait(0)
    elif state == "error":
        bench.context.rejections_in_a_row = 99
        bench.book()
    elif state == "inventory_management":
        bench.stop(flatten=False)
    elif state == "completed":
        bench.stop(flatten=False)
        bench.settle()


def test_an_acknowledgement_of_a_rejected_order_is_a_contradiction_and_the_order_is_cancelled() -> None:
    bench, bid, _ = placing()
    bench.reject(bid)
    result = bench.acknowledge(bid)
    assert [intent.client_order_id for intent in result.intents if isinstance(intent, CancelOrder)] == [bid]


# -- messages that made no sense -----------------------------------------------------------------------------------


def test_a_refused_message_about_an_order_holds_its_side_and_asks_the_venue() -> None:
    bench, bid, _ = quoting()
    begun = len(bench.results)
    bench.tell(MessageRefused(received_at=bench.now, reason="NaN", client_order_id=bid))
    assert bench.sent(QueryOrder, begun)
    assert bench.hold(BID) in {"bad_message", "unknown_order"}
    bench.wait(3)
    assert bench.sent(QueryBalances, begun)
    bench.run_until(lambda: bench.holds() == {"bid": None, "ask": None}, 30)


def test_a_refused_message_about_nobody_holds_both_sides_for_a_while() -> None:
    bench, bid, ask = quoting()
    bench.tell(MessageRefused(received_at=bench.now, reason="garbage"))
    assert bench.own(bid).cancel_in_flight
    assert bench.own(ask).cancel_in_flight
    bench.settle()
    assert bench.holds() == {"bid": "bad_message", "ask": "bad_message"}
    bench.run_until(lambda: bench.holds() == {"bid": None, "ask": None}, 30)


def test_a_refused_message_has_own_trades_looked_up_so_that_no_fill_is_lost_with_it() -> None:
    """The fill of an order that is finished was garbled; nothing else will speak of it again."""
    bench, bid = cancelling()
    bench.trade(bid, "0.4")
    bench.tell(bench.about(OrderCanceled, bid, exchange_time=bench.now))
    bench.tell(MessageRefused(received_at=bench.now, reason="NaN", client_order_id=bid))
    bench.run(15)
    assert bench.context.base_position == Decimal("100.4")


def test_an_acknowledgement_that_comes_twice_changes_nothing() -> None:
    bench, bid, _ = quoting()
    before = bench.own(bid).snapshot()
    bench.tell(bench.about(OrderAcknowledged, bid, venue_order_id=f"venue-{bid}", exchange_time=bench.now))
    assert bench.own(bid).snapshot() == before


def test_a_look_from_before_the_confirmed_cancel_that_arrives_after_it_does_not_revive_the_order() -> None:
    bench, bid = cancelling()
    look = bench.about(
        OrderStatusReported, bid, status=ReportedStatus.OPEN, filled_quantity=Decimal(0), exchange_time=bench.now
    )
    bench.later(0.1)
    bench.confirm_cancel(bid)
    bench.later(0.1)
    bench.tell(look)
    assert bench.own(bid).status is OrderStatus.CANCELED


def test_a_cancel_confirmed_without_a_quantity_leaves_the_order_unknown_until_a_query_tells() -> None:
    bench, bid = cancelling()
    begun = len(bench.results)
    bench.tell(bench.about(OrderCanceled, bid, exchange_time=bench.now, filled_quantity=None))
    assert bench.own(bid).status is OrderStatus.UNKNOWN
    assert bench.own(bid).exposure == bench.own(bid).quantity
    assert bench.sent(QueryOrder, begun)

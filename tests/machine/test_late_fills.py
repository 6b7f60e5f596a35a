"""Fills that are missing or come late, and orders that come back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve

from mm_fsm.books.facts import (
    MessageRefused,
    OrderCanceled,
    OrderRejected,
    OrderStatusReported,
    OwnTradesReported,
)
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.core.messages import (
    CancelOrder,
    PlaceOrder,
    QueryOrder,
    QueryOwnTrades,
    RejectionCode,
    ReportedStatus,
)
from tests.machine.beginnings import BID, cancelling, placing, quoting
from tests.machine.bench import SYMBOL, Bench, settings_with

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
    bench, bid, _ = quoting(requote_tolerance_away_share=1.0, requote_tolerance_towards_share=1.0)
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
        bench.tell(bench.about(OrderRejected, order_id, code=RejectionCode.OTHER))
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
        bench.wait(0)
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

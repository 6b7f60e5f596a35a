"""Placements that the venue refuses, and messages that made no sense."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from attrs import evolve

from mm_fsm.books.facts import (
    MessageRefused,
    OrderAcknowledged,
    OrderCanceled,
    OrderRejected,
    OrderStatusReported,
)
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.core.messages import OrderPurpose, PlaceOrder, QueryBalances, QueryOrder, RejectionCode, ReportedStatus
from mm_fsm.core.settings import AdjustmentPolicy
from tests.machine.beginnings import ASK, BID, cancelling, placing, quoting
from tests.machine.bench import SECOND

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


def test_a_key_that_may_not_trade_is_a_fault_that_no_retry_cures() -> None:
    """Five of them in a row are not waited for, and a recovery is not tried."""
    bench, bid, ask = placing(wind_down_on_fault=False)
    bench.acknowledge(ask)
    bench.reject(bid, RejectionCode.NOT_PERMITTED)
    assert bench.state == "error"
    bench.settle()
    bench.run(600)
    assert bench.state == "completed"
    assert "not_permitted" in str(bench.machine.result().error)


@pytest.mark.parametrize("code", [RejectionCode.RATE_LIMIT, RejectionCode.NOT_TRADING, RejectionCode.CLOCK])
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


def test_a_quote_that_is_said_to_have_met_nobody_is_held_and_counted_as_any_refused_one() -> None:
    """It waits in the book and need not meet anybody: the venue speaks of something else."""
    bench, bid, ask = placing()
    bench.acknowledge(ask)
    bench.reject(bid, RejectionCode.NOT_FILLED)
    assert bench.hold(BID) == "rejected_by_venue"
    assert bench.context.rejections_in_a_row == 1


def test_an_adjustment_that_met_nobody_is_tried_again_and_is_nobodys_fault() -> None:
    """Eight times, each a retry's time after the last: more than the five rejections that would be a fault."""
    bench, _, _ = quoting(adjustment_policy=AdjustmentPolicy.LIMIT, adjustment_retry_seconds=1.0)
    bench.deposit("30")
    times = []
    for _ in range(200):
        while bench.outbox:
            bench.later(0.001)
            intent = bench.outbox.popleft()
            if isinstance(intent, PlaceOrder) and intent.purpose is OrderPurpose.ADJUSTMENT:
                times.append(bench.now)
                bench.reject(intent.client_order_id, RejectionCode.NOT_FILLED)
                assert bench.context.sides[ASK].hold is None
            else:
                bench.answer(intent)
        bench.later(0.1)
        bench.book()
    assert len(times) >= 8
    assert all(later - earlier >= SECOND for earlier, later in pairwise(times))
    assert bench.context.faults_noted == 0
    assert bench.state == "inventory_management"


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
    result = bench.tell(bench.about(OrderRejected, bid, code=RejectionCode.DUPLICATE, reason="seen before"))
    assert bench.own(bid).status is OrderStatus.UNKNOWN
    assert [type(intent) for intent in result.intents] == [QueryOrder]
    bench.orders[bid].is_known = bench.orders[bid].is_open = True
    bench.report(bid)
    assert bench.own(bid).status is OrderStatus.OPEN
    assert bench.hold(BID) is None


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


def test_an_acknowledgement_that_comes_twice_changes_nothing_but_when_the_order_was_last_heard_of() -> None:
    bench, bid, _ = quoting()
    before = evolve(bench.own(bid))
    bench.tell(bench.about(OrderAcknowledged, bid, venue_order_id=f"venue-{bid}", exchange_time=bench.now))
    assert bench.own(bid).changed_at == bench.now > before.changed_at
    assert evolve(bench.own(bid), changed_at=before.changed_at, heard_at=before.heard_at) == before


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

"""When orders fill, by hand: prices in whole dollars, sizes in whole coins, every latency 1 ms."""

from decimal import Decimal

import pytest

from mm_fsm.books.facts import MarketBook, OrderExpired, OrderFilled, OrderRejected
from mm_fsm.core.messages import Liquidity, RejectionCode, Side
from mm_fsm.venues.paper import QueueModel
from tests.venues.paper.scenario import MILLISECOND, SYMBOL, Scenario, levels

BID, ASK = Side.BID, Side.ASK


def resting_bid(quantity: str = "3", queue: QueueModel = QueueModel.PESSIMISTIC) -> tuple[Scenario, str]:
    """A bid at 100 behind 5 others, in the book 100x5 99x8 / 102x4 103x6."""
    scenario = Scenario(queue=queue)
    scenario.book(0, "100x5 99x8", "102x4 103x6")
    order = scenario.place(1, BID, "100", quantity)
    scenario.settle(5)
    return scenario, order


def test_a_sell_below_the_bid_fills_it_at_its_own_price_whatever_the_queue() -> None:
    scenario, order = resting_bid("3")
    scenario.sell(10, "99", "2")
    scenario.sell(11, "98", "7")
    scenario.settle(20)
    assert scenario.fills() == [(order, "100", "2"), (order, "100", "1")]
    fill = next(fact for fact in scenario.facts if isinstance(fact, OrderFilled))
    assert fill.liquidity is Liquidity.MAKER
    assert (fill.exchange_time, fill.received_at) == (10 * MILLISECOND, 11 * MILLISECOND)


def test_a_buy_above_the_ask_fills_it_at_its_own_price() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5", "102x4")
    order = scenario.place(1, ASK, "102", "3")
    scenario.buy(10, "103", "5")
    scenario.settle(20)
    assert scenario.fills() == [(order, "102", "3")]


def test_a_sell_at_the_price_first_uses_up_the_queue_ahead() -> None:
    scenario, order = resting_bid("3")
    scenario.sell(10, "100", "2")  # queue 5 -> 3
    scenario.settle(15)
    assert scenario.queue_ahead(order) == 3
    assert scenario.fills() == []
    scenario.sell(20, "100", "4")  # 3 to the queue, 1 to us
    scenario.sell(21, "100", "10")  # the remaining 2
    scenario.settle(30)
    assert scenario.fills() == [(order, "100", "1"), (order, "100", "2")]
    assert scenario.open() == {}


def test_in_front_of_the_queue_the_same_trade_fills_at_once() -> None:
    scenario, order = resting_bid("3", QueueModel.FRONT)
    scenario.sell(10, "100", "2")
    scenario.settle(20)
    assert scenario.fills() == [(order, "100", "2")]


def test_a_buy_never_fills_a_bid() -> None:
    scenario, _ = resting_bid("3", QueueModel.FRONT)
    scenario.buy(10, "100", "9")
    scenario.buy(11, "98", "9")
    scenario.settle(20)
    assert scenario.fills() == []


def test_a_sell_above_the_bid_does_not_fill_it() -> None:
    scenario, _ = resting_bid("3", QueueModel.FRONT)
    scenario.sell(10, "101", "9")
    scenario.settle(20)
    assert scenario.fills() == []


def test_the_queue_ahead_is_never_more_than_what_is_displayed() -> None:
    scenario, order = resting_bid("3")
    scenario.book(10, "100x2 99x8", "102x4")  # 3 of the 5 ahead were cancelled
    assert scenario.queue_ahead(order) == 2
    scenario.book(11, "100x9 99x8", "102x4")  # those who come later stand behind
    assert scenario.queue_ahead(order) == 2
    scenario.book(12, "99x8", "102x4")  # nobody else at 100 any more
    assert scenario.queue_ahead(order) == 0


def test_an_order_that_improves_the_price_has_nothing_ahead() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5", "103x4")
    order = scenario.place(1, BID, "101", "2")
    scenario.settle(5)
    assert scenario.queue_ahead(order) == 0
    scenario.book(6, "101x7 100x5", "103x4")  # others join behind it
    scenario.sell(10, "101", "1")
    scenario.settle(20)
    assert scenario.fills() == [(order, "101", "1")]


def test_between_two_displayed_levels_nothing_is_ahead() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5 97x3", "103x4")
    order = scenario.place(1, BID, "99", "2")
    scenario.settle(5)
    assert scenario.queue_ahead(order) == 0


def test_behind_the_visible_book_everything_first_seen_there_is_ahead() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5 99x8", "102x4")
    order = scenario.place(1, BID, "95", "3")
    scenario.sell(10, "95", "50")  # how many stand ahead is not known, so this fills nobody
    scenario.settle(15)
    assert scenario.queue_ahead(order) is None
    assert scenario.fills() == []
    scenario.book(20, "96x1 95x7", "98x4")
    assert scenario.queue_ahead(order) == 7
    scenario.sell(21, "95", "8")
    scenario.settle(30)
    assert scenario.fills() == [(order, "95", "1")]


def test_behind_the_visible_book_a_sell_below_still_fills() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5 99x8", "102x4")
    order = scenario.place(1, BID, "95", "3")
    scenario.sell(10, "94", "2")
    scenario.settle(20)
    assert scenario.fills() == [(order, "95", "2")]


def test_the_best_ask_reaching_the_bid_fills_up_to_its_displayed_size_once() -> None:
    scenario, order = resting_bid("9")
    scenario.book(10, "99x8", "100x2 101x5")  # 2 displayed at our price
    scenario.book(11, "99x8", "100x2 101x5")  # the same 2
    scenario.book(12, "99x8", "100x3 101x5")  # 1 more
    scenario.book(13, "99x8", "100x1 101x5")  # fewer: what is left may be what we took
    scenario.book(14, "99x8", "100x3 101x5")  # 2 more
    scenario.settle(20)
    assert scenario.fills() == [(order, "100", "2"), (order, "100", "1"), (order, "100", "2")]


def test_a_level_that_went_away_and_came_back_is_new() -> None:
    scenario, order = resting_bid("9")
    scenario.book(10, "99x8", "100x2 101x5")
    scenario.book(11, "99x8", "101x5")
    scenario.book(12, "99x8", "100x2 101x5")
    scenario.settle(20)
    assert scenario.fills() == [(order, "100", "2"), (order, "100", "2")]


def test_every_ask_at_or_below_the_bid_fills_it_at_the_bids_price() -> None:
    scenario, order = resting_bid("9")
    scenario.book(10, "97x8", "98x1 99x2 101x5")
    scenario.settle(20)
    assert scenario.fills() == [(order, "100", "1"), (order, "100", "2")]


def test_a_displayed_ask_fills_the_better_own_bid_first_and_the_other_with_what_is_left() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5", "105x4")
    low = scenario.place(1, BID, "101", "3")
    high = scenario.place(2, BID, "102", "3")
    scenario.book(10, "100x5", "101x4")
    scenario.settle(20)
    assert scenario.fills() == [(high, "102", "3"), (low, "101", "1")]


def test_a_trade_is_shared_by_price_then_queue_then_time() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5 99x8", "105x4")
    first = scenario.place(1, BID, "100", "2")
    second = scenario.place(2, BID, "100", "2")
    better = scenario.place(3, BID, "101", "1")
    scenario.sell(10, "100", "7")  # 1 to the better price, 5 to the queue, 1 to the first
    scenario.settle(15)
    assert scenario.fills() == [(better, "101", "1"), (first, "100", "1")]
    scenario.sell(20, "100", "2")
    scenario.settle(30)
    assert scenario.fills()[2:] == [(first, "100", "1"), (second, "100", "1")]


def test_volume_that_joined_between_two_own_orders_trades_between_them() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5", "105x4")
    first = scenario.place(1, BID, "100", "2")
    scenario.book(5, "100x8", "105x4")  # 3 more join behind the first
    second = scenario.place(6, BID, "100", "2")  # 8 displayed ahead of it, besides our own
    scenario.sell(10, "100", "6")  # 5 to the queue, 1 to the first
    scenario.sell(11, "100", "3")  # 1 to the first, 2 of the 3 between
    scenario.settle(15)
    assert scenario.fills() == [(first, "100", "1"), (first, "100", "1")]
    assert scenario.queue_ahead(second) == 1
    scenario.sell(20, "100", "2")  # the last one between, then 1 to the second
    scenario.settle(30)
    assert scenario.fills()[2:] == [(second, "100", "1")]


def test_one_trade_passes_the_first_own_order_and_shortens_the_queue_of_the_second() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5", "105x4")
    first = scenario.place(1, BID, "100", "2")
    scenario.book(5, "100x8", "105x4")  # 3 more join behind the first
    second = scenario.place(6, BID, "100", "2")
    scenario.sell(10, "100", "9")  # 5 to the queue, 2 to the first, 2 of the 3 between
    scenario.settle(15)
    assert scenario.fills() == [(first, "100", "2")]
    assert scenario.queue_ahead(second) == 1


def test_a_crossing_order_takes_displayed_levels_at_their_prices_and_the_rest_rests() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5", "102x4 103x6 104x9")
    order = scenario.place(1, BID, "103", "12", post_only=False)
    scenario.settle(5)
    assert scenario.fills() == [(order, "102", "4"), (order, "103", "6")]
    taken = [fact for fact in scenario.facts if isinstance(fact, OrderFilled)]
    assert {fill.liquidity for fill in taken} == {Liquidity.TAKER}
    assert scenario.open()[order].filled_quantity == 10
    assert scenario.queue_ahead(order) == 0
    scenario.sell(10, "103", "1")
    scenario.settle(15)
    assert scenario.fills()[2:] == [(order, "103", "1")]
    last = scenario.facts[-2:]
    assert [fact.liquidity for fact in last if isinstance(fact, OrderFilled)] == [Liquidity.MAKER]


def test_what_an_immediate_order_cannot_take_expires_after_its_fills() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5 99x3", "102x4")
    order = scenario.place(1, ASK, "99", "10", post_only=False, immediate=True)
    assert [type(fact).__name__ for fact in scenario.own()] == [
        "OrderAcknowledged",
        "OrderFilled",
        "OrderFilled",
        "OrderExpired",
    ]
    assert scenario.fills() == [(order, "100", "5"), (order, "99", "3")]
    expired = scenario.own()[-1]
    assert isinstance(expired, OrderExpired)
    assert expired.filled_quantity == 8


def test_an_immediate_order_that_reaches_nobody_expires_unfilled() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5", "102x4")
    scenario.place(1, BID, "101", "1", post_only=False, immediate=True)
    expired = scenario.own()[-1]
    assert isinstance(expired, OrderExpired)
    assert expired.filled_quantity == 0


def test_two_takers_never_take_the_same_displayed_size() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5", "102x4")
    first = scenario.place(1, BID, "102", "3", post_only=False, immediate=True)
    second = scenario.place(2, BID, "102", "3", post_only=False, immediate=True)
    third = scenario.place(3, BID, "102", "3", post_only=False, immediate=True)
    scenario.settle(10)
    assert scenario.fills() == [(first, "102", "3"), (second, "102", "1")]
    assert third not in scenario.open()


def test_what_public_trades_took_is_gone_until_the_next_book() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5", "102x4 103x6")
    scenario.buy(2, "103", "2")  # 102 is gone, 4 of 6 are left at 103
    order = scenario.place(3, BID, "103", "9", post_only=False, immediate=True)
    scenario.settle(8)
    assert scenario.fills() == [(order, "103", "4")]
    scenario.book(10, "100x5", "103x8")  # 6 that we did not take before
    order = scenario.place(11, BID, "103", "9", post_only=False, immediate=True)
    scenario.settle(20)
    assert scenario.fills()[1:] == [(order, "103", "4")]


def test_no_latency_at_all_still_never_takes_from_the_snapshot_that_caused_the_order() -> None:
    scenario = Scenario(latency=0)
    scenario.book(10, "100x5", "102x4")
    order = scenario.place(10, BID, "102", "3", post_only=False, immediate=True)
    scenario.settle(10)
    assert scenario.fills() == []
    assert list(scenario.open()) == [order]
    scenario.sell(11, "101", "5")  # it does not rest yet, so nobody sells to it
    scenario.book(12, "100x5", "101x2 103x9")
    scenario.settle(12)
    assert scenario.fills() == [(order, "101", "2")]
    assert scenario.open() == {}


def test_another_snapshot_of_the_same_time_is_not_newer() -> None:
    scenario = Scenario(latency=0)
    scenario.book(10, "100x5", "102x4")
    order = scenario.place(10, BID, "102", "3", post_only=False)
    scenario.settle(10)
    same_time = MarketBook(
        received_at=10 * MILLISECOND,
        symbol=SYMBOL,
        bids=levels("100x5"),
        asks=levels("101x4"),
        exchange_time=10 * MILLISECOND,
    )
    scenario.exchange.on_market(same_time)
    scenario.settle(10.5)
    assert scenario.fills() == []
    scenario.book(11, "100x5", "101x4")
    scenario.settle(11)
    assert scenario.fills() == [(order, "101", "3")]


def test_a_waiting_order_that_is_cancelled_takes_nothing() -> None:
    scenario = Scenario(latency=0)
    scenario.book(10, "100x5", "102x4")
    order = scenario.place(10, BID, "102", "3", post_only=False)
    scenario.cancel(11, order)
    scenario.book(12, "100x5", "102x4")
    scenario.settle(12)
    assert scenario.fills() == []


def test_an_order_that_arrives_at_the_time_of_a_trade_is_too_late_for_it() -> None:
    scenario = Scenario(queue=QueueModel.FRONT)
    scenario.book(0, "100x5", "102x4")
    scenario.place(9, BID, "100", "1")  # arrives at 10 ms
    scenario.sell(10, "100", "5")
    scenario.settle(11)
    assert scenario.fills() == []


def test_an_order_that_arrives_just_before_a_trade_gets_it() -> None:
    scenario = Scenario(queue=QueueModel.FRONT)
    scenario.book(0, "100x5", "102x4")
    order = scenario.place(9, BID, "100", "1")
    scenario.sell(10.000001, "100", "5")
    scenario.settle(20)
    assert scenario.fills() == [(order, "100", "1")]


def test_a_market_that_moves_while_the_order_travels_turns_post_only_into_a_rejection() -> None:
    scenario = Scenario()
    scenario.book(0, "100x5", "102x4")
    scenario.place(9.5, BID, "101", "1")
    scenario.book(10, "99x5", "101x4")
    rejected = scenario.own()[-1]
    assert isinstance(rejected, OrderRejected)
    assert rejected.code is RejectionCode.POST_ONLY


def test_a_cancel_that_arrives_after_the_fill_is_refused_and_one_before_saves_the_order() -> None:
    late, order = resting_bid("3", QueueModel.FRONT)
    late.cancel(9.5, order)  # arrives at 10.5 ms
    late.sell(10, "100", "9")
    assert [type(fact).__name__ for fact in late.own()][-2:] == ["OrderFilled", "CancelRefused"]
    early, order = resting_bid("3", QueueModel.FRONT)
    early.cancel(8.5, order)
    early.sell(10, "100", "9")
    assert [type(fact).__name__ for fact in early.own()][-1:] == ["OrderCanceled"]
    assert early.fills() == []


def test_nothing_trades_while_the_market_is_halted() -> None:
    scenario, order = resting_bid("3")
    scenario.halt(10)
    scenario.book(11, "97x5", "98x9")
    scenario.sell(12, "98", "9")
    scenario.settle(15)
    assert scenario.fills() == []
    scenario.halt(20, trading=True)
    scenario.sell(21, "98", "9")
    scenario.settle(30)
    assert scenario.fills() == [(order, "100", "3")]


@pytest.mark.parametrize("queue", list(QueueModel))
def test_what_fills_with_a_queue_fills_no_later_in_front_of_it(queue: QueueModel) -> None:
    scenario, order = resting_bid("3", queue)
    for at in range(10, 18):
        scenario.sell(at, "100", "1")
    scenario.settle(30)
    expected = Decimal(3)  # 8 sold: 5 to the queue and 3 to us, or 3 to us at once
    assert sum(Decimal(quantity) for _, _, quantity in scenario.fills()) == expected
    first = next(fact for fact in scenario.facts if isinstance(fact, OrderFilled))
    assert first.exchange_time == (15 if queue is QueueModel.PESSIMISTIC else 10) * MILLISECOND
    assert scenario.open() == {}
    assert order == first.client_order_id

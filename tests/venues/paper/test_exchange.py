"""Requests, answers, times and refusals of the paper exchange."""

from decimal import Decimal

import attrs
import pytest

from mm_fsm.books.facts import (
    BalancesReported,
    CancelRefused,
    MarketBook,
    OrderAcknowledged,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderNotFound,
    OrderRejected,
    OrderStatusReported,
    OwnTradesReported,
    QueryFailed,
)
from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.messages import (
    CancelOrder,
    Intent,
    PlaceOrder,
    QueryBalances,
    QueryOwnTrades,
    RejectionCode,
    ReportedStatus,
    RequestKind,
    Side,
)
from mm_fsm.errors import FactRefusedError, SettingsError
from mm_fsm.venues.paper import PaperSettings, QueueModel
from tests.venues.paper.scenario import MILLISECOND, SYMBOL, Scenario, instrument, levels

BID, ASK = Side.BID, Side.ASK


def opened(**options: object) -> Scenario:
    """An exchange that shows 100x5 / 102x4."""
    scenario = Scenario(**options)  # type: ignore[arg-type]
    scenario.book(0, "100x5", "102x4")
    return scenario


def the_rejection(scenario: Scenario) -> RejectionCode:
    rejections = [fact for fact in scenario.own() if isinstance(fact, OrderRejected)]
    assert len(rejections) == 1
    return rejections[0].code


def test_every_message_takes_its_latency() -> None:
    scenario = Scenario(latency=0)
    scenario.exchange = Scenario(latency=3).exchange
    scenario.book(10, "100x5", "102x4")
    assert scenario.exchange.next_time() == 13 * MILLISECOND
    scenario.place(20, BID, "100", "1")
    assert scenario.facts[0].received_at == 13 * MILLISECOND
    assert scenario.exchange.next_time() == 23 * MILLISECOND
    acknowledged = scenario.settle(26)[-1]
    assert isinstance(acknowledged, OrderAcknowledged)
    assert (acknowledged.exchange_time, acknowledged.received_at) == (23 * MILLISECOND, 26 * MILLISECOND)
    assert scenario.exchange.next_time() is None


def test_market_facts_keep_what_they_say_and_are_stamped_on_receipt() -> None:
    scenario = Scenario(latency=2)
    scenario.book(10, "100x5", "102x4")
    (book,) = scenario.settle(12)
    assert isinstance(book, MarketBook)
    assert (book.exchange_time, book.received_at) == (10 * MILLISECOND, 12 * MILLISECOND)
    assert book.bids == levels("100x5")
    assert not book.includes_own_orders


def test_nothing_is_received_before_its_time() -> None:
    scenario = Scenario(latency=2)
    scenario.book(10, "100x5", "102x4")
    assert scenario.exchange.advance(12 * MILLISECOND - 1) == ()
    assert len(scenario.exchange.advance(12 * MILLISECOND)) == 1


def test_jitter_delays_but_never_reorders_and_is_the_same_for_the_same_seed() -> None:
    def received(seed: int) -> list[tuple[str, int]]:
        scenario = opened(latency_jitter_seconds=0.005, seed=seed)
        orders = [scenario.place(1 + at / 10, BID, "99", "1") for at in range(30)]
        scenario.settle()
        acknowledged = [fact for fact in scenario.own() if isinstance(fact, OrderAcknowledged)]
        assert [fact.client_order_id for fact in acknowledged] == orders
        assert all(fact.received_at >= fact.exchange_time + MILLISECOND for fact in acknowledged)
        return [(fact.client_order_id, fact.received_at) for fact in acknowledged]

    assert received(1) == received(1)
    assert received(1) != received(2)


def test_a_market_event_from_the_past_or_of_another_symbol_is_refused_and_changes_nothing() -> None:
    scenario = opened()
    scenario.settle(10)
    with pytest.raises(FactRefusedError, match=r"MarketBook.received_at: expected at least 10000000, found 9000000"):
        scenario.book(9, "50x1", "60x1")
    stranger = MarketBook(received_at=0, symbol="ETH/USD", bids=(), asks=(), exchange_time=20 * MILLISECOND)
    with pytest.raises(FactRefusedError, match="symbol"):
        scenario.exchange.on_market(stranger)
    assert scenario.exchange.next_time() is None


@pytest.mark.parametrize("price", ["100.5", "0", "-1", "NaN", "sNaN", "Infinity", "1E+40", "100.00000000000000000001"])
def test_a_price_that_is_no_price_on_the_grid_is_refused(price: str) -> None:
    scenario = opened()
    scenario.place(1, BID, price, "1")
    assert the_rejection(scenario) is RejectionCode.FILTER


@pytest.mark.parametrize("quantity", ["0.5", "0", "-1", "NaN", "-Infinity", "1E+40"])
def test_a_quantity_that_is_no_quantity_on_the_grid_is_refused(quantity: str) -> None:
    scenario = opened()
    scenario.place(1, BID, "100", quantity)
    assert the_rejection(scenario) is RejectionCode.FILTER


def test_a_float_is_refused_rather_than_computed_with() -> None:
    scenario = opened()
    intent = PlaceOrder(
        symbol=SYMBOL,
        client_order_id="float",
        side=BID,
        price=100.0,  # type: ignore[arg-type]
        quantity=1,  # type: ignore[arg-type]
        purpose="quote",  # type: ignore[arg-type]
        level=0,
    )
    scenario.exchange.submit(intent, MILLISECOND)
    assert the_rejection(scenario) is RejectionCode.FILTER


@pytest.mark.parametrize(("quantity", "taken"), [("1", False), ("2", False), ("3", True)])
def test_an_order_below_a_minimum_is_refused(quantity: str, *, taken: bool) -> None:
    # At 100: 1 is below the least quantity of 2, 2 is worth 200 and below the least notional of 300.
    scenario = opened(rules=instrument(minimum_quantity="2", minimum_notional="300"))
    scenario.place(1, BID, "100", quantity)
    if taken:
        assert isinstance(scenario.own()[0], OrderAcknowledged)
    else:
        assert the_rejection(scenario) is RejectionCode.FILTER


@pytest.mark.parametrize(("quantity", "taken"), [("4", True), ("5", False), ("6", False)])
def test_an_order_above_a_maximum_is_refused(quantity: str, *, taken: bool) -> None:
    # At 100: 5 is worth 500 and above the largest notional of 499, 6 is above the largest quantity too.
    scenario = opened(rules=instrument(maximum_quantity="5", maximum_notional="499"))
    scenario.place(1, BID, "100", quantity)
    if taken:
        assert isinstance(scenario.own()[0], OrderAcknowledged)
    else:
        assert the_rejection(scenario) is RejectionCode.FILTER


def test_an_unknown_symbol_is_refused_by_every_request() -> None:
    scenario = opened()
    order = scenario.place(1, BID, "99", "1")
    scenario.place(2, BID, "100", "1", symbol="ETH/USD")
    requests: tuple[Intent, ...] = (
        CancelOrder(symbol="ETH/USD", client_order_id=order, venue_order_id=None),
        QueryOwnTrades(symbol="ETH/USD", since=0),
        QueryBalances(symbol="ETH/USD"),
    )
    for request in requests:
        scenario.exchange.submit(request, 3 * MILLISECOND)
    answers = scenario.own()[1:]
    assert [type(answer) for answer in answers] == [OrderRejected, CancelRefused, QueryFailed, QueryFailed]
    failed = [answer.request for answer in answers if isinstance(answer, QueryFailed)]
    assert failed == [RequestKind.QUERY_OWN_TRADES, RequestKind.QUERY_BALANCES]
    assert order in scenario.open()


def test_before_the_first_book_nothing_is_taken() -> None:
    scenario = Scenario()
    scenario.place(1, BID, "100", "1")
    assert the_rejection(scenario) is RejectionCode.NOT_TRADING


def test_a_halted_market_refuses_placements_and_takes_cancels() -> None:
    scenario = opened()
    order = scenario.place(1, BID, "100", "1")
    scenario.halt(5)
    scenario.place(6, BID, "99", "1")
    scenario.cancel(7, order)
    assert [type(fact) for fact in scenario.own()] == [OrderAcknowledged, OrderRejected, OrderCanceled]
    assert the_rejection(scenario) is RejectionCode.NOT_TRADING


@pytest.mark.parametrize("end", ["open", "cancelled", "filled"])
def test_a_client_order_id_cannot_be_used_twice(end: str) -> None:
    scenario = opened()
    order = scenario.place(1, BID, "101", "1")
    if end == "cancelled":
        scenario.cancel(5, order)
    elif end == "filled":
        scenario.sell(5, "100", "1")
    scenario.place(10, BID, "101", "1", order_id=order)
    assert the_rejection(scenario) is RejectionCode.DUPLICATE


@pytest.mark.parametrize(
    ("side", "price", "taken"), [(BID, "101", True), (BID, "102", False), (ASK, "101", True), (ASK, "100", False)]
)
def test_a_post_only_order_that_would_take_is_refused(side: Side, price: str, *, taken: bool) -> None:
    scenario = opened()
    order = scenario.place(1, side, price, "1")
    if taken:
        scenario.settle(5)
        assert order in scenario.open()
    else:
        assert the_rejection(scenario) is RejectionCode.POST_ONLY


@pytest.mark.parametrize("post_only", [True, False])
def test_an_order_that_would_trade_with_an_own_order_is_refused(*, post_only: bool) -> None:
    scenario = Scenario()
    scenario.book(0, "100x5", "110x4")
    ask = scenario.place(1, ASK, "105", "1")
    scenario.place(2, BID, "105", "1", post_only=post_only)
    assert the_rejection(scenario) is (RejectionCode.POST_ONLY if post_only else RejectionCode.OTHER)
    assert list(scenario.open()) == [ask]


def test_a_cancel_says_what_had_traded() -> None:
    scenario = opened(queue=QueueModel.FRONT)
    order = scenario.place(1, BID, "100", "5")
    scenario.sell(5, "100", "2")
    scenario.cancel(6, order)
    canceled = scenario.own()[-1]
    assert isinstance(canceled, OrderCanceled)
    assert (canceled.filled_quantity, canceled.exchange_time) == (Decimal(2), 7 * MILLISECOND)


def test_a_cancel_of_an_unknown_or_finished_order_is_refused() -> None:
    scenario = opened()
    order = scenario.place(1, BID, "100", "5")
    scenario.cancel(5, order)
    scenario.cancel(6, order)
    scenario.cancel(7, "never-sent")
    assert [type(fact) for fact in scenario.own()] == [OrderAcknowledged, OrderCanceled, CancelRefused, CancelRefused]


def test_a_query_says_what_became_of_an_order() -> None:
    scenario = opened(queue=QueueModel.FRONT)
    order = scenario.place(1, BID, "100", "5")
    scenario.query(3, order)
    scenario.sell(5, "100", "2")
    scenario.query(6, order)
    scenario.sell(8, "100", "3")
    scenario.query(9, order)
    canceled = scenario.place(10, BID, "99", "1")
    scenario.cancel(11, canceled)
    scenario.query(12, canceled)
    expired = scenario.place(13, BID, "101", "1", post_only=False, immediate=True)
    scenario.query(14, expired)
    reports = [fact for fact in scenario.own() if isinstance(fact, OrderStatusReported)]
    assert [(report.status, report.filled_quantity) for report in reports] == [
        (ReportedStatus.OPEN, Decimal(0)),
        (ReportedStatus.PARTIALLY_FILLED, Decimal(2)),
        (ReportedStatus.FILLED, Decimal(5)),
        (ReportedStatus.CANCELED, Decimal(0)),
        (ReportedStatus.EXPIRED, Decimal(0)),
    ]
    assert reports[1].exchange_time == 7 * MILLISECOND


def test_a_query_of_a_rejected_or_unknown_order_finds_nothing() -> None:
    scenario = opened()
    rejected = scenario.place(1, BID, "102", "1")
    scenario.query(3, rejected)
    scenario.query(4, "never-sent")
    assert [type(fact) for fact in scenario.own()] == [OrderRejected, OrderNotFound, OrderNotFound]


def test_a_query_that_overtakes_nothing_sees_the_order_sent_before_it() -> None:
    scenario = opened()
    order = scenario.place(1, BID, "100", "1")
    scenario.query(1, order)
    assert [type(fact) for fact in scenario.own()] == [OrderAcknowledged, OrderStatusReported]


def test_own_trades_are_all_those_since_the_time_asked_for() -> None:
    scenario = opened(queue=QueueModel.FRONT)
    scenario.place(1, BID, "100", "9")
    for at in (5, 10, 15):
        scenario.sell(at, "100", "1")
    scenario.query_own_trades(20, since=10)
    report = scenario.own()[-1]
    assert isinstance(report, OwnTradesReported)
    assert (report.since, report.until) == (10 * MILLISECOND, 21 * MILLISECOND)
    told = [fact for fact in scenario.facts if isinstance(fact, OrderFilled)]
    assert report.fills == tuple(attrs.evolve(fill, received_at=report.received_at) for fill in told[1:])
    assert len({fill.trade_id for fill in told}) == 3


def test_finished_orders_and_trades_are_forgotten_after_the_history() -> None:
    scenario = opened(queue=QueueModel.FRONT, history_seconds=1)
    old = scenario.place(1, BID, "100", "1")
    scenario.sell(5, "100", "1")
    new = scenario.place(2000, BID, "100", "1")
    scenario.sell(2005, "100", "1")
    scenario.query(2010, old)
    scenario.query(2011, new)
    scenario.query_own_trades(2012)
    missing, known, trades = scenario.own()[-3:]
    assert isinstance(missing, OrderNotFound)
    assert isinstance(known, OrderStatusReported)
    assert isinstance(trades, OwnTradesReported)
    assert trades.since == 1005 * MILLISECOND  # the last trade came at 2005 ms: it claims to know no more
    assert [fill.client_order_id for fill in trades.fills] == [new]


def test_balances_are_reported_when_asked_for_with_what_open_orders_lock() -> None:
    scenario = opened(base="10", quote="1000", taker_bps="100")
    scenario.place(1, BID, "100", "3")
    scenario.place(2, ASK, "103", "4")
    assert not [fact for fact in scenario.own() if isinstance(fact, BalancesReported)]
    scenario.exchange.submit(QueryBalances(symbol=SYMBOL), 10_000_000 * MILLISECOND)
    scenario.settle(10_000_010)
    report = scenario.facts[-1]
    assert isinstance(report, BalancesReported)
    # 3 * 100 with 1 % of the dearer fee is 303; 4 of the 10 base are on offer.
    assert (report.quote_total, report.quote_free) == (Decimal(1000), Decimal(697))
    assert (report.base_total, report.base_free) == (Decimal(10), Decimal(6))


def test_an_intent_of_an_unknown_kind_is_an_error_of_the_program() -> None:
    scenario = opened()
    scenario.exchange.submit(Intent(symbol=SYMBOL), MILLISECOND)
    with pytest.raises(TypeError, match="Intent"):
        scenario.settle()


@pytest.mark.parametrize(
    ("kind", "found", "expected"),
    [
        # Long 3: an ask may close it, not turn it, and a bid may not add to it.
        (InstrumentKind.LINEAR, (ASK, "3"), True),
        (InstrumentKind.LINEAR, (ASK, "4"), False),
        (InstrumentKind.LINEAR, (BID, "1"), False),
        # Spot has no positions, so the flag says nothing.
        (InstrumentKind.SPOT, (BID, "1"), True),
    ],
)
def test_a_reduce_only_order_may_only_reduce(kind: InstrumentKind, found: tuple[Side, str], *, expected: bool) -> None:
    side, quantity = found
    scenario = opened(rules=instrument(kind), base="3")
    scenario.place(1, side, "101", quantity, reduce_only=True)
    if expected:
        assert isinstance(scenario.own()[0], OrderAcknowledged)
    else:
        assert the_rejection(scenario) is RejectionCode.OTHER


def test_reduce_only_orders_together_may_not_exceed_the_position() -> None:
    scenario = opened(rules=instrument(InstrumentKind.LINEAR), base="3")
    scenario.place(1, ASK, "102", "2", reduce_only=True)
    scenario.place(2, ASK, "103", "2", reduce_only=True)
    assert the_rejection(scenario) is RejectionCode.OTHER


def test_a_reduce_only_order_expires_when_another_order_closes_the_position() -> None:
    scenario = opened(rules=instrument(InstrumentKind.LINEAR), base="3")
    quote = scenario.place(1, ASK, "102", "3")
    reduction = scenario.place(2, ASK, "103", "3", reduce_only=True)
    scenario.buy(10, "104", "6")
    facts = scenario.own()[2:]
    assert [(type(fact), getattr(fact, "client_order_id", None)) for fact in facts] == [
        (OrderFilled, quote),
        (OrderExpired, reduction),
    ]
    assert scenario.exchange.balances.base_total == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("order_latency_seconds", -1.0),
        ("response_latency_seconds", float("nan")),
        ("market_data_latency_seconds", float("inf")),
        ("latency_jitter_seconds", "1"),
        ("history_seconds", -0.1),
        ("queue", "front"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=rf"'paper\.{name}'"):
        PaperSettings(**{name: value})  # type: ignore[arg-type]

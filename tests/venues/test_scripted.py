"""Venues in memory: one that takes every order, and one that plays pulled venues in virtual time."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from mm_fsm.books.facts import (
    BalancesReported,
    CancelRefused,
    MarketBook,
    OpenOrdersReported,
    OrderAcknowledged,
    OrderCanceled,
    OrderNotFound,
    OrderStatusReported,
    OwnTradesReported,
)
from mm_fsm.core.messages import (
    CancelOrder,
    Fact,
    Intent,
    OrderPurpose,
    PlaceOrder,
    QueryBalances,
    QueryOpenOrders,
    QueryOrder,
    QueryOwnTrades,
    ReportedStatus,
    Side,
)
from mm_fsm.venues.scripted import AcceptingBook, PlayedVenue
from tests.venues.paper.test_venue import ACCOUNT, SECOND, SYMBOL, book

PLACE = PlaceOrder(
    symbol=SYMBOL,
    client_order_id="a",
    side=Side.BID,
    price=Decimal(1999),
    quantity=Decimal(2),
    purpose=OrderPurpose.QUOTE,
    level=0,
)
CANCEL = CancelOrder(symbol=SYMBOL, client_order_id="a", venue_order_id=None)
QUERY = QueryOrder(symbol=SYMBOL, client_order_id="a", venue_order_id=None)


def test_every_intent_is_answered_by_one_fact_that_is_so() -> None:
    venue = AcceptingBook(ACCOUNT.balances)
    assert isinstance(venue.answer(QUERY, 1), OrderNotFound)
    assert isinstance(venue.answer(CANCEL, 1), CancelRefused)
    assert isinstance(venue.answer(PLACE, 2), OrderAcknowledged)
    opened = venue.answer(QueryOpenOrders(symbol=SYMBOL), 3)
    assert isinstance(opened, OpenOrdersReported)
    assert [(order.client_order_id, order.quantity, order.filled_quantity) for order in opened.orders] == [("a", 2, 0)]
    resting = venue.answer(QUERY, 4)
    assert isinstance(resting, OrderStatusReported)
    assert resting.status is ReportedStatus.OPEN
    assert venue.answer(CANCEL, 5) == OrderCanceled(
        received_at=5, symbol=SYMBOL, client_order_id="a", exchange_time=5, filled_quantity=Decimal(0)
    )
    finished = venue.answer(QUERY, 6)
    assert isinstance(finished, OrderStatusReported)
    assert finished.status is ReportedStatus.CANCELED
    trades = venue.answer(QueryOwnTrades(symbol=SYMBOL, since=3), 7)
    assert trades == OwnTradesReported(received_at=7, symbol=SYMBOL, fills=(), since=3, until=7)
    balances = venue.answer(QueryBalances(symbol=SYMBOL), 8)
    assert isinstance(balances, BalancesReported)
    assert (balances.base_free, balances.quote_total) == (10, 20_000)
    with pytest.raises(TypeError, match="found Intent"):
        venue.answer(Intent(symbol=SYMBOL), 9)


def test_facts_and_calls_come_in_order_of_time_and_facts_first() -> None:
    """A book and a call of one time: the book first. A call that was called off never comes."""
    venue = PlayedVenue(ACCOUNT.on([book(1), book(2), book(4)]))
    came: list[object] = []

    def take(fact: Fact) -> None:
        if isinstance(fact, MarketBook):
            came.append(fact.exchange_time // SECOND)

    venue.attach(SYMBOL, take, {})
    assert venue.now() == SECOND
    venue.call_at(3 * SECOND, lambda: came.append("call at 3"))
    venue.call_at(2 * SECOND, lambda: came.append("call at 2"))
    venue.call_at(2 * SECOND, lambda: came.append("never"))()
    while venue.go_on():
        pass
    assert came == [1, 2, "call at 2", "call at 3", 4]
    assert venue.now() == 4 * SECOND


def test_no_fact_comes_before_somebody_is_attached_or_after_it_is_closed() -> None:
    venue = PlayedVenue(ACCOUNT.on([book(1), book(2), book(3)]))
    taken: list[Fact] = []

    async def play() -> None:
        terms = await venue.open()
        assert [*terms] == [SYMBOL]
        for _ in range(5):
            await asyncio.sleep(0)
        assert venue.now() == SECOND
        venue.attach(SYMBOL, taken.append, {})
        for _ in range(5):
            await asyncio.sleep(0)
        assert taken
        venue.submit([], 0)
        assert await venue.drain(1.0) == ()
        await venue.close()
        count = len(taken)
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(taken) == count

    asyncio.run(play())

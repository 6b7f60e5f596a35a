"""Opening an account: what is refused, what is shown, what is polled, and what is left alone."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from loguru import logger

from mm_fsm.books.facts import AccountFeedLost, Heartbeat, MarketBook, OrderAcknowledged, OrderFilled
from mm_fsm.core.instrument import Fees
from mm_fsm.errors import SettingsError, VenueError
from mm_fsm.testing.rehearsal.client import exchange_factory
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind
from mm_fsm.testing.rehearsal.ready_markets import instrument_of
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from mm_fsm.testing.rehearsal.terms import RehearsalMarket
from mm_fsm.venues.ccxt_venue.keys import Keys
from mm_fsm.venues.ccxt_venue.watch import SILENT_BOOK_SECONDS
from tests.patience import PATIENCE
from tests.testing.rehearsal.stage import book
from tests.venues.ccxt_venue.judging import assert_books_equal
from tests.venues.ccxt_venue.live_stage import FEES, live, play, rehearsal_terms, venue_on

SYMBOL = "ETH/USDT"
RESTING = RehearsalMarket(instrument=instrument_of(SYMBOL), events=(book(),))
"""One book, and nothing after it."""
SECRET = "wr0ng-but-a-secret-all-the-same"


async def opened(**changes: Any) -> Any:
    async with RehearsalExchange(rehearsal_terms([SYMBOL], 1)) as exchange:
        venue = venue_on(exchange, [SYMBOL], **changes)
        try:
            return await venue.open()
        finally:
            await venue.close()


def test_terms_are_the_exchanges_own() -> None:
    terms = play(opened)[SYMBOL]
    assert terms.instrument == instrument_of(SYMBOL)
    assert terms.fees == FEES
    assert terms.account == "binance-354937868"
    assert terms.outlives_process


def test_settings_that_say_something_else_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(SettingsError, match="maker 1 and taker 5"):
        play(lambda: opened(fees=Fees(maker_bps=Decimal(2), taker_bps=Decimal(5))))
    with pytest.raises(SettingsError, match=r"tick_size.*0\.01.*0\.05"):
        play(lambda: opened(instrument=evolve(instrument_of(SYMBOL), tick_size=Decimal("0.05"))))


def test_a_wrong_key_is_an_error_without_the_key() -> None:
    with pytest.raises(VenueError) as refused:
        play(lambda: opened(keys=Keys(parts={"apiKey": "rehearsal-key", "secret": SECRET})))
    assert SECRET not in str(refused.value)
    assert "rehearsal-key" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_keys_are_in_no_log_line_and_in_no_fact() -> None:
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(f"{message} {message.record}"), level=0)

    async def part() -> None:
        async with live() as stage:
            maker = stage.maker
            await stage.until(lambda: len(maker.of(OrderAcknowledged)) >= 4)
            stage.venue._streams.lose("the test says so")
            await stage.until(lambda: bool(maker.of(AccountFeedLost)))
            await stage.stop()
            shown = "\n".join([*lines, *map(repr, maker.facts), *map(repr, maker.results), repr(stage.venue)])
            terms = stage.exchange.terms
            assert terms.secret not in shown
            assert terms.api_key not in shown
            assert "venue.streams_lost" in shown

    try:
        play(part)
    finally:
        logger.remove(sink)


def _without(*streams: str) -> Any:
    def wrap(make: Any) -> Any:
        def made(configuration: Any) -> Any:
            exchange = make(configuration)
            exchange.has.update(dict.fromkeys(streams, False))
            return exchange

        return made

    return wrap


def test_what_has_no_stream_is_polled_and_it_says_so() -> None:
    """The exchange itself lets the first two orders trade, so that no fill waits for a market that happens to come."""
    trades_at_once = Fault(kind=FaultKind.PARTIAL_FILL, times=2)

    async def part() -> None:
        wrap = _without("watchMyTrades", "watchOrders", "watchOrderBook", "watchTrades")
        async with live(trades_at_once, wrap=wrap, markets=(RESTING,)) as stage:
            assert {*stage.venue.sources.values()} == {"polling", "answers only"}
            assert stage.venue.sources["own trades"] == "polling"
            await stage.until(lambda: len(stage.maker.of(OrderFilled)) >= 2)
            await stage.stop()
            assert_books_equal(stage)

    play(part)


def test_a_market_that_rests_is_told_from_a_dead_stream() -> None:
    async def part() -> None:
        async with live(markets=(RESTING,)) as stage:
            maker = stage.maker
            await stage.until(lambda: len(maker.of(Heartbeat)) >= 2)
            assert maker.of(AccountFeedLost) == []
            first, second = maker.of(Heartbeat)[:2]
            assert second.received_at - first.received_at >= SILENT_BOOK_SECONDS * 1e9
            await stage.stop()

    play(part)


def test_orders_of_others_are_left_alone() -> None:
    async def part() -> None:
        async with live() as stage:
            other = exchange_factory(stage.exchange.endpoint)({"number": str})
            try:
                await other.load_markets()
                await other.create_order(SYMBOL, "limit", "buy", 0.01, 1000, {"clientOrderId": "web_1"})
                await other.create_order(SYMBOL, "limit", "buy", 0.01, 1001, {"clientOrderId": "mmx-abcdef-abcdef-1"})
            finally:
                await other.close()
            await stage.until(lambda: len(stage.maker.of(OrderAcknowledged)) >= 10)
            await stage.stop()
            left = {order.client_order_id for order in stage.exchange.log.open_orders()}
            assert left == {"web_1", "mmx-abcdef-abcdef-1"}

    play(part)


def test_books_are_cut_to_one_level_more_than_there_may_be_own_orders() -> None:
    async def part() -> None:
        async with live() as stage:
            await stage.until(lambda: bool(stage.maker.of(MarketBook)))
            depth = stage.maker.machine.context.settings.max_live_orders + 1
            assert all(len(fact.bids) <= depth for fact in stage.maker.of(MarketBook))
            await stage.stop()

    play(part)


def test_closing_twice_and_before_opening_is_no_error() -> None:
    async def part() -> None:
        async with RehearsalExchange(rehearsal_terms([SYMBOL], 1)) as exchange:
            venue = venue_on(exchange, [SYMBOL])
            await venue.close()
            await venue.close()
            assert await asyncio.wait_for(venue.drain(1.0), PATIENCE) == ()

    play(part)

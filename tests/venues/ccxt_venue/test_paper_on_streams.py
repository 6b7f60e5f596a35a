"""Paper on real streams believes what a replay believes: no fill comes of one wild print, no price of one wild book."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from loguru import logger

from mm_fsm.books.facts import MarketBook, MarketTrade, OrderFilled
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import BookLevel, Fact, OrderPurpose, PlaceOrder, Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.venues.ccxt_venue.paper_on_streams import StreamedPaperPlan, StreamedPaperVenue
from mm_fsm.venues.paper.settings import PaperSettings

SYMBOL = "ETH/USD"
SECOND = 1_000_000_000
INSTRUMENT = Instrument(
    symbol=SYMBOL, base_currency="ETH", quote_currency="USD", tick_size=Decimal("0.01"), lot_size=Decimal("0.001")
)
FEES = Fees(maker_bps=Decimal(0), taker_bps=Decimal(0))
BALANCES = Balances(base=Decimal(10), quote=Decimal(100_000))


class Streams:
    """Brings what a test shows it."""

    instruments = {SYMBOL: INSTRUMENT}  # noqa: RUF012 - a test's own

    def __init__(self) -> None:
        self.show: Callable[[Any], None] = lambda _: None

    async def open(self, hear: Callable[[Any], None]) -> None:
        self.show = hear

    async def close(self) -> None: ...


class Clock:
    """Time as a test sets it; nothing comes by itself."""

    def __init__(self) -> None:
        self.time = SECOND

    def now(self) -> int:
        return self.time

    def call_at(self, _time: int, _call: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


class Market:
    """The venue, open, with a bid of ours at 1999 for 1 ETH in a market of 1998 / 2002."""

    def __init__(self) -> None:
        plan = StreamedPaperPlan(
            exchange="binance", factory=None, place="", strategy=MarketMakingSettings(symbol=SYMBOL), fees=FEES,
            instrument=INSTRUMENT, balances=BALANCES, paper=PaperSettings(),
        )  # fmt: skip
        self.clock, self.streams = Clock(), Streams()
        self.venue = StreamedPaperVenue(plan, lambda _: None, self.clock)  # type: ignore[arg-type, return-value]
        self.venue._data = self.streams  # type: ignore[assignment]
        asyncio.run(self.venue.open())
        self.facts: list[Fact] = []
        self.venue.attach(SYMBOL, self.facts.append, {})
        self.book("1998", "2002")
        order = PlaceOrder(
            symbol=SYMBOL,
            client_order_id="mm-1",
            side=Side.BID,
            price=Decimal(1999),
            quantity=Decimal(1),
            purpose=OrderPurpose.QUOTE,
            level=0,
        )
        self.venue.submit([order], self.clock.time)
        self.book("1998", "2002")

    def book(self, bid: str, ask: str) -> None:
        self.clock.time += SECOND
        levels = [(BookLevel(price=Decimal(price), size=Decimal(5)),) for price in (bid, ask)]
        self.streams.show(
            MarketBook(
                received_at=self.clock.time, symbol=SYMBOL, exchange_time=self.clock.time, bids=levels[0],
                asks=levels[1],
            )
        )  # fmt: skip

    def trade(self, price: str) -> None:
        self.clock.time += SECOND
        self.streams.show(
            MarketTrade(
                received_at=self.clock.time, symbol=SYMBOL, exchange_time=self.clock.time, price=Decimal(price),
                size=Decimal(50), taker_side=Side.ASK, trade_id=f"{self.clock.time}",
            )
        )  # fmt: skip
        self.book("1998", "2002")

    def of(self, kind: type[Fact]) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]


def test_a_print_through_an_own_order_near_the_book_fills_it() -> None:
    market = Market()
    market.trade("1997")
    assert [fill.price for fill in market.of(OrderFilled)] == [Decimal(1999)]


@pytest.mark.parametrize("price", ["1600", "0.01"])
def test_a_print_more_than_a_fifth_outside_the_book_fills_nothing_and_reaches_nobody(price: str) -> None:
    """1998 / 1600 is 1.25: as ``max_print_distance`` of a replay has it, 0.2."""
    said: list[dict[str, Any]] = []
    handler = logger.add(lambda message: said.append({"event": message.record["message"], **message.record["extra"]}))
    try:
        market = Market()
        for _ in range(12):
            market.trade(price)
    finally:
        logger.remove(handler)
    assert market.of(OrderFilled) == []
    assert [fact for fact in market.of(MarketTrade) if fact.price == Decimal(price)] == []
    assert market.venue.doubted == {"far print": 12}
    assert [(each["event"], each["count"]) for each in said] == [("market.doubted", 1), ("market.doubted", 10)]
    market.trade("1997")
    assert len(market.of(OrderFilled)) == 1


def test_a_wild_book_reaches_nobody_until_three_in_a_row_agree() -> None:
    market = Market()
    shown = len(market.of(MarketBook))
    market.book("998", "1002")
    market.book("998", "1002")
    assert len(market.of(MarketBook)) == shown
    assert market.of(OrderFilled) == []
    market.book("998", "1002")
    assert len(market.of(MarketBook)) == shown + 1
    assert market.venue.doubted == {"far book": 2}

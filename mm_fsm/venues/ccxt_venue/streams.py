"""One generation of streams: an exchange object of its own, and a supervised task for each stream.

Where the exchange has a stream it is used, elsewhere the same is asked for again and again; ``sources`` says which.
The first failure of any of them ends the generation: nothing in ccxt says what was missed, so a new one is built.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from attrs import define, field

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import Side
from mm_fsm.venues.ccxt_venue.account import Account
from mm_fsm.venues.ccxt_venue.amounts import entry, positive, stamp, text
from mm_fsm.venues.ccxt_venue.by_exchange import ExchangeNames
from mm_fsm.venues.ccxt_venue.live_market import LiveMarket
from mm_fsm.venues.ccxt_venue.outcomes import SUSPENSIONS
from mm_fsm.venues.ccxt_venue.own_trade_lists import OwnTradeLists
from mm_fsm.venues.ccxt_venue.payloads import SeenBook, read_book, read_orders, read_trade, read_trades
from mm_fsm.venues.ccxt_venue.streamed import (
    READ_ORDERS,
    READ_TRADES,
    STREAMS_EXECUTIONS,
    corrected_orders,
    corrected_trades,
    pass_executions,
    set_stream_numbers,
    told_apart,
)

CONNECT_SECONDS: Final = 10.0
"""How long connecting may take."""
_HEARD_SECONDS: Final = 1.5
"""How long the own stream may stay silent once it is connected: some exchanges do not confirm a subscription."""
SNAPSHOT_SECONDS: Final = 20.0
"""How long the first book of a market may take, once it is its turn."""
_SNAPSHOTS_AT_ONCE: Final = 4
_POLL_SECONDS: Final = 1.0
_POLLED: Final = nanoseconds(60)
"""How far back own trades are asked for each time: as late as they may be listed."""
_STEP_SECONDS: Final = 0.01
_GAPS_IN_A_ROW: Final = 5

Follow = Callable[[], Coroutine[Any, Any, None]]


class Source(StrEnum):
    """Where a kind of news comes from."""

    STREAM = "stream"
    POLLING = "polling"
    ANSWERS = "answers only"
    """From the answers to requests."""


class News(StrEnum):
    """Kinds of news."""

    OWN_TRADES = "own trades"
    OWN_ORDERS = "own orders"
    BOOKS = "books"
    TRADES = "trades"


STREAMS: Final[Mapping[News, str]] = MappingProxyType(
    {
        News.OWN_TRADES: "watchMyTrades",
        News.OWN_ORDERS: "watchOrders",
        News.BOOKS: "watchOrderBook",
        News.TRADES: "watchTrades",
    }
)
"""What ccxt calls the stream of each kind."""
READ: Final[Mapping[News, ExchangeNames]] = MappingProxyType(
    {News.OWN_TRADES: READ_TRADES, News.OWN_ORDERS: READ_ORDERS}
)
"""Exchanges whose streams of a kind may be believed; the kinds that are not here may be everywhere."""
POLLED: Final = frozenset({News.OWN_TRADES, News.BOOKS})
"""Kinds that are asked for again and again where there is no stream."""


def source_of(exchange: Any, news: News) -> Source:
    """Where the venue gets a kind of news from at an exchange."""
    is_believed = news not in READ or exchange.id in READ[news]
    if is_believed and entry(exchange.has, STREAMS[news]):
        return Source.STREAM
    return Source.POLLING if news in POLLED else Source.ANSWERS


class StreamError(Exception):
    """A stream cannot be used."""


@define(eq=False)
class Streams:
    """Streams of one account, until the first of them fails."""

    account: Account
    exchange: Any
    on_failure: Callable[[str], None]
    sources: dict[str, str] = field(factory=dict)
    """For each kind of news where it comes from, a ``Source``."""
    since: int | None = None
    """Venue time since when the own streams are up; None before."""
    _tasks: list[asyncio.Task[None]] = field(factory=list, init=False)
    _failure: str | None = field(default=None, init=False)
    _stamped: set[str] = field(factory=set, init=False)
    """Markets whose books bear the exchange's stamps."""
    _synchronised: set[str] = field(factory=set, init=False)
    """Markets whose books are whole."""
    _executions: asyncio.Queue[Any] = field(factory=asyncio.Queue, init=False)
    """What has been streamed and not been heard yet, where orders and trades are streamed in one."""
    _room: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(_SNAPSHOTS_AT_ONCE), init=False)

    def __attrs_post_init__(self) -> None:
        set_stream_numbers(self.exchange)

    def streams(self, news: News) -> bool:
        """Whether a kind of news comes from a stream."""
        return source_of(self.exchange, news) is Source.STREAM

    async def start(self) -> None:
        """Subscribe, own trades and own orders first; return once they are up.

        Raises:
            StreamError: it took too long, or a stream failed at once.
        """
        if self.exchange.id in STREAMS_EXECUTIONS:
            pass_executions(self.exchange, self._executions.put_nowait)
            self._begin("own executions", self._hear_executions)
        self._follow(News.OWN_TRADES, self._watch_own_trades, self._poll_own_trades)
        self._follow(News.OWN_ORDERS, self._watch_own_orders)
        await self._until_heard()
        self.since = self.account.clock.asked()
        for market in self.account.markets.values():
            self._follow_market(market)

    def stop(self) -> None:
        """Follow nothing any more."""
        for task in self._tasks:
            task.cancel()

    def _follow(self, news: News, watch: Follow, poll: Follow | None = None, *, of: str = "") -> None:
        """Follow a kind of news as ``source_of`` says; ``poll`` for the kinds that are ``POLLED``."""
        name, source = f"{news}{of}", source_of(self.exchange, news)
        self.sources[name] = source
        chosen = {Source.STREAM: watch, Source.POLLING: poll}.get(source)
        if chosen is not None:
            self._begin(name, chosen)

    def _begin(self, name: str, follow: Follow) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(self._supervised(name, follow)))

    def _follow_market(self, market: LiveMarket) -> None:
        of = f" of {market.symbol}"
        self._follow(News.BOOKS, partial(self._watch_book, market), partial(self._poll_book, market), of=of)
        self._follow(News.TRADES, partial(self._watch_trades, market), of=of)

    async def _supervised(self, name: str, follow: Follow) -> None:
        try:
            await follow()
        except Exception as error:  # noqa: BLE001 - whatever ended it, what was missed is not known
            self._failure = f"{name}: {self.account.reason(error)}"
            self.on_failure(self._failure)

    async def _until_heard(self) -> None:
        """Wait until every connection of the own streams is up and has said something, or could have."""
        async with asyncio.timeout(CONNECT_SECONDS):
            loop, connected_at = asyncio.get_running_loop(), None
            while True:
                if self._failure is not None:
                    raise StreamError(self._failure)
                clients = list((entry(vars(self.exchange), "clients") or {}).values())
                are_up = clients and all(client.connected.done() for client in clients)
                if are_up and connected_at is None:
                    connected_at = loop.time()
                if are_up and all(getattr(client, "last_message_at", None) for client in clients):
                    return
                if connected_at is not None and loop.time() - connected_at > _HEARD_SECONDS:
                    return
                if not (self.streams(News.OWN_TRADES) or self.streams(News.OWN_ORDERS)):
                    return
                await asyncio.sleep(_STEP_SECONDS)

    # -- own orders and trades --------------------------------------------------------------------------------------

    async def _watch_own_trades(self) -> None:
        await self._for_all_or_each("watch_my_trades", partial(self._hear_streamed, are_trades=True))

    async def _watch_own_orders(self) -> None:
        await self._for_all_or_each("watch_orders", partial(self._hear_streamed, are_trades=False))

    def _hear_streamed(self, payload: list[Any], *, are_trades: bool) -> None:
        name = self.exchange.id
        if are_trades:
            self._hear_trades(corrected_trades(name, payload))
        else:
            self._hear_orders(corrected_orders(name, payload))

    async def _hear_executions(self) -> None:
        while True:
            orders, trades = told_apart(self.exchange, await self._executions.get())
            self._hear_orders(orders)
            self._hear_trades(trades)

    async def _for_all_or_each(self, method: str, hear: Callable[[Any], None]) -> None:
        """Follow the account as a whole, or each market where the exchange wants one named."""
        watch: Callable[..., Awaitable[Any]] = getattr(self.exchange, method)
        try:
            while True:
                hear(list(await watch()))
        except Exception as error:
            if type(error).__name__ != "ArgumentsRequired":
                raise
        await asyncio.gather(*(self._for_one(watch, market, hear) for market in self.account.markets.values()))

    async def _for_one(
        self, watch: Callable[..., Awaitable[Any]], market: LiveMarket, hear: Callable[[Any], None]
    ) -> None:
        while True:
            hear(list(await watch(market.symbol)))

    def _hear_trades(self, payload: Any) -> None:
        """Tell own trades.

        Raises:
            StreamError: one of our markets cannot be read: a fill would be missing, so that it is asked for.
        """
        markets, payload = self.account.markets, _with_symbols(self.account, payload, "order")
        for each in payload:
            symbol = text(entry(each, "symbol"))
            if (symbol is None or symbol in markets) and read_trade(each) is None:
                raise StreamError(f"an own trade of {symbol or 'some market'} that lacks what tells it from others")
        for trade in read_trades(payload):
            market = self.account.markets.get(trade.symbol)
            if market is not None:
                self.account.trades.hear(market, trade)

    def _hear_orders(self, payload: Any) -> None:
        for seen in read_orders(_with_symbols(self.account, payload, "id")):
            market = self.account.markets.get(seen.symbol or "")
            if market is not None:
                self.account.orders.hear(market, seen, from_stream=True)

    async def _poll_own_trades(self) -> None:
        lists = OwnTradeLists(self.account.exchange)
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            latest = self.account.clock.latest
            for market in self.account.markets.values():
                trades, _ = await lists.since(market.symbol, max(latest - _POLLED, 0), latest)
                for trade in trades:
                    self.account.trades.hear(market, trade)

    # -- markets ----------------------------------------------------------------------------------------------------

    async def _watch_book(self, market: LiveMarket) -> None:
        gaps = 0
        while True:
            try:
                payload = await self._next_book(market)
            except Exception as error:
                self._synchronised.discard(market.symbol)
                market.heard_at = None  # while it is synchronised its silence proves nothing
                if self.account.judge(error, self.exchange)[0] in SUSPENSIONS:
                    continue  # the snapshot was turned away at the door: the stream itself is well
                gaps += 1
                if type(error).__name__ != "ChecksumError" or gaps > _GAPS_IN_A_ROW:
                    raise
                continue  # a change of the book is lost: the next call synchronises anew
            gaps = 0
            self._show(market, read_book(payload, market.depth))

    async def _next_book(self, market: LiveMarket) -> Any:
        """The next book. The first after each synchronisation needs a snapshot, and is one of few at a time.

        A hundred snapshots together would use up the allowance of a minute, and each that is refused adds to a ban.
        """
        if market.symbol in self._synchronised:
            return await self.exchange.watch_order_book(market.symbol)
        async with self._room:
            while wait := self.account.suspension_seconds:  # noqa: ASYNC110 - a ban grows
                await asyncio.sleep(wait)
            async with asyncio.timeout(SNAPSHOT_SECONDS):
                payload = await self.exchange.watch_order_book(market.symbol)
        self._synchronised.add(market.symbol)
        return payload

    async def _poll_book(self, market: LiveMarket) -> None:
        while True:
            self._show(market, read_book(await self.account.exchange.fetch_order_book(market.symbol), market.depth))
            await asyncio.sleep(_POLL_SECONDS)

    def _show(self, market: LiveMarket, book: SeenBook | None) -> None:
        if book is None:
            raise StreamError("a book that makes no sense")
        now = self.account.clock.now()
        market.heard_at, market.best = now, (book.bids[:1], book.asks[:1])
        self.account.clock.hear(book.exchange_time)
        if book.exchange_time is not None:
            self._stamped.add(market.symbol)
        elif market.symbol in self._stamped:
            return  # the first after each synchronisation bears none; the next one does
        market.tell(
            MarketBook(
                received_at=now,
                symbol=market.symbol,
                bids=book.bids,
                asks=book.asks,
                exchange_time=book.exchange_time,
            )
        )

    async def _watch_trades(self, market: LiveMarket) -> None:
        while True:
            for payload in list(await self.exchange.watch_trades(market.symbol)):
                self._print(market, payload)

    def _print(self, market: LiveMarket, payload: Any) -> None:
        price, size = positive(entry(payload, "price")), positive(entry(payload, "amount"))
        time, name = stamp(entry(payload, "timestamp")), text(entry(payload, "id"))
        side = {"buy": Side.BID, "sell": Side.ASK}.get(str(entry(payload, "side")))
        if price is None or size is None or time is None or name is None or side is None:
            return  # somebody else's trade that cannot be read says nothing
        market.tell(
            MarketTrade(
                received_at=self.account.clock.now(),
                symbol=market.symbol,
                price=price,
                size=size,
                taker_side=side,
                trade_id=name,
                exchange_time=time,
            )
        )


def _with_symbols(account: Account, payload: Any, number: str) -> list[Any]:
    """The same, with the market of an order that we know where the exchange names none.

    ``number`` is where the order's number stands.
    """
    return [_with_symbol(account, each, number) for each in payload]


def _with_symbol(account: Account, payload: Any, number: str) -> Any:
    if not isinstance(payload, dict) or text(payload.get("symbol")) is not None:
        return payload
    venue_order_id, client_text = text(payload.get(number)), text(payload.get("clientOrderId"))
    market = account.orders.market_of(account.markets.values(), venue_order_id, client_text)
    return payload if market is None else {**payload, "symbol": market.symbol}

"""Books and trades of some markets through an exchange's public streams: no keys, no account, no orders.

A stream that fails or falls silent is built anew with an exchange object of its own. What happened meanwhile is
missing; who listens knows it by the age of what came last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from loguru import logger

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.clock import seconds
from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import Fact
from mm_fsm.errors import MarketMakerError, VenueError
from mm_fsm.venues.ccxt_venue.account import Account
from mm_fsm.venues.ccxt_venue.client_ids import ClientIds
from mm_fsm.venues.ccxt_venue.keys import Keys
from mm_fsm.venues.ccxt_venue.library import MakeExchange, close_exchange
from mm_fsm.venues.ccxt_venue.live_market import LiveMarket, VenueClock
from mm_fsm.venues.ccxt_venue.market_rules import read_instrument
from mm_fsm.venues.ccxt_venue.own_orders import OwnOrderNews
from mm_fsm.venues.ccxt_venue.own_trades import OwnTradeNews
from mm_fsm.venues.ccxt_venue.patience import (
    OPENING_SECONDS,
    NotOpenedError,
    RetryAfter,
    may_pass,
    opened_in_time,
)
from mm_fsm.venues.ccxt_venue.streams import Streams
from mm_fsm.venues.wall_clock import WallClock

SILENT_SECONDS: Final = 30.0
"""After so long without a book of any market the streams are taken for dead."""
_FIRST_RETRY_SECONDS: Final = 0.5
_LAST_RETRY_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.5

HearEvent = Callable[[MarketBook | MarketTrade], None]


class MarketStreams(Streams):
    """Streams of markets alone."""

    async def start(self) -> None:
        """Subscribe to books and trades."""
        for market in self.account.markets.values():
            self._follow_market(market)


class MarketData:
    """The streams of one exchange's markets.

    Args:
        exchange: as ccxt names it.
        make: makes exchange objects.
        depths: levels a side, by symbol.
        clock: of the host.
    """

    def __init__(self, exchange: str, make: MakeExchange, depths: Mapping[str, int], clock: WallClock) -> None:
        self.instruments: Mapping[str, Instrument] = {}
        """The exchange's rules, once it is open."""
        self._exchange = exchange
        self._make = make
        self._depths = depths
        self._clock = clock
        self._running: asyncio.Task[None] | None = None
        self._unheard: Any | None = None
        """The exchange object that was opened, until somebody listens to it."""
        self._closing: set[asyncio.Task[None]] = set()

    async def open(self, hear: HearEvent) -> None:
        """Connect, read the rules, and begin to listen; tried again for a minute where what is wrong may pass.

        Raises:
            SettingsError: the exchange has no such market.
            VenueError: it cannot be reached.
        """
        self._unheard = await opened_in_time(self._connected, OPENING_SECONDS, self._exchange)
        self._running = asyncio.get_running_loop().create_task(self._listen(self._unheard, hear))

    async def _connected(self) -> Any:
        """An exchange object that knows the rules."""
        exchange = self._made()
        told = RetryAfter(exchange)
        try:
            await exchange.load_markets()
            self.instruments = {symbol: read_instrument(exchange, symbol) for symbol in self._depths}
        except MarketMakerError:
            await close_exchange(exchange)
            raise
        except Exception as error:  # noqa: BLE001 - whatever ccxt raises
            await close_exchange(exchange)
            found = f"{type(error).__name__}: {error}"[:200]
            message = f"{self._exchange}: expected its markets, found {found}. Check the connection."
            raise (NotOpenedError(message, told.seconds) if may_pass(error) else VenueError(message)) from None
        return exchange

    async def close(self) -> None:
        """Listen no more. Never raises."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._running
        if self._unheard is not None:  # closed before the task had a turn
            await close_exchange(self._unheard)
            self._unheard = None
        if self._closing:
            await asyncio.wait(self._closing, timeout=1.0)

    def _made(self) -> Any:
        exchange = self._make({"number": str, "enableRateLimit": True, "streaming": {"keepAlive": 5_000}})
        exchange.number = str
        return exchange

    async def _listen(self, exchange: Any, hear: HearEvent) -> None:
        """Until it is cancelled: streams, and new ones once these have failed, in whatever way."""
        pause, markets, currencies = _FIRST_RETRY_SECONDS, exchange.markets, exchange.currencies
        current: Any | None = exchange
        while True:
            heard_at = self._clock.now()
            try:
                if current is None:
                    current = self._made()
                    current.set_markets(markets, currencies)
                    logger.bind(exchange=self._exchange).info("market_data.listening_again")
                reason = await self._until_failure(current, hear)
            except Exception as error:  # noqa: BLE001 - whoever listens must not end in silence
                reason = f"{type(error).__name__}: {error}"[:200]
            pause = _FIRST_RETRY_SECONDS if seconds(self._clock.now() - heard_at) > SILENT_SECONDS else pause * 2
            logger.bind(exchange=self._exchange, reason=reason).warning("market_data.lost")
            await asyncio.sleep(min(pause, _LAST_RETRY_SECONDS))
            current = None

    async def _until_failure(self, exchange: Any, hear: HearEvent) -> str:
        failed: list[str] = []
        self._unheard = None
        account = self._account(exchange)

        def tell(fact: Fact) -> None:
            if isinstance(fact, (MarketBook, MarketTrade)):
                hear(fact)

        for market in account.markets.values():
            market.take = tell
        latest = self._clock.now()
        streams = MarketStreams(account, exchange, failed.append)
        try:
            await streams.start()
            while not failed:
                await asyncio.sleep(_LOOK_SECONDS)
                heard = (market.heard_at for market in account.markets.values())
                latest = max([latest, *(each for each in heard if each is not None)])
                if seconds(self._clock.now() - latest) > SILENT_SECONDS:
                    return f"no book for {SILENT_SECONDS:g} s"
            return failed[0]
        finally:
            streams.stop()
            closing = asyncio.get_running_loop().create_task(close_exchange(exchange))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    def _account(self, exchange: Any) -> Account:
        """What streams need to know; there is no account behind it."""
        clock = VenueClock(self._clock.now)
        orders = OwnOrderNews(ClientIds(self._exchange, frozenset()), clock, self._clock.now)
        trades = OwnTradeNews(exchange, orders, clock)
        markets = {
            symbol: LiveMarket(instrument, self._depths[symbol]) for symbol, instrument in self.instruments.items()
        }
        return Account(self._exchange, exchange, Keys(), clock, orders, trades, markets)

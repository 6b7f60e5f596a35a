"""Notices that a stream has died while its connection looks alive. Each kind of silence has a stated time."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from attrs import define, field
from loguru import logger

from mm_fsm.books.facts import Heartbeat
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, nanoseconds
from mm_fsm.venues.ccxt_venue.account import Account
from mm_fsm.venues.ccxt_venue.live_market import LiveMarket
from mm_fsm.venues.ccxt_venue.payloads import read_book

NEWS_SECONDS: Final = 2.0
"""How long the stream of own orders may take to bring what an answer has brought."""
SILENT_BOOK_SECONDS: Final = 3.0
"""How long a book may stay silent before the exchange is asked whether the market rests or the stream is dead."""
CLOCK_SECONDS: Final = 60.0
"""How often the exchange's clock is asked for."""
CLOCK_RETRY_SECONDS: Final = 0.5
"""How soon it may be asked for again, once a request was refused because of its time."""
COMPLETION_SECONDS: Final = 0.5
"""How often the exchange is asked for what a held trade lacks."""
_LOOK_SECONDS: Final = 0.1


class KeptStreams(Protocol):
    """The account's streams."""

    @property
    def is_up(self) -> bool:
        """Whether they are up, and not being built anew."""
        ...

    @property
    def has_order_stream(self) -> bool:
        """Whether own orders are streamed."""
        ...

    def lose(self, reason: str) -> None:
        """They are dead, and that is sure: say why."""
        ...


@define(eq=False)
class Watch:
    """Looks after one account's streams."""

    account: Account
    streams: KeptStreams
    _clock_due: float = field(default=0.0, init=False)
    _clock_asked: float = field(default=0.0, init=False)
    _completion_due: float = field(default=0.0, init=False)
    _measuring: asyncio.Task[None] | None = field(default=None, init=False)
    _completing: asyncio.Task[None] | None = field(default=None, init=False)
    _probes: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)

    def ask_clock_soon(self) -> None:
        """The exchange refused a request because of its time."""
        self._clock_due = min(self._clock_due, self._clock_asked + CLOCK_RETRY_SECONDS)

    async def run(self) -> None:
        """Look, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                self.look(loop.time())
            except Exception as error:  # noqa: BLE001 - who looks after the streams must not end
                logger.bind(exchange=self.account.name, reason=self.account.reason(error)).error("venue.watch_failed")
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self, time: float) -> None:
        """Look once, at a time of the loop in seconds."""
        if not self.streams.has_order_stream:
            self.account.orders.awaited.clear()  # nobody else will bring it
        if self.streams.is_up:
            self._look_for_late_news()
            for market in self.account.markets.values():
                self._look_at_book(market)
        if self.account.suspension_seconds:
            return
        if time >= self._clock_due and _is_done(self._measuring):
            self._clock_asked, self._clock_due = time, time + CLOCK_SECONDS
            self._measuring = asyncio.get_running_loop().create_task(self.measure_clock())
        if self.account.trades.is_something_open and time >= self._completion_due and _is_done(self._completing):
            self._completion_due = time + COMPLETION_SECONDS
            self._completing = asyncio.get_running_loop().create_task(self.account.trades.complete(self.account))

    def stop(self) -> None:
        """Ask nothing any more."""
        for task in (self._measuring, self._completing, *self._probes.values()):
            if task is not None:
                task.cancel()

    def _look_for_late_news(self) -> None:
        now = self.account.clock.now()
        for (news, client_order_id), since in self.account.orders.awaited.items():
            if now - since > nanoseconds(NEWS_SECONDS):
                self.streams.lose(
                    f"the stream of own orders has not said in {NEWS_SECONDS:g} s that {client_order_id} was {news}"
                )
                return

    def _look_at_book(self, market: LiveMarket) -> None:
        if market.heard_at is None:
            return
        silent = self.account.clock.now() - market.heard_at
        if silent > nanoseconds(SILENT_BOOK_SECONDS) and _is_done(self._probes.get(market.symbol)):
            probe = asyncio.get_running_loop().create_task(self._probe(market))
            self._probes[market.symbol] = probe

    async def _probe(self, market: LiveMarket) -> None:
        """Ask for the book: the same as the last one, and the market rests; another, and its stream is dead."""
        heard_at = market.heard_at
        if self.account.suspension_seconds:
            return
        try:
            book = read_book(await self.account.exchange.fetch_order_book(market.symbol), market.depth)
        except Exception as error:  # noqa: BLE001 - no answer either: the connection is gone
            self.account.judge(error)
            self.streams.lose(f"the book of {market.symbol} is silent, and asking fails: {self.account.reason(error)}")
            return
        if market.heard_at != heard_at:
            return
        if book is not None and (book.bids[:1], book.asks[:1]) == market.best:
            market.heard_at = self.account.clock.now()
            market.tell(Heartbeat(received_at=market.heard_at, symbol=market.symbol))
        else:
            self.streams.lose(
                f"the book of {market.symbol} is silent for {SILENT_BOOK_SECONDS:g} s, and the market has moved"
            )

    async def measure_clock(self) -> None:
        """Ask what time it is at the exchange, and have requests signed with that."""
        exchange = self.account.exchange
        try:
            if exchange.has.get("fetchTime"):
                await exchange.load_time_difference()
                answered_at = self.account.clock.now()
                ahead = exchange.options.get("timeDifference")
                if isinstance(ahead, (int, float)):
                    server = exchange.milliseconds() - ahead
                    self.account.clock.measure(int(server * NANOSECONDS_PER_MILLISECOND), answered_at)
        except Exception as error:  # noqa: BLE001 - it is asked for again
            self.account.judge(error)
            self._clock_due = asyncio.get_running_loop().time() + 1.0
            logger.bind(exchange=self.account.name, reason=self.account.reason(error)).warning("venue.clock_unknown")


def _is_done(task: asyncio.Task[None] | None) -> bool:
    return task is None or task.done()

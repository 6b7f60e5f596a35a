"""Keeps an account's streams up: what cannot be trusted any more is thrown away, and built anew until it is up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from attrs import define, field
from loguru import logger

from mm_fsm.books.facts import AccountFeedLost, ConnectionRestored
from mm_fsm.core.clock import seconds
from mm_fsm.venues.ccxt_venue.account import Account
from mm_fsm.venues.ccxt_venue.library import close_exchange
from mm_fsm.venues.ccxt_venue.streams import News, Streams

KEEP_ALIVE_MILLISECONDS: Final = 2000
"""A half-open connection is noticed after some two and a half of them."""
_FIRST_RETRY_SECONDS: Final = 0.2
_LAST_RETRY_SECONDS: Final = 5.0
_DOING: Final = "both sides are held, quotes cancelled, connections built anew; then books are compared"


@define(eq=False)
class StreamKeeper:
    """One account's streams, generation after generation."""

    account: Account
    make: Callable[..., Any]
    """Makes an exchange object with a configuration."""
    let_close: Callable[[Awaitable[Any]], None]
    """Closes what is thrown away in the background."""
    current: Streams | None = field(default=None, init=False)
    """The latest generation; None before the first one is up."""
    _restoring: asyncio.Task[None] | None = field(default=None, init=False)
    _is_closed: bool = field(default=False, init=False)

    @property
    def is_up(self) -> bool:
        """Whether the streams are up, and not being built anew."""
        return self._restoring is None and self.current is not None

    @property
    def has_order_stream(self) -> bool:
        """Whether own orders are streamed."""
        return self.current is not None and self.current.streams(News.OWN_ORDERS)

    @property
    def since(self) -> int | None:
        """Venue time since when own trades are streamed; None before, and where they are asked for instead."""
        current = self.current
        return current.since if current is not None and current.streams(News.OWN_TRADES) else None

    async def open(self) -> None:
        """Bring the first generation up.

        Raises:
            Exception: what ccxt or the streams raise; the exchange object is closed again.
        """
        self.current = await self._subscribed()

    def lose(self, reason: str) -> None:
        """What the streams say can no longer be trusted: build them anew. Further failures change nothing."""
        if self.is_up and not self._is_closed and self.current is not None:
            self._restoring = asyncio.get_running_loop().create_task(self._restore(reason, self.current))

    def close(self) -> None:
        """Throw the streams away for good."""
        self._is_closed = True
        if self._restoring is not None:
            self._restoring.cancel()
        if self.current is not None:
            self._retire(self.current)

    async def _subscribed(self) -> Streams:
        account = self.account
        exchange = self.make(enableRateLimit=True, streaming={"keepAlive": KEEP_ALIVE_MILLISECONDS})
        exchange.set_markets(account.exchange.markets, account.exchange.currencies)
        exchange.options["timeDifference"] = account.exchange.options.get("timeDifference", 0)
        streams = Streams(account, exchange, self.lose)
        try:
            await streams.start()
        except BaseException:
            self._retire(streams)
            raise
        return streams

    async def _restore(self, reason: str, dead: Streams) -> None:
        account = self.account
        now = account.clock.now
        logger.bind(exchange=account.name, reason=reason, doing=_DOING).warning("venue.streams_lost")
        self._retire(dead)
        began = now()
        for market in account.markets.values():
            market.heard_at = None  # its silence counts from its first book on: with many markets that takes its time
            market.tell(AccountFeedLost(received_at=now(), symbol=market.symbol, reason=reason))
        pause = _FIRST_RETRY_SECONDS
        while True:
            await asyncio.sleep(max(pause, account.suspension_seconds))
            try:
                account.orders.awaited.clear()
                self.current = await self._subscribed()
                break
            except Exception as error:  # noqa: BLE001 - until it succeeds
                account.judge(error)
                pause = min(2 * pause, _LAST_RETRY_SECONDS)
                told = {"reason": account.reason(error), "lost_for": f"{seconds(now() - began):.1f} s"}
                doing = f"tried again in {max(pause, account.suspension_seconds):.1f} s"
                logger.bind(exchange=account.name, **told, doing=doing).warning("venue.streams_still_lost")
        account.orders.awaited.clear()
        self._restoring = None
        lost_for = f"{seconds(now() - began):.1f} s"
        logger.bind(exchange=account.name, lost_for=lost_for).info("venue.streams_restored")
        for market in account.markets.values():
            market.tell(ConnectionRestored(received_at=now(), symbol=market.symbol, reason=reason))

    def _retire(self, streams: Streams) -> None:
        """Closing a half-open connection takes ten seconds: nobody waits for it."""
        streams.stop()
        self.let_close(close_exchange(streams.exchange))

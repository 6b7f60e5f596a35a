"""A small exchange whose market the test moves by hand, and an unmodified ccxt client of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, TypeVar

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.core.instrument import Fees, Instrument
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.testing.rehearsal.client import exchange_factory
from mm_fsm.testing.rehearsal.fault_menu import Fault
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from mm_fsm.testing.rehearsal.terms import RehearsalMarket, RehearsalTerms
from tests.patience import PATIENCE

SYMBOL = "ETH/USDT"
"""Seconds that a condition may take to come true; only what hangs takes so long."""

_Result = TypeVar("_Result")


def instrument(symbol: str = SYMBOL) -> Instrument:
    base, quote = symbol.split("/")
    return Instrument(
        symbol=symbol,
        base_currency=base,
        quote_currency=quote,
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.0001"),
        minimum_quantity=Decimal("0.0002"),
        minimum_notional=Decimal(5),
        maximum_quantity=Decimal(7000),
        maximum_notional=Decimal(9_000_000),
    )


def levels(*pairs: tuple[str, str]) -> tuple[BookLevel, ...]:
    return tuple(BookLevel(Decimal(price), Decimal(size)) for price, size in pairs)


def book(
    bids: tuple[tuple[str, str], ...] = (("1999", "2"), ("1998", "3")),
    asks: tuple[tuple[str, str], ...] = (("2001", "2"), ("2002", "3")),
    symbol: str = SYMBOL,
) -> MarketBook:
    return MarketBook(
        received_at=0,
        exchange_time=0,
        symbol=symbol,
        bids=levels(*bids),
        asks=levels(*asks),
        includes_own_orders=False,
    )


def trade(price: str, size: str, taker: Side, symbol: str = SYMBOL) -> MarketTrade:
    """A trade that happened after every book of ``book``."""
    return MarketTrade(
        received_at=1,
        exchange_time=1,
        symbol=symbol,
        price=Decimal(price),
        size=Decimal(size),
        taker_side=taker,
        trade_id="1",
    )


def terms(**changes: Any) -> RehearsalTerms:
    given: dict[str, Any] = {
        "markets": (RehearsalMarket(instrument=instrument(), events=(book(),)),),
        "balances": {"ETH": Decimal(5), "USDT": Decimal(10_000)},
        "fees": Fees(maker_bps=Decimal(8), taker_bps=Decimal(10)),
    }
    return RehearsalTerms(**{**given, **changes})


class Clock:
    """The host's clock, which a test can move on without waiting."""

    def __init__(self) -> None:
        self._ahead = 0

    def __call__(self) -> int:
        return time.time_ns() + self._ahead

    def jump(self, seconds: float) -> None:
        self._ahead += round(seconds * NANOSECONDS_PER_SECOND)


@asynccontextmanager
async def rehearsal(
    *faults: Fault, configuration: dict[str, Any] | None = None, clock: Clock | None = None, **changes: Any
) -> AsyncIterator[tuple[RehearsalExchange, Any]]:
    """An open exchange, and a client with the markets loaded; the faults begin then."""
    opened = RehearsalExchange(terms(**changes), clock or Clock())
    async with opened as exchange, client_of(exchange, configuration) as client:
        await client.load_markets()
        exchange.inject(*faults)
        yield exchange, client


@asynccontextmanager
async def client_of(exchange: RehearsalExchange, configuration: dict[str, Any] | None = None) -> AsyncIterator[Any]:
    quick = {"enableRateLimit": False, "number": str, "timeout": 20_000}
    client = exchange_factory(exchange.endpoint)({**quick, **(configuration or {})})
    try:
        yield client
    finally:
        await client.close()


def play(part: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    """Run a test's coroutine."""

    async def within() -> _Result:
        return await asyncio.wait_for(part(), PATIENCE)

    return asyncio.run(within())


async def soon(awaitable: Awaitable[_Result]) -> _Result:
    """Wait for something that must come."""
    return await asyncio.wait_for(awaitable, PATIENCE)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must become true."""

    async def watch() -> None:
        while not condition():  # noqa: ASYNC110 - any condition, of either side
            await asyncio.sleep(0.005)

    await soon(watch())


async def place(client: Any, side: str, price: str, size: str = "0.01", **parameters: Any) -> Any:
    """A post-only order, unless the parameters say otherwise."""
    return await client.create_order(SYMBOL, "limit", side, size, price, {"postOnly": True, **parameters})

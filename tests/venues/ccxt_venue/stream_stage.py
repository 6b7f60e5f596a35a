"""An exchange object of ccxt.pro that is connected to nothing: a test says what the exchange streams."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from functools import cache
from typing import Any

import ccxt.pro
from ccxt.async_support.base.ws.client import Client
from ccxt.async_support.base.ws.future import Future

from mm_fsm.venues.ccxt_venue.streamed import set_stream_numbers
from tests.venues.ccxt_venue.raw_markets import BOOKS
from tests.venues.ccxt_venue.test_parsers import MARKET_IDS

_TURNS = 20
_KEYS = {"apiKey": "k", "secret": "c2VjcmV0", "walletAddress": "0x1"}
_MARKET_IDS = {**MARKET_IDS, "hyperliquid": "@1"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "bybit": {"enableUnifiedMargin": False, "enableUnifiedAccount": True, "unifiedMarginStatus": 6},
    "kucoin": {"uta": False},
}
"""What ccxt would ask the exchange for before it listens."""


@cache
def exchange_of(name: str) -> Any:
    """The object, for every stage of that exchange: making one takes longer than a stage does."""
    exchange = getattr(ccxt.pro, name)(
        {"number": str, "enableRateLimit": False, "apiKey": "k", "secret": "c2VjcmV0", "walletAddress": "0x1"}
    )
    exchange.number = str
    exchange.options.update(_OPTIONS.get(name, {}))
    market = {
        "id": _MARKET_IDS.get(name, "ETHUSDT"), "lowercaseId": _MARKET_IDS.get(name, "ETHUSDT").lower(),
        "symbol": "ETH/USDT", "base": "ETH", "quote": "USDT", "baseId": "ETH", "quoteId": "USDT", "type": "spot",
        "spot": True, "contract": False, "precision": {"price": "0.01", "amount": "0.0001"}, "limits": {},
    }  # fmt: skip
    exchange.set_markets([exchange.safe_market_structure(market)])
    set_stream_numbers(exchange)
    return exchange


def offline(name: str) -> tuple[Any, Client]:
    """The object as if it was new, and the one connection that it believes to have."""
    exchange = exchange_of(name)
    exchange.orders = exchange.myTrades = None
    exchange.orderbooks, exchange.trades = {}, {}
    exchange.options["requestId"] = {}
    exchange.asyncio_loop = asyncio.get_running_loop()
    client = Client("", lambda *_: None, lambda *_: None, lambda *_: None, lambda *_: None)

    async def watch_multiple(
        url: str, hashes: list[str], _: Any = None, subscribed: Any = None, subscription: Any = None, *__: Any
    ) -> Any:
        client.url = url
        for each in subscribed or hashes:
            client.subscriptions.setdefault(each, subscription or True)
        return await Future.race([client.future(each) for each in hashes])

    async def watch(
        url: str, message_hash: str, message: Any = None, subscribed: Any = None, subscription: Any = None, *_: Any
    ) -> Any:
        return await watch_multiple(url, [message_hash], message, [subscribed or message_hash], subscription)

    async def nothing(*_: Any, **__: Any) -> str:
        return "token"

    async def fetch(*_: Any, **__: Any) -> Any:
        return deepcopy(BOOKS[name])

    exchange.watch, exchange.watch_multiple, exchange.fetch = watch, watch_multiple, fetch
    exchange.authenticate = exchange.negotiate = nothing
    exchange.client, exchange.open = lambda _: client, lambda: None
    return exchange, client


async def streamed(name: str, method: str, messages: list[Any]) -> Any:
    """What one call of ``watch_*`` gives once the exchange has streamed these messages; None where nothing.

    Raises:
        Exception: what ccxt raises, in the call or while it reads a message.
    """
    exchange, client = offline(name)
    symbol = "ETH/USDT" if method == "watch_order_book" or name == "htx" else None
    call = asyncio.ensure_future(getattr(exchange, method)(symbol))
    try:
        await turns()
        for message in messages:
            handle = exchange.handle_protobuf_message if name == "mexc" else exchange.handle_message
            handle(client, deepcopy(message))
            await turns()
        if call.done():
            return deepcopy(await call)
        return None
    finally:
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)


async def turns() -> None:
    """Let every task have some turns."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)

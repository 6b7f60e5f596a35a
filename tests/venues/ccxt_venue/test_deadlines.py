"""A placement says until when it may be carried out, wherever the exchange has a word for it; nothing else does."""

from __future__ import annotations

import asyncio
from typing import Any

import ccxt.async_support as library
import pytest

from mm_fsm.venues.ccxt_venue.deadlines import DEADLINES, refuse_late_orders
from tests.venues.ccxt_venue.test_parsers import exchange_of

NOW = 1_700_000_000_000
"""14 November 2023, 22:13:20 UTC, by our clock; the exchange's is 250 ms behind."""


class RequestLeft(Exception):  # noqa: N818 - it is no error
    """The request, instead of its answer."""

    def __init__(self, *request: Any) -> None:
        super().__init__(*request)
        self.request = request


def requests_of(name: str) -> tuple[Any, Any]:
    """A placement and a cancel as they would leave: address, method, headers and body."""
    exchange = getattr(library, name)({"apiKey": "k", "secret": "c2VjcmV0", "password": "p", "enableRateLimit": False})
    exchange.milliseconds = lambda: NOW
    exchange.options["timeDifference"] = 250
    exchange.set_markets([exchange_of(name).markets["ETH/USDT"]])

    async def fetch(*request: Any) -> Any:
        raise RequestLeft(*request)

    exchange.fetch = fetch
    refuse_late_orders(exchange, 5_000)

    async def both() -> tuple[Any, Any]:
        found = []
        place = exchange.create_order("ETH/USDT", "limit", "buy", 1, 1000, {"clientOrderId": "t-1"})
        for request in (place, exchange.cancel_order("7", "ETH/USDT")):
            try:
                await request
            except RequestLeft as left:
                found.append(left.request)
        await exchange.close()
        return found[0], found[1]

    return asyncio.run(both())


@pytest.mark.parametrize("name", ["okx", "gate"])
def test_a_header_says_it(name: str) -> None:
    placement, cancel = requests_of(name)
    header = DEADLINES[name].header
    assert placement[2][header] == str(NOW - 250 + 5_000)
    assert header not in cancel[2]


def test_kraken_is_told_in_the_signed_body() -> None:
    placement, cancel = requests_of("kraken")
    assert "deadline=2023-11-14T22%3A13%3A24.750Z" in placement[3]
    assert "deadline" not in cancel[3]


def test_where_the_exchange_has_a_window_nothing_is_added() -> None:
    exchange = library.binance()
    sign = exchange.sign
    refuse_late_orders(exchange, 5_000)
    assert exchange.sign == sign

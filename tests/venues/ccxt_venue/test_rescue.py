"""Orders of a dead run are cancelled by requests alone, though streams and opening fail; nobody else's are touched."""

from __future__ import annotations

from typing import Any

import pytest
from ccxt.base.errors import ExchangeNotAvailable

from mm_fsm.runtime.watchdog import OrdersOfRun, reach, rescue
from mm_fsm.testing.rehearsal.client import exchange_factory
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from mm_fsm.venues.port import RescuedVenue
from tests.venues.ccxt_venue.live_stage import play, rehearsal_terms, venue_on

SYMBOL = "ETH/USDT"
OURS = "mm-abcdef-"


class StreamsAskedForError(Exception):
    """A rescue must not depend on them."""


def failing(make: Any, failures: list[int]) -> Any:
    """Exchange objects whose markets are there only at the third attempt, and that have no stream at all."""

    def made(configuration: Any) -> Any:
        exchange = make(configuration)
        load_markets = exchange.load_markets

        async def loaded(*given: Any, **named: Any) -> Any:
            failures.append(1)
            if len(failures) <= 2:
                raise ExchangeNotAvailable("503")
            return await load_markets(*given, **named)

        async def no_stream(*_: Any, **__: Any) -> Any:
            raise StreamsAskedForError

        exchange.load_markets = loaded
        for name in [each for each in dir(exchange) if each.startswith("watch_")]:
            setattr(exchange, name, no_stream)
        return exchange

    return made


def test_orders_are_rescued_without_streams_once_the_exchange_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mm_fsm.runtime.watchdog.FIRST_RETRY_SECONDS", 0.05)
    monkeypatch.setattr("mm_fsm.runtime.watchdog.LOOK_SECONDS", 0.1)

    async def part() -> None:
        async with RehearsalExchange(rehearsal_terms([SYMBOL], 1)) as exchange:
            make = exchange_factory(exchange.endpoint)
            dead = make({"number": str})
            try:
                await dead.load_markets()
                for name, price in ((f"{OURS}ghijkl-1", 1000), (f"{OURS}ghijkl-2", 1001), ("web_1", 1002)):
                    await dead.create_order(SYMBOL, "limit", "buy", 0.01, price, {"clientOrderId": name})
            finally:
                await dead.close()
            failures: list[int] = []
            said: list[str] = []
            venue = venue_on(exchange, [SYMBOL], make=failing(make, failures))
            assert isinstance(venue, RescuedVenue)
            known = OrdersOfRun(
                symbol=SYMBOL, prefix=OURS, known_ids={}, open_ids={f"{OURS}ghijkl-1": None, f"{OURS}never-7": None}
            )
            try:
                assert await reach(venue, on_failure=lambda problem, _: said.append(problem))
                (rescued,) = await rescue(venue, [known], validity_seconds=0.5, most_seconds=30)
            finally:
                await venue.close()
            assert rescued.is_confirmed
            assert [order.client_order_id for order in exchange.log.open_orders()] == ["web_1"]
            assert len(said) == 2
            assert all("503" in problem for problem in said)

    play(part)


def test_a_market_that_the_exchange_has_closed_is_rescued_all_the_same() -> None:
    def closed(make: Any) -> Any:
        def made(configuration: Any) -> Any:
            exchange = make(configuration)
            load_markets = exchange.load_markets

            async def loaded(*given: Any, **named: Any) -> Any:
                found = await load_markets(*given, **named)
                exchange.markets[SYMBOL]["active"] = False
                return found

            exchange.load_markets = loaded
            return exchange

        return made

    async def part() -> None:
        async with RehearsalExchange(rehearsal_terms([SYMBOL], 1)) as exchange:
            venue = venue_on(exchange, [SYMBOL], make=closed(exchange_factory(exchange.endpoint)))
            try:
                await venue.open_for_requests()
            finally:
                await venue.close()

    play(part)

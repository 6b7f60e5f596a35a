"""Each fault that strikes a message: what ccxt delivers or raises, and what it never does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mm_fsm.core.messages import Side
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from tests.testing.rehearsal.stage import SYMBOL, book, place, play, rehearsal, soon, trade, until

ccxt = pytest.importorskip("ccxt", reason="needs the extra 'exchanges'")

Watch = Callable[[], Any]


async def own_trades_of(exchange: RehearsalExchange, client: Any) -> asyncio.Task[Any]:
    """A task that waits for the next own trades, once the exchange knows the listener."""
    task = asyncio.create_task(client.watch_my_trades())
    await until(lambda: any(connection.has_user_stream for connection in exchange.streams.connections))
    return task


async def traded(exchange: RehearsalExchange, client: Any, *sizes: str) -> None:
    """One own order that trades so much, so often."""
    await place(client, "buy", "1999.50", "1")
    for size in sizes:
        exchange.engine.on_market(trade("1999.40", size, Side.ASK))


def amounts(trades: list[Any]) -> list[str]:
    return [f"{float(own['amount']):g}" for own in trades]


def reports(client: Any) -> list[str]:
    """Filled quantities of the own trades in ccxt's cache."""
    return amounts(list(client.myTrades or ()))


def test_a_late_event_comes_later() -> None:
    async def part() -> None:
        fault = Fault(kind=FaultKind.EVENT_LATE, where=Where.ORDERS, after=1, seconds=0.2)
        async with rehearsal(fault) as (exchange, client):
            await own_trades_of(exchange, client)
            await traded(exchange, client, "0.1", "0.2")
            await until(lambda: len(reports(client)) == 2)
            assert reports(client) == ["0.2", "0.1"]

    play(part)


def test_a_duplicated_event_comes_twice() -> None:
    async def part() -> None:
        fault = Fault(kind=FaultKind.EVENT_DUPLICATED, where=Where.ORDERS, after=1)
        async with rehearsal(fault) as (exchange, client):
            heard: list[dict[str, Any]] = []
            client.handle_message = _also(client.handle_message, heard)
            await own_trades_of(exchange, client)
            await traded(exchange, client, "0.1")
            await until(lambda: len([event for event in heard if event.get("x") == "TRADE"]) == 2)

    play(part)


def _also(handle: Callable[[Any, Any], None], heard: list[dict[str, Any]]) -> Callable[[Any, Any], None]:
    def hear(client: Any, message: Any) -> None:
        heard.append(message.get("event") or message)
        handle(client, message)

    return hear


def test_a_reordered_event_comes_after_the_next_one() -> None:
    async def part() -> None:
        fault = Fault(kind=FaultKind.EVENT_REORDERED, where=Where.ORDERS, after=1)
        async with rehearsal(fault) as (exchange, client):
            heard: list[dict[str, Any]] = []
            client.handle_message = _also(client.handle_message, heard)
            await own_trades_of(exchange, client)
            await traded(exchange, client, "0.1")
            await until(lambda: any(event.get("x") == "TRADE" for event in heard))
            # the balances of the trade overtake its report
            assert [event["e"] for event in heard if "e" in event] == [
                "executionReport",
                "outboundAccountPosition",
                "outboundAccountPosition",
                "executionReport",
            ]

    play(part)


def test_a_lost_event_never_comes() -> None:
    async def part() -> None:
        fault = Fault(kind=FaultKind.EVENT_LOST, where=Where.ORDERS, after=1)
        async with rehearsal(fault) as (exchange, client):
            await own_trades_of(exchange, client)
            await traded(exchange, client, "0.1", "0.2")
            await until(lambda: reports(client) == ["0.2"])
            assert amounts(await client.fetch_my_trades(SYMBOL)) == ["0.1", "0.2"]

    play(part)


def test_a_closed_stream_raises() -> None:
    async def part() -> None:
        fault = Fault(kind=FaultKind.STREAM_CLOSED, where=Where.ORDERS)
        async with rehearsal(fault) as (exchange, client):
            watching = await own_trades_of(exchange, client)
            await place(client, "buy", "1998.50")
            with pytest.raises(ccxt.NetworkError):
                await soon(watching)
            await own_trades_of(exchange, client)  # the next call connects anew

    play(part)


def test_a_half_open_stream_is_noticed_by_its_missing_pongs() -> None:
    async def part() -> None:
        fault = Fault(kind=FaultKind.HALF_OPEN, where=Where.ORDERS)
        quick = {"streaming": {"keepAlive": 500, "maxPingPongMisses": 2}}
        async with rehearsal(fault, configuration=quick) as (exchange, client):
            watching = await own_trades_of(exchange, client)
            await place(client, "buy", "1998.50")
            with pytest.raises(ccxt.RequestTimeout):
                await soon(watching)

    play(part)


@pytest.mark.parametrize("kind", [FaultKind.USER_STREAM_ENDED, FaultKind.USER_STREAM_SILENT])
def test_a_user_stream_ends_and_nothing_is_raised(kind: FaultKind) -> None:
    """The connection stays, ccxt goes on waiting, and fills are found only by asking."""

    async def part() -> None:
        async with rehearsal(Fault(kind=kind, where=Where.ORDERS)) as (exchange, client):
            heard: list[dict[str, Any]] = []
            client.handle_message = _also(client.handle_message, heard)
            watching = await own_trades_of(exchange, client)
            await traded(exchange, client, "0.1")
            assert amounts(await client.fetch_my_trades(SYMBOL)) == ["0.1"]
            assert not watching.done()
            told = [event["e"] for event in heard if "e" in event]
            if kind is FaultKind.USER_STREAM_ENDED:
                await until(lambda: [event["e"] for event in heard if "e" in event] == ["eventStreamTerminated"])
            else:
                assert told == []
            assert len(exchange.streams.connections) == 1
            watching.cancel()

    play(part)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_poisoned_message_ends_the_receiving_and_nothing_is_raised() -> None:
    async def part() -> None:
        fault = Fault(kind=FaultKind.POISONED, where=Where.ORDERS)
        async with rehearsal(fault) as (exchange, client):
            problems: list[dict[str, Any]] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
            watching = await own_trades_of(exchange, client)
            await traded(exchange, client, "0.1")
            await until(lambda: bool(problems))
            assert amounts(await client.fetch_my_trades(SYMBOL)) == ["0.1"]
            assert not watching.done()
            watching.cancel()

    play(part)


def test_a_gap_in_the_book_raises_and_the_next_call_synchronises() -> None:
    async def part() -> None:
        async with rehearsal() as (exchange, client):
            await soon(client.watch_order_book(SYMBOL))
            exchange.inject(Fault(kind=FaultKind.BOOK_GAP, after=1))
            with pytest.raises(ccxt.ChecksumError):
                await _follow_a_moving_book(exchange, client)
            seen = await soon(client.watch_order_book(SYMBOL))
            top = exchange.engine.market("ETHUSDT").depth.top(Side.BID, 1)
            assert [[float(price), float(size)] for price, size in top] == seen["bids"]

    play(part)


async def _follow_a_moving_book(exchange: RehearsalExchange, client: Any) -> None:
    for number in range(1, 20):
        watching = asyncio.create_task(client.watch_order_book(SYMBOL))
        exchange.engine.on_market(book(bids=(("1998", str(number)),)))
        await asyncio.wait({watching}, timeout=0.3)
        if watching.done():
            await watching

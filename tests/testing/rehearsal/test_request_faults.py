"""Each fault that strikes a request: what ccxt raises, what the exchange has done by then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mm_fsm.core.messages import Side
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where
from mm_fsm.testing.rehearsal.terms import RequestLimits
from tests.testing.rehearsal.stage import SYMBOL, Clock, place, play, rehearsal, soon, trade, until

ccxt = pytest.importorskip("ccxt", reason="needs the extra 'exchanges'")

SHORT = 300
"""Milliseconds until the client gives a hanging request up."""
HANGING = (FaultKind.HANG_BEFORE, FaultKind.HANG_AFTER)


@pytest.mark.parametrize(
    ("kind", "raised", "is_placed"),
    [
        (FaultKind.HANG_BEFORE, "RequestTimeout", False),
        (FaultKind.HANG_AFTER, "RequestTimeout", True),
        (FaultKind.DROP_BEFORE, "ExchangeNotAvailable", False),
        (FaultKind.DROP_AFTER, "ExchangeNotAvailable", True),
        (FaultKind.TRUNCATE, "ExchangeError", True),
        (FaultKind.SERVER_ERROR_BEFORE, "ExchangeNotAvailable", False),
        (FaultKind.SERVER_ERROR_AFTER, "ExchangeNotAvailable", True),
        (FaultKind.UNKNOWN_BEFORE, "OperationFailed", False),
        (FaultKind.UNKNOWN_AFTER, "RequestTimeout", True),
        (FaultKind.RATE_LIMITED, "DDoSProtection", False),
        (FaultKind.BANNED, "DDoSProtection", False),
        (FaultKind.MAINTENANCE, "OnMaintenance", False),
        (FaultKind.POST_ONLY_REJECTED, "OrderImmediatelyFillable", False),
        (FaultKind.FUNDS_REJECTED, "InsufficientFunds", False),
    ],
)
def test_a_placement_meets_a_fault(kind: FaultKind, raised: str, is_placed: bool) -> None:
    """The class that ccxt raises says nothing about whether the order is in the book; the log does."""

    async def part() -> None:
        async with rehearsal(Fault(kind=kind)) as (exchange, client):
            client.timeout = SHORT if kind in HANGING else client.timeout
            with pytest.raises(ccxt.BaseError) as caught:
                await place(client, "buy", "1998.50", clientOrderId="mine")
            assert type(caught.value).__name__ == raised
            assert [order.client_order_id for order in exchange.log.open_orders()] == ["mine"] * is_placed
            (struck,) = exchange.log.faults()
            assert (struck.fault.kind, struck.where, struck.symbol) == (kind, Where.PLACE, SYMBOL)

    play(part)


@pytest.mark.parametrize("kind", [FaultKind.HANG_AFTER, FaultKind.TRUNCATE, FaultKind.SERVER_ERROR_AFTER])
def test_a_cancel_meets_a_fault_and_has_worked(kind: FaultKind) -> None:
    async def part() -> None:
        async with rehearsal(Fault(kind=kind, where=Where.CANCEL)) as (exchange, client):
            placed = await place(client, "buy", "1998.50")
            client.timeout = SHORT if kind in HANGING else client.timeout
            with pytest.raises(ccxt.BaseError):
                await client.cancel_order(placed["id"], SYMBOL)
            assert exchange.log.open_orders() == ()

    play(part)


def test_a_dropped_cancel_is_sent_again_by_the_client_and_then_finds_nothing() -> None:
    """Aiohttp repeats a DELETE on a kept connection by itself: a cancel that worked surfaces as OrderNotFound."""

    async def part() -> None:
        async with rehearsal(Fault(kind=FaultKind.DROP_AFTER, where=Where.CANCEL)) as (exchange, client):
            placed = await place(client, "buy", "1998.50")
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(placed["id"], SYMBOL)
            assert exchange.log.open_orders() == ()

    play(part)


def test_an_answer_comes_late() -> None:
    async def part() -> None:
        fault = Fault(kind=FaultKind.DELAY_AFTER, where=Where.PLACE, seconds=0.2)
        async with rehearsal(fault) as (exchange, client):
            placing = asyncio.create_task(place(client, "buy", "1998.50"))
            await until(lambda: len(exchange.log.open_orders()) == 1)
            assert not placing.done()
            assert (await soon(placing))["status"] == "open"

    play(part)


def test_a_placement_that_arrives_after_its_window_has_no_effect() -> None:
    async def part() -> None:
        fault = Fault(kind=FaultKind.DELAY_BEFORE, where=Where.PLACE, seconds=0.3)
        async with rehearsal(fault) as (exchange, client):
            with pytest.raises(ccxt.InvalidNonce):
                await place(client, "buy", "1998.50", recvWindow=100)
            assert exchange.log.open_orders() == ()

    play(part)


def test_a_placement_that_arrives_late_within_its_window_is_taken() -> None:
    async def part() -> None:
        fault = Fault(kind=FaultKind.DELAY_BEFORE, where=Where.PLACE, seconds=1.5)
        async with rehearsal(fault) as (exchange, client):
            client.timeout = 1000
            with pytest.raises(ccxt.RequestTimeout):
                await place(client, "buy", "1998.50")
            assert exchange.log.open_orders() == ()
            await until(lambda: len(exchange.log.open_orders()) == 1)

    play(part)


@pytest.mark.parametrize(("kind", "status"), [(FaultKind.RATE_LIMITED, 429), (FaultKind.BANNED, 418)])
def test_a_suspension_says_for_how_long_and_ends(kind: FaultKind, status: int) -> None:
    async def part() -> None:
        clock = Clock()
        async with rehearsal(Fault(kind=kind, seconds=6), clock=clock) as (exchange, client):
            for _ in range(2):
                with pytest.raises(ccxt.DDoSProtection):
                    await client.fetch_balance()
            assert 1 <= int(client.last_response_headers["Retry-After"]) <= 7
            assert [request.status for request in exchange.log.asked_while_refused()] == [status]
            clock.jump(6)
            await client.fetch_balance()

    play(part)


@pytest.mark.parametrize("kind", [FaultKind.BANNED, FaultKind.MAINTENANCE])
def test_a_ban_and_maintenance_keep_new_connections_out(kind: FaultKind) -> None:
    async def part() -> None:
        clock = Clock()
        async with rehearsal(Fault(kind=kind, seconds=6), clock=clock) as (exchange, client):
            with pytest.raises(ccxt.BaseError):
                await client.fetch_balance()
            with pytest.raises(ccxt.NetworkError):
                await soon(client.watch_trades(SYMBOL))
            assert exchange.streams.connections == frozenset()
            clock.jump(6)
            await client.fetch_balance()

    play(part)


def test_maintenance_is_told_by_the_status() -> None:
    async def part() -> None:
        async with rehearsal(Fault(kind=FaultKind.MAINTENANCE, seconds=30)) as (_, client):
            with pytest.raises(ccxt.OnMaintenance):
                await client.fetch_balance()
            assert (await client.fetch_status())["status"] == "maintenance"

    play(part)


@pytest.mark.parametrize("skew", [-30.0, 30.0])
def test_the_exchanges_clock_is_off_until_it_is_measured(skew: float) -> None:
    async def part() -> None:
        fault = Fault(kind=FaultKind.CLOCK_SKEW, seconds=30, skew_seconds=skew)
        async with rehearsal(fault) as (_, client):
            with pytest.raises(ccxt.InvalidNonce):
                await client.fetch_balance()
            await client.load_time_difference()
            await client.fetch_balance()

    play(part)


def test_a_new_order_is_not_to_be_found_for_a_while() -> None:
    async def part() -> None:
        fault, clock = Fault(kind=FaultKind.VISIBLE_LATE, seconds=6), Clock()
        async with rehearsal(fault, clock=clock) as (exchange, client):
            placed = await place(client, "buy", "1998.50", clientOrderId="mine")
            assert await client.fetch_open_orders(SYMBOL) == []
            with pytest.raises(ccxt.OrderNotFound):
                await client.fetch_order(None, SYMBOL, {"origClientOrderId": "mine"})
            assert len(exchange.log.open_orders()) == 1
            clock.jump(6)
            assert [order["id"] for order in await client.fetch_open_orders(SYMBOL)] == [placed["id"]]

    play(part)


def test_a_new_order_trades_in_part_at_once() -> None:
    async def part() -> None:
        async with rehearsal(Fault(kind=FaultKind.PARTIAL_FILL)) as (_, client):
            placed = await place(client, "buy", "1998.50", "0.0101")
            assert (placed["filled"], placed["remaining"]) == ("0.00500000", "0.0051")

    play(part)


def test_a_fill_races_a_cancel_and_wins() -> None:
    async def part() -> None:
        async with rehearsal(Fault(kind=FaultKind.FILL_RACES_CANCEL)) as (exchange, client):
            placed = await place(client, "buy", "1998.50")
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(placed["id"], SYMBOL)
            assert (await client.fetch_order(placed["id"], SYMBOL))["status"] == "closed"
            assert [str(fill.quantity) for fill in exchange.log.fills()] == ["0.01"]

    play(part)


def test_fees_are_null_while_they_are_charged() -> None:
    async def part() -> None:
        async with rehearsal(Fault(kind=FaultKind.NULL_FEES, seconds=30)) as (exchange, client):
            told = asyncio.create_task(client.watch_my_trades())
            await until(lambda: any(connection.has_user_stream for connection in exchange.streams.connections))
            await place(client, "buy", "1999.50", "0.1")
            exchange.engine.on_market(trade("1999", "1", Side.ASK))
            (streamed,) = await soon(told)
            (asked,) = await client.fetch_my_trades(SYMBOL)
            for own in (streamed, asked):
                assert own["info"].get("n", own["info"].get("commission")) is None
                assert own["fee"]["cost"] is None
            assert str(exchange.log.fills()[0].fee) == "0.00008000"

    play(part)


def test_a_repeated_placement_is_told_to_be_a_duplicate() -> None:
    """What ``maxRetriesOnFailure`` does to a placement that was taken and answered with 503."""

    async def part() -> None:
        fault = Fault(kind=FaultKind.SERVER_ERROR_AFTER, where=Where.PLACE)
        repeating = {"options": {"maxRetriesOnFailure": 1, "maxRetriesOnFailureDelay": 1}}
        async with rehearsal(fault, configuration=repeating) as (exchange, client):
            with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
                await place(client, "buy", "1998.50", clientOrderId="mine")
            assert len(exchange.log.open_orders()) == 1

    play(part)


def test_past_the_weight_limit_requests_are_refused_and_then_banned() -> None:
    async def part() -> None:
        limits = RequestLimits(weight_per_minute=100, warnings_before_ban=1, ban_seconds=60)
        async with rehearsal(limits=limits) as (exchange, client):
            statuses: list[Any] = []
            while len(statuses) < 3:
                with pytest.raises(ccxt.DDoSProtection):
                    await _ask_until_refused(client)
                statuses.append(next(reversed(exchange.log.entries)).status)  # type: ignore[attr-defined]
            assert statuses == [429, 418, 418]

    play(part)


async def _ask_until_refused(client: Any) -> None:
    for _ in range(20):
        await client.fetch_balance()


def test_past_the_order_limit_orders_are_refused() -> None:
    async def part() -> None:
        async with rehearsal(limits=RequestLimits(orders_per_day=2)) as (exchange, client):
            for price in ("1998.50", "1998.60"):
                await place(client, "buy", price)
            with pytest.raises(ccxt.DDoSProtection):
                await place(client, "buy", "1998.70")
            assert int(client.last_response_headers["Retry-After"]) > 0
            assert len(exchange.log.open_orders()) == 2

    play(part)

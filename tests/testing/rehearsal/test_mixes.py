"""A clumsy trader under random mixes of faults: whatever reaches it, the exchange's own books stay right."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from mm_fsm.core.instrument import Fees
from mm_fsm.testing.rehearsal.fault_menu import random_faults
from mm_fsm.testing.rehearsal.judge import OrderEnded, RehearsalLog
from mm_fsm.testing.rehearsal.ready_markets import simulated_market
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from mm_fsm.testing.rehearsal.terms import RequestLimits
from tests.testing.rehearsal.stage import client_of, play, terms, until

ccxt = pytest.importorskip("ccxt", reason="needs the extra 'exchanges'")

SYMBOLS = ("BTC/USDT", "ETH/USDT", "BNB/USDT")
BALANCES = {"USDT": Decimal(50_000), "BTC": Decimal(1), "ETH": Decimal(5), "BNB": Decimal(3)}
STRIKES = 6
"""Of faults, before the books are looked at."""


async def trade(client: Any, draw: Random) -> None:
    """Ask for something, again and again; what is raised is not understood."""
    while True:
        with suppress(ccxt.BaseError, KeyError):
            await ask(client, draw)
        await asyncio.sleep(0.005)


async def ask(client: Any, draw: Random) -> None:
    symbol, side = draw.choice(SYMBOLS), draw.choice(("buy", "sell"))
    if draw.random() < 0.3:
        for order in (await client.fetch_open_orders(symbol))[:2]:
            await client.cancel_order(order["id"], symbol)
        return
    ticker = await client.fetch_ticker(symbol)
    touch = float(ticker["bid" if side == "buy" else "ask"])
    price = client.price_to_precision(symbol, touch * (1 + draw.uniform(-2, 2) / 10_000))
    size = client.amount_to_precision(symbol, 60 / touch)
    await client.create_order(symbol, "limit", side, size, price, {"postOnly": draw.random() < 0.8})


async def listen(watch: Any) -> None:
    while True:
        with suppress(ccxt.BaseError, KeyError):
            await watch()
        await asyncio.sleep(0.01)


def change_by_fills(log: RehearsalLog) -> dict[str, Decimal]:
    """What fills moved of each currency, fees included."""
    change = dict.fromkeys(BALANCES, Decimal(0))
    for fill in log.fills():
        base, quote = fill.symbol.split("/")
        change[base] += fill.side.sign * fill.quantity
        change[quote] -= fill.side.sign * fill.quantity * fill.price
        change[fill.fee_currency] -= fill.fee
    return change


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_books_of_the_exchange_stay_right(seed: int) -> None:
    async def part() -> None:
        markets = tuple(
            simulated_market(symbol, seed=seed + number, takers_per_second=4.0) for number, symbol in enumerate(SYMBOLS)
        )
        faults = random_faults(seed, count=25, within_seconds=2.5)
        given = terms(
            markets=markets,
            balances=BALANCES,
            fees=Fees(maker_bps=Decimal(8), taker_bps=Decimal(10)),
            pays_fees_in_bnb=True,
            limits=RequestLimits(weight_per_minute=10**9, orders_per_ten_seconds=10**9, orders_per_day=10**9),
        )
        async with RehearsalExchange(given) as exchange, client_of(exchange, {"timeout": 1000}) as client:
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # ccxt's own, about what poisoned it
            await client.load_markets()
            exchange.inject(*faults)
            watches = [client.watch_orders, client.watch_my_trades, lambda: client.watch_order_book(SYMBOLS[0])]
            work = [trade(client, Random(seed)), trade(client, Random(seed + 100)), *map(listen, watches)]
            tasks = [asyncio.create_task(each) for each in work]
            log = exchange.log
            await until(lambda: len(log.faults()) >= STRIKES and bool(log.fills()) and any(log.of(OrderEnded)))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            exchange.streams.abort()
        changes = change_by_fills(log)
        assert log.balances() == {currency: BALANCES[currency] + changes[currency] for currency in BALANCES}
        assert log.post_only_takes() == ()
        assert log.off_grid(market.instrument for market in markets) == ()
        assert {order.order_id for order in log.open_orders()} == {o.order_id for o in exchange.engine.open_orders()}

    play(part)

"""Own trades: none is lost or told twice, however they are numbered; what they lack is asked for, not for ever."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from ccxt.base.errors import BadSymbol, NetworkError, OrderNotFound
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import ConversionPriceReported, OrderFilled, OwnTradesReported, QueryFailed
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import PlaceOrder, QueryOwnTrades, Side
from mm_fsm.venues.ccxt_venue.own_trades import MOST_ANSWERS
from mm_fsm.venues.ccxt_venue.payloads import read_trade
from mm_fsm.venues.ccxt_venue.streams import StreamError, Streams
from tests.venues.ccxt_venue.test_news import NOW, PLACE, SYMBOL, Bench

FEE = {"cost": "0.001", "currency": "USDT"}
AN_HOUR = 7_200
"""Looks of half a second."""


def raw_trade(trade_id: Any = "1", order: Any = "7", **changes: Any) -> dict[str, Any]:
    return {
        "id": trade_id,
        "order": order,
        "symbol": SYMBOL,
        "side": "buy",
        "price": "1999",
        "amount": "0.1",
        "takerOrMaker": "maker",
        "timestamp": NOW // 1_000_000,
        "fee": FEE,
        **changes,
    }


def placed(bench: Bench, venue_order_id: str | None, number: int = 1, side: Side = Side.BID) -> PlaceOrder:
    intent = evolve(PLACE, client_order_id=f"mm-abcdef-ghijkl-{number}", side=side)
    order = bench.orders.place(intent, bench.market)
    if venue_order_id is not None:
        bench.orders.take(order, venue_order_id, NOW, from_stream=False)
    return intent


def fills(bench: Bench) -> list[tuple[str, str | None]]:
    return [(each.client_order_id, each.fee_currency) for each in bench.told if isinstance(each, OrderFilled)]


def hear(bench: Bench, *payloads: dict[str, Any]) -> None:
    Streams(bench.account, bench.exchange, lambda _: None)._hear_trades(list(payloads))


def complete(bench: Bench, looks: int = 1) -> None:
    async def part() -> None:
        for _ in range(looks):
            if bench.account.trades.is_something_open:
                await bench.account.trades.complete(bench.account)
            bench.time += nanoseconds(0.5)

    asyncio.run(part())


@given(st.lists(st.sampled_from(["7", "8"]), max_size=6), st.sampled_from([Side.BID, Side.ASK]))
def test_trades_of_two_orders_may_bear_one_number(news: list[str], side: Side) -> None:
    """Numbered anew with each order, or one number for both sides of a trade with oneself: each is one fill."""
    bench = Bench()
    placed(bench, "7"), placed(bench, "8", 2, side)
    for order in news:
        hear(bench, raw_trade("1", order, side="buy" if order == "7" or side is Side.BID else "sell"))
    told = [each for each in bench.told if isinstance(each, OrderFilled)]
    assert len(told) == len({*news})
    assert len({each.trade_id for each in told}) == len(told)


def test_a_list_of_own_trades_has_each_of_them_whatever_their_numbers() -> None:
    trades = [raw_trade("1", "7"), raw_trade("1", "8"), raw_trade("2", "7"), raw_trade("1", "7")]
    bench = Bench(fetch_my_trades=trades)
    placed(bench, "7"), placed(bench, "8", 2)
    asyncio.run(bench.looks.answer(QueryOwnTrades(symbol=SYMBOL, since=0)))
    (answer,) = [each for each in bench.told if isinstance(each, OwnTradesReported)]
    assert [fill.client_order_id[-1] for fill in answer.fills] == ["1", "2", "1"]
    hear(bench, raw_trade("1", "8"))
    assert fills(bench)[-1][0][-1] == "2"
    assert len({fill.trade_id for fill in answer.fills}) == 3


@pytest.mark.parametrize("lacks", ["id", "order", "price", "amount", "timestamp"])
def test_an_own_trade_that_cannot_be_told_from_others_ends_the_stream(lacks: str) -> None:
    """So the books hold and are compared with the exchange: a fill is never passed over."""
    bench = Bench()
    placed(bench, "7")
    with pytest.raises(StreamError, match=SYMBOL):
        hear(bench, raw_trade(**{lacks: None}) if lacks not in {"id", "order"} else {**raw_trade(), lacks: None})
    hear(bench, {**raw_trade(), "id": None, "symbol": "DOGE/USDT"})  # no market of ours
    assert fills(bench) == []


def test_a_fee_that_is_not_said_is_not_known_and_told_later() -> None:
    bench = Bench(fetch_my_trades=lambda *_: [raw_trade()])
    placed(bench, "7")
    hear(bench, raw_trade(fee={"cost": None, "currency": None}))
    complete(bench, 2)
    told = [(each.fee, each.fee_currency) for each in bench.told if isinstance(each, OrderFilled)]
    assert told == [(None, None), (Decimal("0.001"), "USDT")]
    assert not bench.account.trades.is_something_open


def test_a_fee_that_the_exchange_never_says_is_not_asked_for_for_ever() -> None:
    bench = Bench(fetch_my_trades=lambda *_: [raw_trade(fee=None)])
    placed(bench, "7")
    hear(bench, raw_trade(fee=None))
    complete(bench, AN_HOUR)
    assert len(bench.asked) == MOST_ANSWERS
    hear(bench, raw_trade())  # said late after all
    assert fills(bench)[1:] == [("mm-abcdef-ghijkl-1", "USDT")]


def test_an_outage_does_not_use_up_the_patience() -> None:
    bench = Bench(fetch_my_trades=NetworkError("no"))
    placed(bench, "7")
    hear(bench, raw_trade(fee=None))
    complete(bench, AN_HOUR)
    assert bench.account.trades.is_something_open
    assert 60 <= len(bench.asked) <= 80  # once a minute, after a few quick ones


def test_a_currency_without_a_market_keeps_no_other_from_being_priced() -> None:
    """Asked for in the order in which fees came: the first has no market, the second one whose question fails."""

    def ticker(pair: str) -> dict[str, str]:
        if pair.startswith("BAD"):
            raise BadSymbol(pair)
        return {"last": "600"}

    bench = Bench(fetch_ticker=ticker)
    bench.exchange.markets = dict.fromkeys(("BAD/USDT", "BNB/USDT", SYMBOL))
    placed(bench, "7")
    for number, currency in enumerate(("NOWHERE", "BAD", "BNB")):
        hear(bench, raw_trade(str(number), fee={"cost": "1", "currency": currency}))
    complete(bench)
    assert [each.currency for each in bench.told if isinstance(each, ConversionPriceReported)] == ["BNB"]
    complete(bench, AN_HOUR)
    assert len(bench.asked) == 1 + MOST_ANSWERS
    assert [currency for _, currency in fills(bench)] == ["NOWHERE", "BAD", "BNB"]


def test_a_currency_that_only_the_inverse_market_knows_is_priced_by_it() -> None:
    """0.0005 of it for a dollar: one is worth 2,000 dollars."""
    bench = Bench(fetch_ticker=lambda _: {"last": "0.0005"})
    bench.exchange.markets = {"USDT/XAU": None}
    placed(bench, "7")
    hear(bench, raw_trade(fee={"cost": "1", "currency": "XAU"}))
    complete(bench)
    assert [each.price for each in bench.told if isinstance(each, ConversionPriceReported)] == [2000]


def test_a_price_is_asked_for_again_once_it_is_old() -> None:
    bench = Bench(fetch_ticker=lambda _: {"last": "600"})
    placed(bench, "7")
    for number in range(3):
        hear(bench, raw_trade(str(number), fee={"cost": "1", "currency": "BNB"}))
        complete(bench)
        bench.time += nanoseconds(31)
    assert len([each for each in bench.told if isinstance(each, ConversionPriceReported)]) == 2


def test_a_trade_whose_order_nobody_finds_is_somebody_elses_once_every_own_order_has_its_number() -> None:
    bench = Bench(fetch_order=OrderNotFound("no"), fetch_my_trades=[raw_trade("1", "99")])
    placed(bench, "7")
    question = QueryOwnTrades(symbol=SYMBOL, since=0)
    asyncio.run(bench.looks.answer(question))
    assert bench.kinds()[QueryFailed] == 1
    hear(bench, raw_trade("1", "99"))
    complete(bench, AN_HOUR)
    assert bench.asked.count("fetch_order") == MOST_ANSWERS
    asyncio.run(bench.looks.answer(question))
    assert bench.kinds()[OwnTradesReported] == 1
    assert fills(bench) == []


def test_a_trade_that_may_be_of_an_order_whose_outcome_is_not_known_stays_unknown_and_says_so() -> None:
    bench = Bench(fetch_order=OrderNotFound("no"), fetch_my_trades=[raw_trade("1", "99")])
    intent = placed(bench, None)
    hear(bench, raw_trade("1", "99"))
    complete(bench, AN_HOUR)
    asked = bench.asked.count("fetch_order")
    assert asked == MOST_ANSWERS
    asyncio.run(bench.looks.answer(QueryOwnTrades(symbol=SYMBOL, since=0)))
    (failed,) = [each for each in bench.told if isinstance(each, QueryFailed)]
    assert "whose order" in failed.reason
    assert bench.asked.count("fetch_order") == asked
    order = bench.orders.order(bench.market, intent.client_order_id)
    assert order is not None
    bench.orders.take(order, "99", NOW, from_stream=True)  # found after all: the fill is told at once
    bench.account.trades.hear_held()
    assert fills(bench) == [(intent.client_order_id, "USDT")]


@pytest.mark.parametrize("changes", [{"side": "sell"}, {"amount": "0.6"}, {"price": "1999.01"}])
def test_a_trade_that_does_not_fit_an_unknown_order_does_not_keep_it_unknown(changes: dict[str, str]) -> None:
    """It bids 1,999 for half a coin."""
    bench = Bench()
    placed(bench, None)
    trade, fitting = read_trade(raw_trade("1", "99", **changes)), read_trade(raw_trade("1", "99"))
    assert trade is not None
    assert fitting is not None
    assert not bench.orders.may_be_ours(bench.market, trade)
    assert bench.orders.may_be_ours(bench.market, fitting)

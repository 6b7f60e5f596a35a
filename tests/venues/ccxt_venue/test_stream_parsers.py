"""What ccxt makes of streamed messages, whole and damaged, and this adapter of that: nothing invented, nothing broken.

Each message goes through ccxt's own handler of the exchange's stream, and out of the ``watch_*`` call that awaits it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any

import ccxt.pro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mm_fsm.books.facts import OrderAcknowledged, OrderFilled
from mm_fsm.core.messages import Liquidity, ReportedStatus, Side
from mm_fsm.venues.ccxt_venue.payloads import SeenBook, SeenOrder, SeenTrade, read_book, read_orders, read_trades
from mm_fsm.venues.ccxt_venue.streamed import (
    CORRECTED,
    FLOAT_BOOKS,
    corrected_orders,
    corrected_trades,
    set_stream_numbers,
    told_apart,
)
from mm_fsm.venues.ccxt_venue.streams import Streams
from tests.venues.ccxt_venue.raw_streams import ASKS, BIDS, BOOK_NEWS, ORDER_NEWS, TRADE_NEWS, T
from tests.venues.ccxt_venue.stream_stage import exchange_of, streamed
from tests.venues.ccxt_venue.test_news import OURS, PLACE, Bench
from tests.venues.ccxt_venue.test_parsers import damaged

SAY_NO_FEE = {"kucoin"}
"""Exchanges that stream an own trade without its fee."""
SAY_NO_TIME = {"gemini", "kraken"}
"""Exchanges whose first streamed book bears no time."""
FEES = {
    "binance": [("event", "n")],
    "okx": [("data", 0, "fillFee")],
    "bybit": [("data", 0, "execFee")],
    "gate": [("result", 0, "fee"), ("result", 0, "gt_fee"), ("result", 0, "point_fee")],
    "bitget": [("data", 0, "feeDetail", 0, "totalFee")],
    "kraken": [("data", 0, "fees", 0, "qty")],
    "cryptocom": [("result", "data", 0, "fees")],
    "htx": [("data", "transactFee")],
}
"""Where a streamed own trade says its fee."""
LIQUIDITY = {
    "binance": ("event", "m"),
    "okx": ("data", 0, "execType"),
    "bybit": ("data", 0, "isMaker"),
    "gate": ("result", 0, "role"),
    "bitget": ("data", 0, "tradeScope"),
    "kucoin": ("data", "liquidity"),
    "kraken": ("data", 0, "liquidity_ind"),
    "cryptocom": ("result", "data", 0, "taker_side"),
    "htx": ("data", "aggressor"),
}
STATES = {
    "binance": ("event", "X"),
    "okx": ("data", 0, "state"),
    "bybit": ("data", 0, "orderStatus"),
    "bitget": ("data", 0, "status"),
    "kucoin": ("data", "type"),
    "kraken": ("data", 0, "order_status"),
    "cryptocom": ("result", "data", 0, "status"),
    "htx": ("data", "orderStatus"),
}
"""Where a streamed own order says its state; Gate's says it by the kind of its event."""


def orders_of(name: str, *messages: Any) -> list[SeenOrder]:
    return read_orders(corrected_orders(name, list(asyncio.run(streamed(name, "watch_orders", [*messages])) or [])))


def trades_of(name: str, *messages: Any) -> list[SeenTrade]:
    told = asyncio.run(streamed(name, "watch_my_trades", [*messages]))
    return read_trades(corrected_trades(name, list(told or [])))


def book_of(name: str, messages: list[Any], depth: int = 5) -> SeenBook | None:
    return read_book(asyncio.run(streamed(name, "watch_order_book", messages)), depth)


def changed(message: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The message with another value at a place, or without it."""
    raw = inside = deepcopy(message)
    *steps, last = path
    for step in steps:
        inside = inside[step]
    if value == "missing":
        del inside[last]
    else:
        inside[last] = value
    return raw


def values_of(raw: Any) -> Iterator[Decimal]:
    """Every number that stands in a message, whatever its sign: some exchanges give a side so."""
    for each in raw.values() if isinstance(raw, dict) else raw:
        if isinstance(each, (dict, list)):
            yield from values_of(each)
        elif isinstance(each, (str, int, float)) and not isinstance(each, bool):
            try:
                yield Decimal(str(each)).copy_abs()
            except ArithmeticError:
                continue


def test_at_least_six_exchanges_are_heard() -> None:
    assert {*ORDER_NEWS} == {*TRADE_NEWS}
    assert len(ORDER_NEWS) >= 6
    assert {*TRADE_NEWS} - SAY_NO_FEE == {*FEES}
    assert {*TRADE_NEWS} == {*LIQUIDITY}
    assert {*ORDER_NEWS} - {"gate"} == {*STATES}
    assert len(BOOK_NEWS) >= 9
    assert {*ORDER_NEWS} | {"coinbase", "hyperliquid", "mexc"} >= CORRECTED
    assert {*BOOK_NEWS} >= FLOAT_BOOKS


# -- own orders --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*ORDER_NEWS])
def test_a_streamed_order_is_read_as_it_is(name: str) -> None:
    (seen,) = orders_of(name, ORDER_NEWS[name])
    assert seen.client_text in {"mm-a", "mma", "t-mma"}
    assert (seen.side, seen.price) == (Side.BID, Decimal("1999.01"))
    assert (seen.quantity, seen.filled) == (Decimal("0.5"), Decimal("0.2"))
    assert seen.status is ReportedStatus.PARTIALLY_FILLED
    assert seen.exchange_time == T * 1_000_000


@pytest.mark.parametrize("name", [*STATES])
@pytest.mark.parametrize("state", ["UNHEARD_OF", None, "", "missing"])
def test_a_state_that_is_not_known_is_no_state(name: str, state: str | None) -> None:
    try:
        seen = orders_of(name, changed(ORDER_NEWS[name], STATES[name], state))
    except Exception:  # noqa: BLE001 - ccxt gives up: the stream is built anew
        return
    assert [each.status for each in seen] in ([], [None])


@pytest.mark.parametrize("name", [*ORDER_NEWS])
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_a_damaged_streamed_order_is_never_read_as_something_that_it_is_not(name: str, data: st.DataObject) -> None:
    raw = data.draw(damaged(ORDER_NEWS[name]))
    try:
        found = orders_of(name, raw)
    except Exception:  # noqa: BLE001 - ccxt gives up: the stream is built anew, and the order looked at
        return
    told = {each for each in values_of(raw) if each.is_finite()}
    sums = {one + sign * other for one in told for other in told | {Decimal(0)} for sign in (1, -1)}
    for seen in found:
        assert seen.price is None or seen.price in told
        assert {seen.quantity, seen.filled} - {None} <= sums  # what is left and what traded make the whole
        if seen.status is ReportedStatus.FILLED:
            assert seen.filled == seen.quantity
        assert seen.status not in {ReportedStatus.CANCELED, ReportedStatus.REJECTED, ReportedStatus.EXPIRED}


# -- own trades --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*TRADE_NEWS])
def test_a_streamed_trade_is_read_as_it_is(name: str) -> None:
    """The fee is 0.0002 ETH where it is taken from what is received, else 0.4 USDT."""
    trades = trades_of(name, TRADE_NEWS[name])
    assert {*trades} == {trades[0]}
    trade = trades[0]
    assert (trade.side, trade.price, trade.quantity) == (Side.BID, Decimal("1999.01"), Decimal("0.2"))
    assert trade.liquidity is Liquidity.MAKER
    assert trade.exchange_time == T * 1_000_000
    expected = {(None, None)} if name in SAY_NO_FEE else {(Decimal("0.0002"), "ETH"), (Decimal("0.4"), "USDT")}
    assert (trade.fee, trade.fee_currency) in expected


@pytest.mark.parametrize("name", [*FEES])
@pytest.mark.parametrize("nothing", ["missing", None, ""])
def test_a_fee_that_a_stream_does_not_say_is_not_zero(name: str, nothing: str | None) -> None:
    raw = TRADE_NEWS[name]
    for path in FEES[name]:
        raw = changed(raw, path, nothing)
    for trade in trades_of(name, raw):
        assert trade.fee is None
        assert not trade.is_complete


@pytest.mark.parametrize("name", [*LIQUIDITY])
@pytest.mark.parametrize("nothing", ["missing", None, ""])
def test_a_stream_that_does_not_say_who_took_is_believed_neither_way(name: str, nothing: str | None) -> None:
    for trade in trades_of(name, changed(TRADE_NEWS[name], LIQUIDITY[name], nothing)):
        assert trade.liquidity is None


def test_a_rebate_is_one_and_a_charge_is_one() -> None:
    """OKX counts what it takes as negative."""
    (rebate,) = trades_of("okx", changed(TRADE_NEWS["okx"], ("data", 0, "fillFee"), "0.0001"))
    assert rebate.fee == Decimal("-0.0001")


def test_several_fees_are_all_of_them_or_not_known() -> None:
    usdt, more = {"asset": "USDT", "qty": 0.4}, {"asset": "USDT", "qty": 0.1}
    (kraken,) = trades_of("kraken", changed(TRADE_NEWS["kraken"], ("data", 0, "fees"), [usdt, more]))
    assert kraken.fee == Decimal("0.5")
    eth, bgb = ({"feeCoin": coin, "totalFee": "-0.0002", "deduction": "no"} for coin in ("ETH", "BGB"))
    (bitget,) = trades_of("bitget", changed(TRADE_NEWS["bitget"], ("data", 0, "feeDetail"), [eth, bgb]))
    assert bitget.fee is None


@pytest.mark.parametrize("name", [*TRADE_NEWS])
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_a_damaged_streamed_trade_is_never_a_fill_of_nothing(name: str, data: st.DataObject) -> None:
    raw = data.draw(damaged(TRADE_NEWS[name]))
    try:
        found = trades_of(name, raw)
    except Exception:  # noqa: BLE001 - ccxt gives up: the stream is built anew, and own trades are asked for
        return
    told = {*values_of(raw)}
    for trade in found:
        assert trade.price > 0
        assert trade.quantity > 0
        assert {trade.price, trade.quantity} <= told
        assert trade.fee is None or abs(trade.fee) in told


# -- books -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*BOOK_NEWS])
def test_a_streamed_book_is_read_as_it_is(name: str) -> None:
    book = book_of(name, BOOK_NEWS[name])
    assert book is not None
    assert [(str(level.price.normalize()), str(level.size.normalize())) for level in book.bids] == [
        (price, size) for price, size in BIDS
    ]
    assert [level.price for level in book.asks] == [Decimal(price) for price, _ in ASKS]
    assert book.exchange_time in ({None} if name in SAY_NO_TIME else {None, T * 1_000_000})


@pytest.mark.parametrize("name", sorted({*BOOK_NEWS} - {"binance", "kucoin"}))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_a_damaged_streamed_book_shows_no_level_that_nobody_sent(name: str, data: st.DataObject) -> None:
    raw = data.draw(damaged(BOOK_NEWS[name][0]))
    try:
        book = book_of(name, [raw])
    except Exception:  # noqa: BLE001 - ccxt gives up: the streams are built anew
        return
    if book is not None:
        told = {*values_of(raw)}
        assert {each for level in (*book.bids, *book.asks) for each in level} <= told


@pytest.mark.parametrize("name", sorted(FLOAT_BOOKS))
def test_books_that_only_floats_can_sort_are_not_sorted_otherwise(name: str) -> None:
    """Were ccxt mended, the table could go: each of these still breaks on the texts that all others take."""
    exchange = getattr(ccxt.pro, name)({"number": str})
    set_stream_numbers(exchange)
    assert exchange.number is float


# -- through the adapter -----------------------------------------------------------------------------------------------


def put_right(name: str, method: str, raw: dict[str, Any]) -> Any:
    """What the parser of an exchange's streams makes of one entry, put right."""
    exchange = exchange_of(name)
    unified = getattr(exchange, method)(deepcopy(raw), exchange.markets["ETH/USDT"])
    correct = corrected_trades if method == "parse_ws_trade" else corrected_orders
    (found,) = correct(name, [{**unified, "symbol": "ETH/USDT"}])
    return found


def test_mexcs_trade_is_nobodys_sale_by_default() -> None:
    raw = {
        "price": "1999.01", "quantity": "0.2", "amount": "399.802", "tradeType": 1, "isMaker": True, "tradeId": "9",
        "orderId": "28", "feeAmount": "0.0002", "feeCurrency": "ETH", "time": T,
    }  # fmt: skip
    (trade,) = read_trades([put_right("mexc", "parse_ws_trade", raw)])
    assert (trade.side, trade.liquidity, trade.fee) == (Side.BID, Liquidity.MAKER, Decimal("0.0002"))
    less = {name: value for name, value in raw.items() if name not in {"tradeType", "isMaker"}}
    (trade,) = read_trades([put_right("mexc", "parse_ws_trade", less)])
    assert (trade.side, trade.liquidity) == (None, None)


def test_hyperliquids_fee_is_in_the_currency_that_it_says() -> None:
    raw = {"coin": "@1", "px": "1999.01", "sz": "0.2", "side": "B", "time": T, "oid": 28, "tid": 9, "fee": "0.0002"}
    (trade,) = read_trades([put_right("hyperliquid", "parse_ws_trade", {**raw, "feeToken": "ETH"})])
    assert (trade.fee, trade.fee_currency) == (Decimal("0.0002"), "ETH")
    (trade,) = read_trades([put_right("hyperliquid", "parse_ws_trade", raw)])
    assert trade.fee is None


def test_coinbases_order_is_more_than_what_has_traded() -> None:
    raw = {
        "order_id": "28", "client_order_id": "mm-a", "product_id": "ETH-USDT", "order_side": "BUY", "status": "OPEN",
        "cumulative_quantity": "0.2", "leaves_quantity": "0.3", "limit_price": "1999.01", "avg_price": "1999.01",
        "order_type": "Limit", "creation_time": "2023-11-14T22:13:20Z",
    }  # fmt: skip
    (seen,) = read_orders([put_right("coinbase", "parse_ws_order", raw)])
    assert (seen.quantity, seen.filled) == (Decimal("0.5"), Decimal("0.2"))
    assert seen.status is ReportedStatus.PARTIALLY_FILLED
    del raw["leaves_quantity"]
    (seen,) = read_orders([put_right("coinbase", "parse_ws_order", raw)])
    assert seen.quantity is None


KRAKENS = TRADE_NEWS["kraken"]["data"][0]
FILLED = {"order_id": "OABC", "exec_type": "filled", "order_status": "filled", "symbol": "ETH/USDT", "cum_qty": 0.5}
GONE = {
    "order_id": "OXYZ", "exec_type": "canceled", "order_status": "canceled", "symbol": "ETH/USDT", "cl_ord_id": "other",
}  # fmt: skip


@pytest.mark.parametrize("executions", [[KRAKENS, FILLED], [KRAKENS, GONE], [GONE, KRAKENS], [FILLED, KRAKENS, GONE]])
def test_executions_in_one_message_are_told_apart(executions: list[Any]) -> None:
    """Whatever comes first, the trade is a fill and the cancel a cancel; nothing lacks what a trade has."""
    message = {**TRADE_NEWS["kraken"], "data": executions}
    method = "watch_my_trades" if executions[0] is KRAKENS else "watch_orders"
    payload = asyncio.run(streamed("kraken", method, [message]))
    orders, trades = told_apart(exchange_of("kraken"), list(payload), are_trades=method == "watch_my_trades")
    assert [trade.trade_id for trade in read_trades(trades)] == ["OABC/TABC"]
    assert len(read_trades(trades)) == len(trades)
    ended = {seen.venue_order_id: seen.status for seen in read_orders(orders) if seen.has_ended}
    assert ended == ({"OXYZ": ReportedStatus.CANCELED} if GONE in executions else {})


@pytest.mark.parametrize("name", [*ORDER_NEWS])
def test_a_streamed_order_and_its_trade_are_one_acknowledgement_and_one_fill(name: str) -> None:
    """However often they come: the order's number leads to our id, so that the fill has an owner."""
    bench = Bench()
    bench.account.name = bench.exchange.id = name
    bench.orders.place(PLACE, bench.market)
    (seen,) = orders_of(name, ORDER_NEWS[name])
    bench.orders.remember(bench.market, seen.venue_order_id, OURS)
    streams = Streams(bench.account, exchange_of(name), lambda _: None)
    for _ in range(2):
        told = asyncio.run(streamed(name, "watch_my_trades", [TRADE_NEWS[name]]))
        streams._hear_streamed(list(told), are_trades=True)
        told = asyncio.run(streamed(name, "watch_orders", [ORDER_NEWS[name]]))
        streams._hear_streamed(list(told), are_trades=False)
    assert [type(each) for each in bench.told if isinstance(each, (OrderAcknowledged, OrderFilled))] in (
        [OrderFilled, OrderAcknowledged],
        [OrderAcknowledged, OrderFilled],
    )

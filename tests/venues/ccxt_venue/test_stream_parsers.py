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
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mm_fsm.books.facts import OrderAcknowledged, OrderCanceled, OrderExpired, OrderFilled
from mm_fsm.core.messages import Liquidity, ReportedStatus, Side
from mm_fsm.venues.ccxt_venue.client_ids import ClientIds
from mm_fsm.venues.ccxt_venue.library import lineage
from mm_fsm.venues.ccxt_venue.live_market import LiveMarket
from mm_fsm.venues.ccxt_venue.payloads import SeenBook, SeenOrder, SeenTrade, read_book, read_orders, read_trades
from mm_fsm.venues.ccxt_venue.stream_keeper import StreamKeeper
from mm_fsm.venues.ccxt_venue.streamed import (
    CORRECTED,
    FLOAT_BOOKS,
    READ_ORDERS,
    READ_TRADES,
    STREAMS_EXECUTIONS,
    corrected_orders,
    corrected_trades,
    pass_executions,
    set_stream_numbers,
)
from mm_fsm.venues.ccxt_venue.streams import News, Source, Streams, source_of
from tests.venues.ccxt_venue.raw_streams import ASKS, BIDS, BOOK_NEWS, ORDER_NEWS, TRADE_NEWS, WHEN, T
from tests.venues.ccxt_venue.stream_stage import exchange_of, offline, streamed, turns
from tests.venues.ccxt_venue.test_news import CANCEL, INSTRUMENT, NOW, OURS, PLACE, Bench
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
    "mexc": [("privateDeals", "feeAmount")],
    "hyperliquid": [("data", "fills", 0, "fee")],
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
    "mexc": ("privateDeals", "isMaker"),
    "hyperliquid": ("data", "fills", 0, "crossed"),
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
    "mexc": ("privateOrders", "status"),
    "hyperliquid": ("data", 0, "status"),
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
    assert {*ORDER_NEWS} | {"coinbase"} >= {*CORRECTED}
    assert {*BOOK_NEWS} >= {*FLOAT_BOOKS}


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
FIRST, LAST = {**KRAKENS, "exec_id": "T1"}, {**KRAKENS, "exec_id": "T2", "last_qty": 0.3}
PENDING = {**ORDER_NEWS["kraken"]["data"][0], "exec_type": "pending_new", "order_status": "pending_new", "cum_qty": 0}
NEW = {"order_id": "OABC", "exec_type": "new", "order_status": "new", "timestamp": WHEN, "order_userref": 0}
FILLED = {"order_id": "OABC", "exec_type": "filled", "order_status": "filled", "cum_qty": 0.5, "timestamp": WHEN}
GONE = {
    "timestamp": WHEN, "order_status": "canceled", "exec_type": "canceled", "order_userref": 0, "order_id": "OABC",
    "cum_qty": 0, "cum_cost": 0, "fee_usd_equiv": 0, "avg_price": 0, "cancel_reason": "User requested",
}  # fmt: skip
"""As Kraken sends it: what follows an order's first execution says neither its market nor its name."""
OTHERS = {**GONE, "order_id": "OXYZ"}


def heard(*messages: list[Any]) -> Bench:
    """What a machine is told once Kraken has streamed executions, several in a message."""
    bench = Bench()
    bench.account.name = bench.exchange.id = "kraken"
    bench.orders.ids = ClientIds("kraken", frozenset({"mm"}))
    bench.orders.place(PLACE, bench.market)

    async def part() -> None:
        exchange, client = offline("kraken")
        streams = Streams(bench.account, exchange, lambda _: None)
        pass_executions(exchange, streams._executions.put_nowait)
        task = asyncio.ensure_future(streams._hear_executions())
        try:
            for data in messages:
                exchange.handle_message(client, {**TRADE_NEWS["kraken"], "data": deepcopy(data)})
            await turns()
        finally:
            del exchange.handle_message  # the object is shared
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    bench.orders.remember(bench.market, "OABC", OURS)
    asyncio.run(part())
    return bench


def fills(bench: Bench) -> list[tuple[str, Decimal]]:
    return [(fact.trade_id, fact.quantity) for fact in bench.told if isinstance(fact, OrderFilled)]


ONE, OTHER = ("OABC/T1", Decimal("0.2")), ("OABC/T2", Decimal("0.3"))


@pytest.mark.parametrize(
    ("executions", "trades"),
    [
        ([PENDING, NEW, FIRST, LAST, FILLED], [ONE, OTHER]),
        ([PENDING, FIRST, FILLED], [ONE]),
        ([NEW, FIRST, FILLED], [ONE]),
        ([FIRST, LAST, FILLED], [ONE, OTHER]),
        ([OTHERS, FIRST, LAST], [ONE, OTHER]),
        ([FIRST, OTHERS, LAST], [ONE, OTHER]),
        ([NEW, OTHERS], []),
    ],
)
def test_no_execution_of_a_message_hides_another(executions: list[Any], trades: list[Any]) -> None:
    """Whatever comes first, in one message or in one each: every trade is a fill, and taken is what was taken."""
    for messages in ([executions], [[each] for each in executions], [executions, executions]):
        bench = heard(*messages)
        assert fills(bench) == trades
        taken = NEW in executions or PENDING in executions
        assert bench.kinds()[OrderAcknowledged] == int(taken)
        assert bench.kinds()[OrderCanceled] == 0


@pytest.mark.parametrize("end", [GONE, {**GONE, "exec_type": "expired", "order_status": "expired"}])
def test_an_end_that_names_no_market_is_heard(end: dict[str, Any]) -> None:
    """By the order's number; one of somebody else's order is nobody's."""
    kind = OrderCanceled if end is GONE else OrderExpired
    for messages in ([[NEW, end]], [[PENDING], [end]], [[FIRST, end]], [[end], [end]]):
        assert heard(*messages).kinds()[kind] == 1
    assert heard([OTHERS]).told == []


def test_a_cancel_that_the_stream_confirms_is_no_unknown_outcome() -> None:
    """Kraken's answer says no more than how many were cancelled; the order's end follows on the stream."""
    bench = Bench(cancel_order={"id": None, "status": None, "info": {"error": [], "result": {"count": "1"}}})
    bench.account.name = bench.exchange.id = "kraken"
    order = bench.orders.place(PLACE, bench.market)
    bench.orders.take(order, "OABC", T * 1_000_000, from_stream=True)

    async def part() -> None:
        streams = Streams(bench.account, exchange_of("kraken"), lambda _: None)
        cancelling = bench.requests.cancel(CANCEL)
        task = asyncio.ensure_future(streams._hear_executions())
        await turns()
        streams._executions.put_nowait(GONE)
        await turns()
        task.cancel()
        cancelling.cancel()
        await asyncio.gather(task, cancelling, return_exceptions=True)

    asyncio.run(part())
    assert [type(fact) for fact in bench.told] == [OrderAcknowledged, OrderCanceled]
    assert not order.is_cancel_owed, "so that it is not called unknown a second later"


def test_a_trade_that_lacks_what_tells_it_from_others_ends_the_streams() -> None:
    bench, failures = Bench(), list[str]()
    bench.account.name = bench.exchange.id = "kraken"
    streams = Streams(bench.account, exchange_of("kraken"), failures.append)
    streams._executions.put_nowait({name: value for name, value in KRAKENS.items() if name != "last_qty"})
    asyncio.run(streams._supervised("own executions", streams._hear_executions))
    assert len(failures) == 1
    assert "own trade" in failures[0]


def test_the_market_of_a_number_that_two_markets_share_is_not_guessed() -> None:
    bench = Bench()
    other = LiveMarket(evolve(INSTRUMENT, symbol="BTC/USDT"), 5)
    bench.orders.remember(bench.market, "7", OURS)
    assert bench.orders.market_of([bench.market, other], "7", None) is bench.market
    bench.orders.remember(other, "7", "mm-abcdef-ghijkl-2")
    assert bench.orders.market_of([bench.market, other], "7", None) is None
    bench.orders.place(PLACE, bench.market)
    assert bench.orders.market_of([bench.market, other], "7", OURS) is bench.market


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("okx", ("data",)), ("bybit", ("data",)), ("gate", ("result",)), ("bitget", ("data",)),
        ("cryptocom", ("result", "data")), ("hyperliquid", ("data", "fills")),
    ],
)  # fmt: skip
def test_two_trades_in_one_message_are_two_fills(name: str, place: tuple[str, ...]) -> None:
    raw = inside = deepcopy(TRADE_NEWS[name])
    for step in place:
        inside = inside[step]
    numbers = ("tradeId", "execId", "id", "trade_id", "tid")
    inside.append({key: (10 if value == 9 else "10") if key in numbers else value for key, value in inside[0].items()})
    assert len({trade.trade_id for trade in trades_of(name, raw)}) == 2


def renumbered(raw: Any) -> Any:
    """The message about the next trade."""
    numbers = {"tradeId", "execId", "id", "trade_id", "tid", "t"}
    if isinstance(raw, list):
        return [renumbered(each) for each in raw]
    if not isinstance(raw, dict):
        return raw
    following = {9: 10, "9": "10"}
    return {
        key: following[each]
        if key in numbers and isinstance(each, (int, str)) and each in following
        else renumbered(each)
        for key, each in raw.items()
    }


@pytest.mark.parametrize("name", sorted({*TRADE_NEWS} - STREAMS_EXECUTIONS))
def test_trades_of_two_messages_at_once_are_two_fills(name: str) -> None:
    """Both have come before whoever waits for the first one has his turn."""

    async def part() -> Any:
        exchange, client = offline(name)
        call = asyncio.ensure_future(exchange.watch_my_trades("ETH/USDT" if name == "htx" else None))
        await turns()
        handle = exchange.handle_protobuf_message if name == "mexc" else exchange.handle_message
        handle(client, deepcopy(TRADE_NEWS[name]))
        handle(client, renumbered(TRADE_NEWS[name]))
        return list(await call)

    told = read_trades(corrected_trades(name, asyncio.run(part())))
    assert {trade.trade_id for trade in told} == {"28/9", "28/10"}


# -- whom to believe ---------------------------------------------------------------------------------------------------


def test_only_streams_that_are_tested_here_are_believed() -> None:
    """Of all others own trades are asked for, and the ends of orders known from answers."""
    assert {*READ_TRADES} == {*TRADE_NEWS}
    assert {*READ_ORDERS} == {*ORDER_NEWS, "coinbase"}
    for name in ccxt.pro.exchanges:
        exchange = getattr(ccxt.pro, name)()
        if source_of(exchange, News.OWN_TRADES) is Source.STREAM:
            assert {*lineage(name)} & {*TRADE_NEWS}, name
        if source_of(exchange, News.OWN_ORDERS) is Source.STREAM:
            assert {*lineage(name)} & {*ORDER_NEWS, "coinbase"}, name


@pytest.mark.parametrize("name", ["bingx", "woo", "deribit", "bitstamp", "gemini"])
def test_own_trades_of_an_untested_stream_are_asked_for(name: str) -> None:
    """BingX streams the whole order's size and price beside those of the trade, and ccxt takes the former."""
    bench, asked = Bench(), list[tuple[Any, ...]]()
    exchange = getattr(ccxt.pro, name)()
    streams = Streams(bench.account, exchange, lambda _: None)
    assert not streams.streams(News.OWN_TRADES)
    assert not streams.streams(News.OWN_ORDERS)

    async def fetch_my_trades(*request: Any) -> list[Any]:
        asked.append(request)
        raise RuntimeError

    async def part() -> None:
        bench.account.exchange.fetch_my_trades = fetch_my_trades
        streams._follow(News.OWN_TRADES, streams._watch_own_trades, streams._poll_own_trades)
        streams._follow(News.OWN_ORDERS, streams._watch_own_orders)
        await asyncio.gather(*streams._tasks)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mm_fsm.venues.ccxt_venue.streams._POLL_SECONDS", 0.0)
        asyncio.run(part())
    assert [symbol for symbol, *_ in asked] == ["ETH/USDT"]
    assert streams.sources == {"own trades": "polling", "own orders": "answers only"}
    keeper = StreamKeeper(bench.account, lambda: exchange, lambda _: None)
    keeper.current, streams.since = streams, NOW
    assert keeper.since is None, "what was not asked for yet proves no stream dead"
    assert not keeper.has_order_stream


def test_a_burst_that_one_list_does_not_hold_is_asked_for_in_parts() -> None:
    """Twenty of forty fills, the oldest first, are all that the exchange shows at once."""
    rows = [
        {"id": str(each), "order": "7", "symbol": "ETH/USDT", "price": "1999", "amount": "0.01", "side": "buy",
         "timestamp": NOW // 10**6 - 30_000 + each * 250, "fee": {"cost": "0", "currency": "USDT"}}
        for each in range(40)
    ]  # fmt: skip

    def listed(_: str, since: int, __: int | None, until: dict[str, int]) -> list[dict[str, Any]]:
        found = [row for row in rows if since <= int(str(row["timestamp"])) <= until.get("until", NOW)]
        if bench.kinds()[OrderFilled] == len(rows):
            raise RuntimeError
        return found[:20]

    bench = Bench(fetch_my_trades=listed)
    bench.exchange.id, bench.account.clock.latest = "woo", NOW
    bench.orders.place(PLACE, bench.market)
    bench.orders.remember(bench.market, "7", OURS)
    failures = list[str]()
    streams = Streams(bench.account, exchange_of("binance"), failures.append)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mm_fsm.venues.ccxt_venue.streams._POLL_SECONDS", 0.0)
        asyncio.run(streams._supervised("own trades", streams._poll_own_trades))
    assert sorted(int(name.partition("/")[2]) for name, _ in fills(bench)) == [*range(40)]
    assert "RuntimeError" in failures[0], "and asked on"


def test_mexcs_order_that_was_cancelled_when_a_part_had_traded_has_ended() -> None:
    (seen,) = orders_of("mexc", changed(ORDER_NEWS["mexc"], ("privateOrders", "status"), 5))
    assert (seen.status, seen.filled) == (ReportedStatus.CANCELED, Decimal("0.2"))


# -- through the adapter -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted({*ORDER_NEWS} - STREAMS_EXECUTIONS))
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

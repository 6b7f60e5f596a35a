"""What ccxt's own parsers make of raw answers, whole and damaged: the adapter neither breaks nor invents.

Orders and own trades go through the parser of each, books and last prices through the whole request.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from functools import cache
from typing import Any

import ccxt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mm_fsm.core.messages import Liquidity, ReportedStatus, Side
from mm_fsm.venues.ccxt_venue.payloads import read_book, read_order, read_price, read_trade
from tests.venues.ccxt_venue.raw_markets import BOOKS, TICKERS
from tests.venues.ccxt_venue.raw_samples import ORDERS
from tests.venues.ccxt_venue.raw_trades import FEE_FIELDS, TRADES

DAMAGE = st.sampled_from(["missing", None, "", "0", "-1", "NaN", "abc", "UNHEARD_OF", 0, [], {}])
OF_A_RESTING_ORDER = {ReportedStatus.OPEN, ReportedStatus.PARTIALLY_FILLED, None}
BITSTAMP_SAYS_LESS = {"bitstamp"}
"""Its answer has no amount traded without its transactions."""

MARKET_IDS = {
    **dict.fromkeys(("okx", "coinbase", "kucoin", "bingx"), "ETH-USDT"),
    **dict.fromkeys(("gate", "cryptocom"), "ETH_USDT"),
    **dict.fromkeys(("htx", "gemini"), "ethusdt"),
}
"""The exchange's own name of the market, where it is another one."""


@cache
def exchange_of(name: str) -> Any:
    exchange = getattr(ccxt, name)({"number": str, "enableRateLimit": False})
    exchange.number = str
    market = {
        "id": MARKET_IDS.get(name, "ETHUSDT"),
        "symbol": "ETH/USDT",
        "base": "ETH",
        "quote": "USDT",
        "baseId": "ETH",
        "quoteId": "USDT",
        "type": "spot",
        "spot": True,
        "contract": False,
        "precision": {"price": "0.01", "amount": "0.0001"},
        "limits": {},
    }
    exchange.set_markets([exchange.safe_market_structure(market)])
    return exchange


def parsed(name: str, raw: dict[str, Any]) -> Any:
    exchange = exchange_of(name)
    return exchange.parse_order(raw, exchange.markets["ETH/USDT"])


@pytest.mark.parametrize("name", [*ORDERS])
def test_a_resting_order_is_read_as_it_is(name: str) -> None:
    seen = read_order(parsed(name, deepcopy(ORDERS[name])))
    assert seen is not None
    assert seen.side is Side.BID
    assert seen.price == Decimal("1999.01")
    assert seen.status in OF_A_RESTING_ORDER
    if name not in BITSTAMP_SAYS_LESS:
        assert (seen.quantity, seen.filled) == (Decimal("0.5"), Decimal("0.2"))
        assert seen.status is ReportedStatus.PARTIALLY_FILLED


@pytest.mark.parametrize("name", [*ORDERS])
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_order_is_never_read_as_something_that_it_is_not(name: str, data: st.DataObject) -> None:
    raw = deepcopy(ORDERS[name])
    for field in data.draw(st.lists(st.sampled_from(sorted(raw)), max_size=4, unique=True)):
        value = data.draw(DAMAGE)
        if value == "missing":
            del raw[field]
        else:
            raw[field] = value
    try:
        order = parsed(name, raw)
    except Exception:  # noqa: BLE001 - ccxt itself gives up: such an answer is no answer, and the order UNKNOWN
        return
    seen = read_order(order)
    if seen is None:
        return
    status = order.get("status")
    if seen.status is ReportedStatus.FILLED:
        assert status == "closed"
        assert seen.filled == seen.quantity
    elif seen.status is not None:
        assert status in {"open", "canceled", "expired", "rejected"}
    if seen.filled is not None:
        assert Decimal(order["filled"]) == seen.filled


def test_whose_orders_are_read_their_trades_books_and_prices_are_read_too() -> None:
    assert {*ORDERS} == {*TRADES} == {*FEE_FIELDS} == {*BOOKS} == {*TICKERS}
    assert len(ORDERS) >= 12


# -- own trades --------------------------------------------------------------------------------------------------------

NEVER_SAY_LIQUIDITY = {"gemini", "bitstamp"}
"""ccxt leaves it open there, so that it stays not known."""


def parsed_trade(name: str, raw: dict[str, Any]) -> Any:
    exchange = exchange_of(name)
    return exchange.parse_trade(raw, exchange.markets["ETH/USDT"])


@pytest.mark.parametrize("name", [*TRADES])
def test_an_own_trade_is_read_as_it_is(name: str) -> None:
    """The fee is 0.0002 ETH where it is taken from what is received, else 0.4 USDT."""
    trade = read_trade(parsed_trade(name, deepcopy(TRADES[name])))
    assert trade is not None
    assert (trade.side, trade.price, trade.quantity) == (Side.BID, Decimal("1999.01"), Decimal("0.2"))
    assert (trade.fee, trade.fee_currency) in {(Decimal("0.0002"), "ETH"), (Decimal("0.4"), "USDT")}
    assert trade.liquidity is (None if name in NEVER_SAY_LIQUIDITY else Liquidity.MAKER)
    assert trade.exchange_time == 1_700_000_000 * 10**9


@pytest.mark.parametrize("name", [*TRADES])
@pytest.mark.parametrize("nothing", ["missing", None, ""])
def test_a_fee_that_is_not_said_is_not_zero(name: str, nothing: str | None) -> None:
    raw = deepcopy(TRADES[name])
    raw[FEE_FIELDS[name]] = nothing
    if nothing == "missing":
        del raw[FEE_FIELDS[name]]
    trade = read_trade(parsed_trade(name, raw))
    assert trade is not None
    assert trade.fee is None
    assert not trade.is_complete


def test_a_fee_taken_in_the_exchanges_own_currency_is_that_alone() -> None:
    """Gate lists the fee in what is received as well, which is zero then."""
    trade = read_trade(parsed_trade("gate", {**TRADES["gate"], "fee": "0", "gt_fee": "0.05"}))
    assert trade is not None
    assert (trade.fee, trade.fee_currency) == (Decimal("0.05"), "GT")


@pytest.mark.parametrize("name", [*TRADES])
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_trade_is_never_a_fill_of_nothing(name: str, data: st.DataObject) -> None:
    raw = data.draw(damaged(TRADES[name]))
    try:
        unified = parsed_trade(name, raw)
    except Exception:  # noqa: BLE001 - ccxt itself gives up: such an answer is no answer
        return
    trade = read_trade(unified)
    if trade is None:
        return
    assert trade.price > 0
    assert trade.quantity > 0
    assert trade.side is None or unified["side"] == {Side.BID: "buy", Side.ASK: "sell"}[trade.side]
    assert trade.liquidity is None or unified["takerOrMaker"] == trade.liquidity.value
    if trade.fee is not None:
        assert trade.fee in {Decimal(each["cost"]) for each in (unified["fee"], *unified["fees"]) if each["cost"]}


# -- books and last prices ---------------------------------------------------------------------------------------------


def places(raw: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in an answer its single values stand."""
    entries = raw.items() if isinstance(raw, dict) else enumerate(raw)
    for key, value in entries:
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))
        else:
            yield (*path, key)


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> Any:
    """An answer with up to three values missing, or something else than they were."""
    raw = deepcopy(whole)
    for *path, key in draw(st.lists(st.sampled_from([*places(whole)]), max_size=3, unique=True)):
        value, inside = draw(DAMAGE), raw
        for step in path:
            inside = inside[step]
        if value == "missing" and isinstance(inside, dict):
            del inside[key]
        else:
            inside[key] = value
    return raw


def answered(name: str, method: str, raw: Any) -> Any:
    """What ccxt's method gives where the exchange answers ``raw``."""
    exchange = exchange_of(name)
    exchange.fetch = lambda *_, **__: deepcopy(raw)
    return getattr(exchange, method)("ETH/USDT")


@pytest.mark.parametrize("name", [*BOOKS])
def test_a_book_is_read_as_it_is(name: str) -> None:
    book = read_book(answered(name, "fetch_order_book", BOOKS[name]), 1)
    assert book is not None
    assert book.bids == ((Decimal("1999.01"), Decimal("2.5")),)
    assert book.asks == ((Decimal("2000.1"), Decimal(1)),)
    assert book.exchange_time in {None, 1_700_000_000 * 10**9}


@pytest.mark.parametrize("name", [*BOOKS])
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_book_shows_no_level_that_nobody_sent(name: str, data: st.DataObject) -> None:
    raw = data.draw(damaged(BOOKS[name]))
    try:
        unified = answered(name, "fetch_order_book", raw)
    except Exception:  # noqa: BLE001 - ccxt itself gives up: the streams are built anew
        return
    book = read_book(unified, 5)
    if book is not None:
        levels = {("1999.01", "2.5"), ("1998", "1"), ("2000.1", "1")}
        assert {*book.bids, *book.asks} <= {(Decimal(price), Decimal(size)) for price, size in levels}


@pytest.mark.parametrize("name", [*TICKERS])
def test_a_last_price_is_read_as_it_is(name: str) -> None:
    assert read_price(answered(name, "fetch_ticker", TICKERS[name])) == Decimal("2000.5")


@pytest.mark.parametrize("name", [*TICKERS])
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_last_price_is_that_price_or_none(name: str, data: st.DataObject) -> None:
    raw = data.draw(damaged(TICKERS[name]))
    try:
        unified = answered(name, "fetch_ticker", raw)
    except Exception:  # noqa: BLE001 - ccxt itself gives up: it is asked for again
        return
    assert read_price(unified) in {None, Decimal("2000.5")}

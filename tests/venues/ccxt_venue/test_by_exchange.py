"""What is known of an exchange holds for those that ccxt derives from it."""

from __future__ import annotations

import asyncio
import inspect
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import ccxt
import ccxt.pro
import pytest
from attrs import evolve

import mm_fsm.venues.ccxt_venue as venue
from mm_fsm.books.facts import OrderAcknowledged, OrderFilled
from mm_fsm.core.messages import ReportedStatus, Side
from mm_fsm.venues.ccxt_venue.by_exchange import ByExchange, ExchangeNames
from mm_fsm.venues.ccxt_venue.client_ids import ClientIds
from mm_fsm.venues.ccxt_venue.library import lineage
from mm_fsm.venues.ccxt_venue.payloads import SeenTrade, read_trades
from mm_fsm.venues.ccxt_venue.streamed import corrected_trades
from tests.venues.ccxt_venue.raw_streams import TRADE_NEWS
from tests.venues.ccxt_venue.stream_stage import streamed
from tests.venues.ccxt_venue.test_news import NOW, OURS, PLACE, SYMBOL, Bench, seen

MODULES = [import_module(f"{venue.__name__}.{file.stem}") for file in Path(venue.__file__).parent.glob("[a-z]*.py")]
TABLES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": table
    for module in MODULES
    for name, table in vars(module).items()
    if isinstance(table, (ByExchange, ExchangeNames))
}
DERIVED = {
    "binanceus": "binance", "binanceusdm": "binance", "binancecoinm": "binance", "bybiteu": "bybit", "bybitid": "bybit",
    "gateeu": "gate", "myokx": "okx", "okxus": "okx", "kucoinfutures": "kucoin", "bequant": "hitbtc",
}  # fmt: skip
"""As ccxt has them: each is the class of the other with another address."""


def test_each_exchange_of_the_vendor_has_the_ancestors_of_its_class() -> None:
    for name in ccxt.pro.exchanges:
        ancestors = [each.__name__ for each in inspect.getmro(getattr(ccxt.pro, name))]
        assert lineage(name) == tuple(dict.fromkeys(each for each in ancestors if each in ccxt.exchanges))
    assert {name: lineage(name)[1] for name in ccxt.pro.exchanges if lineage(name)[1:]} == DERIVED


@pytest.mark.parametrize("place", sorted(TABLES))
def test_a_derived_exchange_has_its_ancestors_rule_unless_it_has_its_own(place: str) -> None:
    table = TABLES[place]
    for name in ccxt.pro.exchanges:
        holds = next((each for each in lineage(name) if each in {*table}), None)
        assert (name in table) == (holds is not None)
        if isinstance(table, ByExchange) and holds is not None:
            assert table[name] is table[holds]
    assert "no exchange" not in table


def test_its_own_rule_comes_first() -> None:
    table = ByExchange({"gate": 1, "gateeu": 2, "okx": 3})
    assert [table.get(name) for name in ("gate", "gateeu", "okx", "okxus", "kraken", "mine")] == [
        1,
        2,
        3,
        3,
        None,
        None,
    ]


def test_no_table_of_exchanges_is_of_another_kind() -> None:
    """A plain one would not know whom an exchange is derived from."""
    known = {*ccxt.exchanges}
    for module in MODULES:
        for name, table in vars(module).items():
            if isinstance(table, (set, frozenset, dict)) or type(table).__name__ == "mappingproxy":
                assert not {*map(str, table)} & known, f"{module.__name__}.{name}"
    assert len(TABLES) > 12


@pytest.mark.parametrize("name", ["okx", "okxus", "myokx"])
def test_what_okx_charges_is_no_rebate_at_another_address(name: str) -> None:
    told = asyncio.run(streamed("okx", "watch_my_trades", [TRADE_NEWS["okx"]]))
    assert {trade.fee for trade in read_trades(corrected_trades(name, list(told)))} == {Decimal("0.0002")}


@pytest.mark.parametrize("name", ["gate", "gateeu"])
def test_an_order_that_the_stream_shows_first_is_ours_at_each_address(name: str) -> None:
    """Gate shows every text with ``t-`` in front; a fill that comes before the answer has an owner all the same."""
    bench = Bench()
    bench.account.name = bench.exchange.id = name
    bench.orders.ids = ClientIds(name, frozenset({"mm"}))
    order = bench.orders.place(PLACE, bench.market)
    sent = bench.orders.ids.encode(OURS)
    shown = evolve(seen(ReportedStatus.OPEN), client_text=sent if sent.startswith("t-") else f"t-{sent}")
    bench.orders.hear(bench.market, shown, from_stream=True)
    trade = SeenTrade(
        trade_id="7/1", venue_order_id="7", symbol=SYMBOL, side=Side.BID, price=Decimal(1999), quantity=Decimal("0.5"),
        fee=Decimal(0), fee_currency="USDT", liquidity=None, exchange_time=NOW,
    )  # fmt: skip
    bench.account.trades.hear(bench.market, trade)
    bench.requests._placed(order, shown)
    assert [type(fact) for fact in bench.told] == [OrderAcknowledged, OrderFilled]
    restarted = Bench()
    restarted.orders.ids = bench.orders.ids
    assert restarted.orders.learn(restarted.market, shown) == OURS

"""The exchange as a whole: who may speak to it, its account across markets, its pace, and how it ends."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from attrs import evolve

from mm_fsm.books.facts import MarketBook, TradingStatusChanged
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import Side
from mm_fsm.errors import RecordingError, SettingsError
from mm_fsm.testing.rehearsal.client import LoopbackResolver
from mm_fsm.testing.rehearsal.endpoint import Endpoint
from mm_fsm.testing.rehearsal.market_feed import MarketFeed
from mm_fsm.testing.rehearsal.ready_markets import instrument_of, recorded_market, simulated_market
from mm_fsm.testing.rehearsal.server import RehearsalExchange, beat_after, phase_of
from mm_fsm.testing.rehearsal.terms import KeyPermissions, RehearsalMarket
from mm_fsm.venues.base import MarketEvent
from tests.testing.rehearsal.stage import (
    SYMBOL,
    book,
    client_of,
    instrument,
    place,
    play,
    rehearsal,
    soon,
    terms,
    trade,
    until,
)

ccxt = pytest.importorskip("ccxt", reason="needs the extra 'exchanges'")

PAIRS = ("ETH/USDT", "BNB/USDT")


def markets() -> tuple[RehearsalMarket, ...]:
    events = {"ETH/USDT": book(), "BNB/USDT": book((("599", "9"),), (("601", "9"),), "BNB/USDT")}
    return tuple(RehearsalMarket(instrument=instrument(pair), events=(events[pair],)) for pair in PAIRS)


def test_only_who_trusts_the_test_authority_can_speak_to_it() -> None:
    """A client with the system's authorities, as one that reaches the real exchange, refuses this one."""

    async def part() -> None:
        async with RehearsalExchange(terms()) as exchange:
            resolver = LoopbackResolver(exchange.endpoint.port)
            connector = aiohttp.TCPConnector(resolver=resolver, ssl=ssl.create_default_context())
            async with aiohttp.ClientSession(connector=connector) as session:
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await session.get("https://api.binance.com/api/v3/time")
            assert exchange.log.entries[-1].__class__.__name__ == "BalanceChanged"  # nothing was asked

    play(part)


def test_production_addresses_are_kept() -> None:
    async def part() -> None:
        async with rehearsal() as (_, client):
            assert client.urls["api"]["private"] == "https://api.binance.com/api/v3"
            assert client.urls["api"]["ws"]["ws-api"]["spot"] == "wss://ws-api.binance.com:443/ws-api/v3"

    play(part)


def test_a_key_without_permission_to_trade_may_ask_and_not_trade() -> None:
    async def part() -> None:
        permissions = KeyPermissions(trading=False, withdrawals=True)
        async with rehearsal(permissions=permissions) as (exchange, client):
            restrictions = await client.sapi_get_account_apirestrictions()
            assert (restrictions["enableSpotAndMarginTrading"], restrictions["enableWithdrawals"]) == (False, True)
            await client.fetch_balance()
            client.options["hasAlreadyAuthenticatedSuccessfully"] = False
            with pytest.raises(ccxt.AuthenticationError):
                await place(client, "buy", "1998.50")
            assert exchange.log.open_orders() == ()

    play(part)


def test_a_halted_market_takes_no_order_and_says_so() -> None:
    async def part() -> None:
        async with rehearsal() as (exchange, client):
            exchange.engine.on_market(TradingStatusChanged(received_at=0, symbol=SYMBOL, trading=False))
            with pytest.raises(ccxt.MarketClosed):
                await place(client, "buy", "1998.50")
            assert (await client.load_markets(True))[SYMBOL]["active"] is False
            exchange.engine.on_market(TradingStatusChanged(received_at=0, symbol=SYMBOL, trading=True))
            await place(client, "buy", "1998.50")

    play(part)


def test_markets_share_one_account_and_its_orders() -> None:
    async def part() -> None:
        balances = {"USDT": Decimal(1000), "BNB": Decimal(1)}
        async with rehearsal(markets=markets(), balances=balances) as (_, client):
            await place(client, "buy", "1990", "0.3")
            with pytest.raises(ccxt.InsufficientFunds):  # 597 of 1000 are held
                await client.create_order("BNB/USDT", "limit", "buy", "1", "590")
            await client.create_order("BNB/USDT", "limit", "sell", "1", "610")
            client.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
            assert {order["symbol"] for order in await client.fetch_open_orders()} == set(PAIRS)

    play(part)


def test_a_fee_in_bnb_reaches_the_client() -> None:
    async def part() -> None:
        balances = {"ETH": Decimal(5), "USDT": Decimal(10_000), "BNB": Decimal(1)}
        async with rehearsal(markets=markets(), balances=balances, pays_fees_in_bnb=True) as (exchange, client):
            told = asyncio.create_task(client.watch_my_trades())
            await until(lambda: any(connection.has_user_stream for connection in exchange.streams.connections))
            await place(client, "sell", "2000.50", "1")
            exchange.engine.on_market(trade("2000.60", "1", Side.BID))
            (streamed,) = await soon(told)
            # 2000.50 * 0.0008 * 0.75 / 600 = 0.0020005
            assert streamed["fee"] == {"cost": "0.00200050", "currency": "BNB"}
            assert Decimal((await client.fetch_balance())["BNB"]["total"]) == 1 - Decimal("0.0020005")
            assert (await client.sapi_get_bnbburn())["spotBNBBurn"] is True

    play(part)


def at(second: float, bid: str) -> MarketBook:
    time = round(second * NANOSECONDS_PER_SECOND)
    return evolve(book(bids=((bid, "1"),)), exchange_time=time, received_at=time)


def test_a_market_moves_at_its_pace_and_stands_still_at_its_end() -> None:
    """A thousand seconds of the market take one by the clock."""

    async def part() -> None:
        events = (at(500, "1990"), at(500.1, "1991"), at(900, "1992"), at(1e9, "1993"))
        market = RehearsalMarket(instrument=instrument(), events=events[:3])
        async with RehearsalExchange(terms(markets=(market,), speed=1000.0)) as exchange:
            depth = exchange.engine.market("ETHUSDT").depth
            assert depth.best(Side.BID) == (1990, 1)
            began = asyncio.get_running_loop().time()
            await until(lambda: depth.best(Side.BID) == (1992, 1))
            assert asyncio.get_running_loop().time() - began > 0.39

    play(part)


class Torn:
    """A recording that is malformed after its first book."""

    def __iter__(self) -> Iterator[MarketEvent]:
        yield book()
        raise RecordingError("quotes.csv", 3, "torn.", "Mend it.")


def test_a_recording_that_is_torn_is_told_when_it_is_met() -> None:
    async def part() -> None:
        market = recorded_market(instrument(), Torn())
        with pytest.raises(ExceptionGroup, match="itself broke") as raised:
            async with RehearsalExchange(terms(markets=(market,))) as exchange:
                await soon(exchange.until_broken())
        assert [type(error) for error in raised.value.exceptions] == [RecordingError]

    play(part)


def test_a_recordings_sizes_are_cut_to_lots() -> None:
    market = recorded_market(instrument(), (book(bids=(("1999", "1.00019"), ("1998", "0.00009"))),))
    (first,) = market.events
    assert isinstance(first, MarketBook)
    assert [level.size for level in first.bids] == [Decimal("1.0001")]


def test_a_closed_exchange_lets_nobody_hang() -> None:
    from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind

    async def part() -> None:
        fault = Fault(kind=FaultKind.HANG_AFTER)
        async with RehearsalExchange(terms(faults=(fault,))) as exchange, client_of(exchange) as client:
            hanging = asyncio.create_task(client.fetch_time())
            await until(lambda: bool(exchange.log.faults()))
            exchange_closes = asyncio.create_task(exchange.__aexit__(None, None, None))
            with pytest.raises(ccxt.NetworkError):
                await soon(hanging)
            await soon(exchange_closes)

    play(part)


def test_an_endpoint_survives_a_file_and_hides_its_secret(tmp_path: Any) -> None:
    endpoint = Endpoint(port=1, authority="pem", api_key="key", secret="hidden")
    endpoint.save(tmp_path / "deep" / "endpoint.json")
    assert Endpoint.load(tmp_path / "deep" / "endpoint.json") == endpoint
    assert "hidden" not in repr(endpoint)
    assert "hidden" not in repr(terms(secret="hidden"))
    for content in ("{", "[]", '{"port": 1}'):
        (tmp_path / "bad.json").write_text(content, encoding="utf-8")
        with pytest.raises(SettingsError, match="mm-fsm rehearse"):
            Endpoint.load(tmp_path / "bad.json")


def test_the_variable_that_names_no_file_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MM_FSM_REHEARSAL", raising=False)
    with pytest.raises(
        SettingsError, match=r"^environment variable 'MM_FSM_REHEARSAL': expected .*, found 'not set'\."
    ):
        Endpoint.from_environment()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"markets": ()}, "at least one market"),
        ({"markets": markets()[:1] * 2}, "each once"),
        ({"balances": {"USDT": Decimal(-1)}}, "balances.USDT"),
        ({"balances": {"USDT": Decimal("NaN")}}, "balances.USDT"),
        ({"speed": 0.0}, "speed"),
        ({"pays_fees_in_bnb": True}, "BNB/USDT"),
    ],
)
def test_terms_that_cannot_be_are_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        terms(**changes)


def test_a_market_whose_amounts_need_more_than_eight_digits_is_refused() -> None:
    fine = evolve(instrument(), lot_size=Decimal("0.0000001"))
    with pytest.raises(SettingsError, match="8 digits"):
        RehearsalMarket(instrument=fine)


@pytest.mark.parametrize("symbol", ["BTC/USDT", "ETH/USDT", "C07/USDT"])
def test_a_ready_market_begins_with_a_book_on_its_grid(symbol: str) -> None:
    market = simulated_market(symbol, seed=3)
    first = next(iter(market.events))
    rules: Instrument = instrument_of(symbol)
    assert isinstance(first, MarketBook)
    assert all(rules.is_on_price_grid(level.price) for level in (*first.bids, *first.asks))
    assert all(rules.is_on_quantity_grid(level.size) for level in (*first.bids, *first.asks))


@pytest.mark.parametrize(
    ("now", "following"),
    [(1.0, 1.1), (1.004, 1.1), (1.099, 1.1), (1.101, 1.2), (1.25, 1.3), (7.05, 7.1)],
)
def test_what_publishing_takes_does_not_slow_the_beat_and_what_was_missed_is_left_out(
    now: float, following: float
) -> None:
    assert beat_after(1.0, now) == pytest.approx(following)


def test_markets_take_turns_within_a_beat() -> None:
    turns = [round(phase_of(number), 6) for number in range(100)]
    assert sorted({*turns}) == pytest.approx([0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09])
    assert {turns.count(turn) for turn in turns} == {10}


def test_a_feed_that_has_an_offset_brings_everything_but_its_first_book_later() -> None:
    brought: list[float] = []

    async def part() -> float:
        loop = asyncio.get_running_loop()
        later = [evolve(book(), received_at=milliseconds * 1_000_000) for milliseconds in (0, 10)]
        feed = MarketFeed(iter(later), 1.0, lambda _: brought.append(loop.time()), 0.03)
        feed.open()
        began = loop.time()
        await feed.run()
        return began

    began = asyncio.run(part())
    first, second = brought
    assert first <= began
    assert second >= began + 0.04

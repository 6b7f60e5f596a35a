"""Unmodified ccxt on every request and stream that it uses for spot; expected values are counted by hand."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from mm_fsm.core.messages import Side
from tests.testing.rehearsal.stage import SYMBOL, book, place, play, rehearsal, soon, trade, until

ccxt = pytest.importorskip("ccxt", reason="needs the extra 'exchanges'")


def test_markets_carry_the_instruments_rules() -> None:
    async def part() -> None:
        async with rehearsal() as (_, client):
            market = client.market(SYMBOL)
            assert float(market["precision"]["price"]) == 0.01
            assert float(market["precision"]["amount"]) == 0.0001
            assert float(market["limits"]["amount"]["min"]) == 0.0002
            assert float(market["limits"]["cost"]["min"]) == 5
            assert float(market["limits"]["amount"]["max"]) == 7000
            assert float(market["limits"]["market"]["max"]) == 7000
            assert float(market["limits"]["cost"]["max"]) == 9_000_000
            assert market["spot"]
            assert market["active"]

    play(part)


def test_public_questions_are_answered() -> None:
    async def part() -> None:
        async with rehearsal() as (exchange, client):
            exchange.engine.on_market(trade("2001", "0.5", Side.BID))
            assert abs(await client.fetch_time() - exchange.clock() // 1_000_000) < 5000
            ticker = await client.fetch_ticker(SYMBOL)
            assert (ticker["bid"], ticker["ask"], ticker["last"]) == (
                "1999.00000000",
                "2001.00000000",
                "2001.00000000",
            )
            depth = await client.fetch_order_book(SYMBOL)
            assert [[float(x) for x in level] for level in depth["bids"]] == [[1999, 2], [1998, 3]]
            assert [[float(x) for x in level] for level in depth["asks"]] == [[2001, 1.5], [2002, 3]]
            for method in ("publicGetAggTrades", "publicGetTrades"):
                (public,) = await client.fetch_trades(SYMBOL, params={"fetchTradesMethod": method})
                assert (public["price"], public["amount"], public["side"]) == ("2001.00000000", "0.50000000", "buy")
            assert (await client.fetch_status())["status"] == "ok"
            assert list(await client.fetch_bids_asks([SYMBOL])) == [SYMBOL]
            assert list(await client.fetch_tickers()) == [SYMBOL]

    play(part)


def test_the_account_tells_balances_fees_and_permissions() -> None:
    async def part() -> None:
        async with rehearsal() as (_, client):
            balance = await client.fetch_balance()
            assert balance["total"] == {"ETH": "5", "USDT": "10000"}
            fee = await client.fetch_trading_fee(SYMBOL)
            assert (fee["maker"], fee["taker"]) == ("0.0008", "0.001")
            assert list(await client.fetch_trading_fees()) == [SYMBOL]
            restrictions = await client.sapi_get_account_apirestrictions()
            assert restrictions["enableSpotAndMarginTrading"] is True
            assert restrictions["enableWithdrawals"] is False
            commission = await client.private_get_account_commission({"symbol": "ETHUSDT"})
            assert commission["standardCommission"]["maker"] == "0.00080000"

    play(part)


def test_an_order_is_placed_found_and_cancelled() -> None:
    async def part() -> None:
        async with rehearsal() as (exchange, client):
            placed = await place(client, "buy", "1998.50", clientOrderId="mine")
            assert (placed["status"], placed["clientOrderId"]) == ("open", "mine")
            found = await client.fetch_order(None, SYMBOL, {"origClientOrderId": "mine"})
            assert (found["id"], found["price"], found["amount"]) == (placed["id"], "1998.50000000", "0.01000000")
            assert [order["id"] for order in await client.fetch_open_orders(SYMBOL)] == [placed["id"]]
            held = (await client.fetch_balance())["USDT"]["used"]
            assert Decimal(held) == Decimal("19.985")  # 1998.50 * 0.01
            canceled = await client.cancel_order(placed["id"], SYMBOL)
            assert canceled["status"] == "canceled"
            assert Decimal((await client.fetch_balance())["USDT"]["used"]) == 0
            assert [order["status"] for order in await client.fetch_orders(SYMBOL)] == ["canceled"]
            assert exchange.log.open_orders() == ()

    play(part)


def test_cancelling_all_cancels_the_markets_orders() -> None:
    async def part() -> None:
        async with rehearsal() as (exchange, client):
            await place(client, "buy", "1998.50")
            await place(client, "sell", "2001.50")
            assert len(await client.cancel_all_orders(SYMBOL)) == 2
            assert exchange.log.open_orders() == ()
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_all_orders(SYMBOL)

    play(part)


def test_an_edit_is_a_cancel_and_a_new_order() -> None:
    async def part() -> None:
        async with rehearsal() as (exchange, client):
            placed = await place(client, "buy", "1998.50", clientOrderId="first")
            edited = await client.edit_order(
                placed["id"], SYMBOL, "limit", "buy", "0.02", "1998.60", {"postOnly": True, "clientOrderId": "second"}
            )
            assert edited["id"] != placed["id"]
            assert [order.client_order_id for order in exchange.log.open_orders()] == ["second"]
            await client.cancel_order(edited["id"], SYMBOL)
            with pytest.raises(ccxt.BadResponse):  # as with production URLs
                await client.edit_order(edited["id"], SYMBOL, "limit", "buy", "0.02", "1998.70")

    play(part)


def test_a_fill_reaches_streams_questions_and_balances() -> None:
    async def part() -> None:
        async with rehearsal() as (exchange, client):
            orders = asyncio.create_task(client.watch_orders())
            trades = asyncio.create_task(client.watch_my_trades())
            await client.authenticate({"type": "spot"})
            await place(client, "buy", "1999.50", "1", clientOrderId="mine")
            (opened,) = await soon(orders)
            assert (opened["clientOrderId"], opened["status"]) == ("mine", "open")
            balance = asyncio.create_task(client.watch_balance())
            exchange.engine.on_market(trade("1999", "0.4", Side.ASK))
            (told,) = await soon(trades)
            assert (told["price"], told["amount"], told["takerOrMaker"]) == ("1999.50000000", "0.40000000", "maker")
            # a buyer pays in what is bought: 0.4 * 0.0008
            assert told["fee"] == {"cost": "0.00032000", "currency": "ETH"}
            (asked,) = await client.fetch_my_trades(SYMBOL)
            assert (asked["id"], asked["fee"]["cost"]) == (told["id"], "0.00032000")
            assert float((await soon(balance))["ETH"]["free"]) == 5.39968
            assert (await client.fetch_order(opened["id"], SYMBOL))["filled"] == "0.40000000"

    play(part)


def test_the_book_is_synchronised_and_followed() -> None:
    async def part() -> None:
        async with rehearsal() as (exchange, client):
            seen = await soon(client.watch_order_book(SYMBOL))
            assert seen["bids"] == [[1999, 2], [1998, 3]]
            await place(client, "buy", "1999.25", "0.5")
            while (seen := await soon(client.watch_order_book(SYMBOL)))["bids"][0] != [1999.25, 0.5]:
                pass
            exchange.engine.on_market(book(bids=(("1997", "1"),)))
            while (seen := await soon(client.watch_order_book(SYMBOL)))["bids"] != [[1999.25, 0.5], [1997, 1]]:
                pass

    play(part)


def test_best_prices_and_public_trades_are_streamed() -> None:
    async def part() -> None:
        async with rehearsal() as (exchange, client):

            def is_heard(stream: str) -> bool:
                return any(stream in connection.streams for connection in exchange.streams.connections)

            tickers = asyncio.create_task(client.watch_bids_asks([SYMBOL]))
            trades = asyncio.create_task(client.watch_trades(SYMBOL))
            await until(lambda: is_heard("ethusdt@bookTicker") and is_heard("ethusdt@trade"))
            exchange.engine.on_market(trade("2001", "0.5", Side.BID))
            exchange.engine.on_market(book(bids=(("2000", "1"),)))
            ticker = (await soon(tickers))[SYMBOL]
            assert (float(ticker["bid"]), float(ticker["ask"])) in {(1999, 2001), (2000, 2001)}
            (public,) = await soon(trades)
            assert (public["price"], public["amount"], public["side"]) == ("2001.00000000", "0.50000000", "buy")

    play(part)


@pytest.mark.parametrize(
    ("refused", "act"),
    [
        pytest.param("OrderImmediatelyFillable", lambda c: place(c, "buy", "2001"), id="post-only"),
        pytest.param("InsufficientFunds", lambda c: place(c, "buy", "1900", "6"), id="funds"),
        pytest.param("InvalidOrder", lambda c: c.private_post_order(raw(price="1998.505")), id="price-off-the-grid"),
        pytest.param("InvalidOrder", lambda c: c.private_post_order(raw(quantity="0.01005")), id="size-off-the-grid"),
        pytest.param("InvalidOrder", lambda c: c.private_post_order(raw(quantity="0.0001")), id="too-small"),
        pytest.param("BadRequest", lambda c: c.private_post_order(raw(quantity="0.0003")), id="notional"),
        pytest.param("BadRequest", lambda c: c.private_post_order(raw(quantity="NaN")), id="no-number"),
        pytest.param("BadRequest", lambda c: c.private_post_order(raw(price="-1")), id="negative"),
        pytest.param("BadSymbol", lambda c: c.private_post_order(raw(symbol="NONE")), id="symbol"),
        pytest.param("OrderNotFound", lambda c: c.cancel_order("77", SYMBOL), id="cancel-of-nothing"),
        pytest.param("OrderNotFound", lambda c: c.fetch_order("77", SYMBOL), id="question-about-nothing"),
        pytest.param(
            "InvalidNonce", lambda c: c.private_get_account({"timestamp": c.milliseconds() - 20_000}), id="too-late"
        ),
        pytest.param(
            "InvalidNonce", lambda c: c.private_get_account({"timestamp": c.milliseconds() + 5000}), id="ahead"
        ),
        pytest.param("BadRequest", lambda c: c.private_get_account({"recvWindow": 60_001}), id="window"),
    ],
)
def test_a_refusal_is_the_exchanges_own(refused: str, act: Any) -> None:
    """Production's error mapping makes the class that production's code would."""

    async def part() -> None:
        async with rehearsal() as (exchange, client):
            with pytest.raises(getattr(ccxt, refused)) as raised:
                await act(client)
            assert type(raised.value).__name__ == refused
            assert exchange.log.open_orders() == ()
            assert exchange.log.balances() == {"ETH": 5, "USDT": 10_000}

    play(part)


def raw(**changes: str) -> dict[str, str]:
    """A placement past ccxt's own rounding."""
    order = {"symbol": "ETHUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01", "price": "1998.50"}
    return {**order, **changes}


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        pytest.param({"secret": "wrong"}, "Signature for this request is not valid", id="secret"),
        pytest.param({"apiKey": "unknown"}, "Invalid API-key", id="key"),
    ],
)
def test_who_is_not_the_owner_is_refused(configuration: dict[str, str], expected: str) -> None:
    async def part() -> None:
        async with rehearsal() as (exchange, owner):
            owner.secret = configuration.get("secret", owner.secret)
            owner.apiKey = configuration.get("apiKey", owner.apiKey)
            owner.options["hasAlreadyAuthenticatedSuccessfully"] = False
            with pytest.raises(ccxt.AuthenticationError, match=expected):
                await place(owner, "buy", "1998.50")
            with pytest.raises(KeyError) as lost:  # ccxt stumbles over its own clearing up
                await soon(owner.watch_orders())
            assert isinstance(lost.value.__context__, ccxt.AuthenticationError)
            assert exchange.log.open_orders() == ()

    play(part)


def test_weight_and_order_counts_are_told_in_headers() -> None:
    async def part() -> None:
        async with rehearsal() as (exchange, client):
            before = exchange.meter.weight_used
            await client.fetch_my_trades(SYMBOL)
            headers = client.last_response_headers
            await place(client, "buy", "1998.50")
            assert int(headers["X-MBX-USED-WEIGHT-1M"]) - before == 20
            assert client.last_response_headers["X-MBX-ORDER-COUNT-10S"] == "1"

    play(part)

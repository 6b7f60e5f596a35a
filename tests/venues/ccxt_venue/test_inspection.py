"""What exchanges say of a key's permissions, in their own forms; whatever else they say is not known."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from ccxt.base.errors import NetworkError

from mm_fsm.core.instrument import Fees
from mm_fsm.errors import SettingsError, VenueError
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.account.shared_account import check_permissions
from mm_fsm.venues.ccxt_venue.inspection import (
    PERMISSION_ENDPOINTS,
    foreign_order_of,
    inspection_of,
)
from mm_fsm.venues.inspection import AccountInspection, Permissions
from tests.venues.ccxt_venue.test_news import NOW, OURS, SYMBOL, Bench

SAID: list[tuple[str, Any, Permissions]] = [
    (
        "binance",
        {"enableSpotAndMarginTrading": True, "enableWithdrawals": False},
        Permissions(trade=True, withdraw=False),
    ),
    (
        "binance",
        {"enableSpotAndMarginTrading": "true", "enableWithdrawals": "true"},
        Permissions(trade=True, withdraw=True),
    ),
    ("okx", {"data": [{"perm": "read_only,withdraw,trade"}]}, Permissions(trade=True, withdraw=True)),
    ("okx", {"data": [{"perm": "read_only"}]}, Permissions(trade=False, withdraw=False)),
    (
        "bybit",
        {"result": {"permissions": {"Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"]}}},
        Permissions(trade=True, withdraw=False),
    ),
    (
        "bybit",
        {"result": {"permissions": {"Spot": [], "Wallet": ["AccountTransfer", "Withdraw"]}}},
        Permissions(trade=False, withdraw=True),
    ),
]


@pytest.mark.parametrize(("exchange", "answer", "permissions"), SAID)
def test_each_form_is_read(exchange: str, answer: Any, permissions: Permissions) -> None:
    """As the exchanges' documentations show them."""
    assert PERMISSION_ENDPOINTS[exchange][1](answer) == permissions


@pytest.mark.parametrize("exchange", sorted(PERMISSION_ENDPOINTS))
@pytest.mark.parametrize("answer", [None, {}, [], "x", {"data": []}, {"data": [None]}, {"result": {"permissions": {}}}])
def test_what_makes_no_sense_is_not_known(exchange: str, answer: Any) -> None:
    """Never a crash, and never a permission that nobody stated."""
    assert PERMISSION_ENDPOINTS[exchange][1](answer) == Permissions()


def test_a_key_that_may_withdraw_is_refused_unless_settings_allow_it() -> None:
    with pytest.raises(SettingsError, match="expected a key that may not withdraw, found 'one that may'"):
        check_permissions(Permissions(withdraw=True), AccountSettings())
    check_permissions(Permissions(withdraw=True), AccountSettings(allows_withdrawal_key=True))
    check_permissions(Permissions(), AccountSettings())


def test_a_key_that_may_not_trade_is_refused() -> None:
    with pytest.raises(SettingsError, match="expected a key that may trade"):
        check_permissions(Permissions(trade=False), AccountSettings())


# -- open orders -------------------------------------------------------------------------------------------------------

MINE = {
    "id": "7", "clientOrderId": OURS, "symbol": SYMBOL, "side": "buy", "price": "1999", "amount": "0.5",
    "filled": "0", "status": "open",
}  # fmt: skip
STOP_ORDER = {**MINE, "id": "8", "clientOrderId": "web_1", "side": "sell", "price": None}
ELSEWHERE = {**MINE, "id": "9", "symbol": "SOL/USDT"}
BALANCES = {"total": {"ETH": "1", "USDT": "5000"}, "free": {"ETH": "1", "USDT": "4000"}}


def inspected(orders: Any, page: int | None = None, **methods: Any) -> AccountInspection:
    """The account of an exchange that has no question for its clock, unless ``methods`` has one."""
    bench = Bench(fetch_balance=BALANCES, fetch_open_orders=orders, **methods)
    bench.exchange.has = {"fetchTime": "fetch_time" in methods}
    bench.exchange.features = {"spot": {"fetchOpenOrders": {"limit": page}}}
    fees = {SYMBOL: Fees(maker_bps=Decimal(1), taker_bps=Decimal(2))}
    return asyncio.run(inspection_of(bench.account, "binance-1", fees, {SYMBOL: "mm"}))


def test_a_clock_that_cannot_be_asked_for_is_not_known() -> None:
    """As at Bitstamp, Gemini and Crypto.com: everything else is shown all the same."""
    assert inspected([]).clock_offset_seconds is None
    assert inspected([], fetch_time=NOW // 1_000_000 + 250).clock_offset_seconds == 0.25


def test_every_open_order_is_counted_also_one_without_a_price() -> None:
    market = inspected([MINE, STOP_ORDER, {**MINE, "id": "10", "clientOrderId": "web_2"}]).markets[SYMBOL]
    assert [order.client_order_id for order in market.own_orders] == [OURS]
    assert [order.venue_order_id for order in market.foreign_orders] == ["10"]
    assert market.undescribed_orders == 1


def test_a_list_with_an_order_that_cannot_be_told_is_no_answer() -> None:
    with pytest.raises(VenueError, match="without an id"):
        inspected([MINE, {"symbol": SYMBOL}])


@pytest.mark.parametrize(
    ("orders", "place"),
    [
        ([], None),
        ([MINE], None),
        ([MINE, {**MINE, "id": "8", "clientOrderId": "web_1"}], SYMBOL),
        ([STOP_ORDER], SYMBOL),
        ([{**MINE, "clientOrderId": None}], SYMBOL),
        ([ELSEWHERE], "SOL/USDT"),  # bears our name, and is of another run
        ([{**MINE, "symbol": None}], "a market that it does not name"),
    ],
)
def test_whose_orders_rest_in_the_whole_account(orders: list[Any], place: str | None) -> None:
    assert asyncio.run(foreign_order_of(Bench(fetch_open_orders=orders).account)) == place


@pytest.mark.parametrize("answer", [None, {}, [{"symbol": SYMBOL}], [MINE, MINE], NetworkError("gone")])
def test_a_list_that_may_not_be_all_proves_nothing(answer: Any) -> None:
    """Torn, as long as a page, or none at all."""
    bench = Bench(fetch_open_orders=answer)
    bench.exchange.features = {"spot": {"fetchOpenOrders": {"limit": 2}}}
    with pytest.raises(VenueError, match="open orders are not known"):
        asyncio.run(foreign_order_of(bench.account))


def test_nothing_is_asked_in_a_ban() -> None:
    bench = Bench(fetch_open_orders=[])
    bench.account.suspended_until = NOW + 10**9
    with pytest.raises(VenueError, match=r"takes no request for 1\.0 s"):
        asyncio.run(foreign_order_of(bench.account))
    assert bench.asked == []

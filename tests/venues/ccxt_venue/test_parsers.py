"""What ccxt's own parsers make of raw orders, whole and damaged: the adapter neither breaks nor invents."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from functools import cache
from typing import Any

import ccxt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mm_fsm.core.messages import ReportedStatus, Side
from mm_fsm.venues.ccxt_venue.payloads import read_order
from tests.venues.ccxt_venue.raw_samples import ORDERS

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
    exchange = getattr(ccxt, name)({"number": str})
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

"""Whatever a payload holds: never a crash, never an invented status, and unknown is not zero."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.core.messages import Liquidity, ReportedStatus, Side
from mm_fsm.venues.ccxt_venue.payloads import read_book, read_order, read_orders, read_trade, read_trades

ORDER = {
    "id": "17",
    "clientOrderId": "mm-abcdef-ghijkl-1",
    "symbol": "ETH/USDT",
    "side": "buy",
    "price": "1999.01",
    "amount": "0.5",
    "filled": "0.2",
    "status": "open",
    "timestamp": 1_700_000_000_000,
}
TRADE = {
    "id": "9",
    "order": "17",
    "symbol": "ETH/USDT",
    "side": "sell",
    "price": "1999.01",
    "amount": "0.5",
    "takerOrMaker": "maker",
    "timestamp": 1_700_000_000_000,
    "fee": {"cost": "0.0004", "currency": "BNB"},
    "fees": [],
}
LEAKED = st.sampled_from(
    [
        "open",
        "closed",
        "canceled",
        "cancelled",
        "expired",
        "rejected",
        "pending",
        "triggered",
        "NEW",
        "PARTIALLY_FILLED",
    ]
)
NUMBERS = st.one_of(
    st.none(),
    st.integers(-3, 3),
    st.floats(),
    st.booleans(),
    st.sampled_from(["", "0", "0.5", "-1", "NaN", "Infinity", "1e400", "1e-400", "1_000", " 5 ", "abc"]),
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(st.text(max_size=8), below, max_size=3)),
    max_leaves=6,
)


def bent(payload: dict[str, Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The payload with some fields missing, some of them bent, and some of them anything at all."""
    ways = {name: st.one_of(st.just(value), fields.get(name, NUMBERS), ANYTHING) for name, value in payload.items()}
    return st.fixed_dictionaries({}, optional=ways)


@given(bent(ORDER, status=st.one_of(st.none(), LEAKED)))
def test_no_order_payload_makes_a_crash_or_invents_a_status(payload: dict[str, Any]) -> None:
    seen = read_order(payload)
    if seen is None:
        return
    said = payload.get("status")
    allowed = {
        "open": {ReportedStatus.OPEN, ReportedStatus.PARTIALLY_FILLED},
        "closed": {ReportedStatus.FILLED},
        "canceled": {ReportedStatus.CANCELED},
        "expired": {ReportedStatus.EXPIRED},
        "rejected": {ReportedStatus.REJECTED},
    }
    assert seen.status is None or seen.status in allowed[said]
    assert seen.filled is None or ("filled" in payload and seen.filled >= 0)
    if seen.status is ReportedStatus.FILLED:
        assert seen.filled == seen.quantity is not None
    for figure in (seen.price, seen.quantity):
        assert figure is None or (figure.is_finite() and figure > 0)


@given(bent(TRADE, takerOrMaker=st.sampled_from(["maker", "taker", None, "MAKER"])))
def test_no_trade_payload_makes_a_crash_or_a_fee_of_zero(payload: dict[str, Any]) -> None:
    trade = read_trade(payload)
    if trade is None:
        return
    assert trade.price > 0
    assert trade.quantity > 0
    assert trade.liquidity is None or trade.liquidity.value == payload["takerOrMaker"]
    if trade.fee == 0:
        fee = payload["fees"][0] if payload.get("fees") else payload["fee"]
        assert Decimal(str(fee["cost"])) == 0


@given(ANYTHING)
def test_no_answer_at_all_makes_a_crash(payload: Any) -> None:
    assert read_order(payload) is None or payload.get("id")
    assert read_trade(payload) is None
    assert isinstance(read_orders(payload), list)
    assert isinstance(read_trades(payload), list)
    read_book(payload, 5)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "bids": st.one_of(ANYTHING, st.lists(st.lists(NUMBERS, max_size=3), max_size=4)),
            "asks": st.one_of(ANYTHING, st.lists(st.lists(NUMBERS, max_size=3), max_size=4)),
            "timestamp": NUMBERS,
        },
    ),
    st.integers(1, 5),
)
def test_a_book_is_sound_or_it_is_none(payload: dict[str, Any], depth: int) -> None:
    book = read_book(payload, depth)
    if book is None:
        return
    for levels, sign in ((book.bids, -1), (book.asks, 1)):
        assert len(levels) <= depth
        assert all(level.price > 0 and level.size > 0 for level in levels)
        prices = [level.price * sign for level in levels]
        assert prices == sorted(set(prices))


def test_a_book_is_copied_at_once() -> None:
    cache = {"bids": [[1999.01, 2.5], [1998.0, 1.0]], "asks": [[2000.1, 1]], "timestamp": 1_700_000_000_000}
    book = read_book(cache, 1)
    cache["bids"][0][0] = 5.0  # type: ignore[index]
    assert book is not None
    assert book.bids == ((Decimal("1999.01"), Decimal("2.5")),)
    assert book.exchange_time == 1_700_000_000 * 10**9


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, ReportedStatus.PARTIALLY_FILLED),
        ({"filled": "0"}, ReportedStatus.OPEN),
        ({"filled": None}, ReportedStatus.OPEN),
        ({"filled": "0.5"}, None),  # open, and yet all of it has traded
        ({"status": "closed"}, None),  # closed, and a part has not traded: cancelled or not, it does not say
        ({"status": "closed", "filled": "0.50"}, ReportedStatus.FILLED),
        ({"status": "closed", "filled": None}, None),
        ({"status": "canceled"}, ReportedStatus.CANCELED),
        ({"status": "rejected"}, None),  # and yet a part has traded
        ({"status": "rejected", "filled": "0"}, ReportedStatus.REJECTED),
        ({"status": "cancelled"}, None),
        ({"status": "pending"}, None),
        ({"status": None}, None),
    ],
)
def test_a_status_is_taken_only_where_the_figures_agree(changes: dict[str, Any], status: Any) -> None:
    seen = read_order({**ORDER, **changes})
    assert seen is not None
    assert seen.status is status


@pytest.mark.parametrize(
    ("changes", "fee", "currency"),
    [
        ({}, Decimal("0.0004"), "BNB"),
        ({"fee": {"cost": "-0.1", "currency": "USDT"}}, Decimal("-0.1"), "USDT"),  # a rebate
        ({"fees": [{"cost": "1", "currency": "A"}, {"cost": "2", "currency": "A"}]}, Decimal(3), "A"),
        ({"fees": [{"cost": "1", "currency": "A"}, {"cost": "2", "currency": "B"}]}, None, None),
        ({"fees": [{"cost": "0", "currency": "A"}, {"cost": "2", "currency": "B"}]}, Decimal(2), "B"),
        ({"fees": [{"cost": "1", "currency": "A"}, {"cost": "0.0", "currency": "B"}]}, Decimal(1), "A"),
        ({"fees": [{"cost": "0", "currency": "A"}, {"cost": None, "currency": "B"}]}, None, None),
        ({"fees": [{"cost": "0", "currency": "A"}, {"cost": "0", "currency": "B"}]}, Decimal(0), "A"),
        ({"fee": None}, None, None),
        ({"fee": {"cost": None, "currency": "BNB"}}, None, None),
        ({"fee": {"cost": "0.1", "currency": None}}, None, None),
        ({"fee": {"cost": "0", "currency": "BNB"}}, Decimal(0), "BNB"),
    ],
)
def test_a_fee_is_known_or_it_is_not(changes: dict[str, Any], fee: Decimal | None, currency: str | None) -> None:
    trade = read_trade({**TRADE, **changes})
    assert trade is not None
    assert (trade.fee, trade.fee_currency) == (fee, currency)
    assert trade.is_complete == (fee is not None)


def test_a_trade_is_read_as_it_is() -> None:
    trade = read_trade(TRADE)
    assert trade is not None
    assert (trade.side, trade.liquidity, trade.price) == (Side.ASK, Liquidity.MAKER, Decimal("1999.01"))

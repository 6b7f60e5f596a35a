"""Values as people read them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mm_fsm.books.facts import MarketBook, Timer
from mm_fsm.core.decisions import Hold, HoldReason
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.report.inspection.plain_text import plain_text, shown_fields, time_text


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        (None, "", "None"),
        (True, "", "True"),
        (Side.BID, "", "bid"),
        (Decimal("2500.10"), "", "2500.1"),
        (Decimal("1E+3"), "", "1000"),
        (Decimal("NaN"), "", "NaN"),
        (Decimal(1) / Decimal(3), "", "0.333333333333…"),
        (0.1, "", "0.1"),
        (1 / 3, "", "0.33333333…"),
        (1_700_000_000_000_000_000, "placed_at", "2023-11-14 22:13:20.000 UTC"),
        (1_700_000_000_000_000_000, "count", "1700000000000000000"),
        (5, "placed_at", "5"),
        (Hold(HoldReason.FUNDS, "too little"), "", "Hold(reason funds, detail too little)"),
        ((), "", "none"),
        (tuple(range(8)), "", "0; 1; 2; 3; 4; 5; and 2 more"),
        (BookLevel(Decimal("1.50"), Decimal(2)), "", "1.5 x 2"),
    ],
)
def test_plain_text(value: Any, name: str, expected: str) -> None:
    assert plain_text(value, name) == expected


def test_a_fact_says_what_is_not_known_already() -> None:
    level = BookLevel(Decimal(10), Decimal(1))
    book = MarketBook(
        received_at=7, symbol="ETH/USD", bids=(level,), asks=(), exchange_time=6, includes_own_orders=False
    )
    assert shown_fields(book, {"symbol": "ETH/USD", "received_at": 7}) == {
        "bids": "10 x 1",
        "asks": "none",
        "exchange_time": "6",
        "includes_own_orders": "False",
    }
    assert shown_fields(Timer(received_at=7), {"received_at": 8}) == {"received_at": "7"}


def test_times_have_every_digit() -> None:
    assert time_text(1_704_067_200_123_456_789) == "2024-01-01 00:00:00.123456789 UTC"
    assert time_text(10**30) == f"{10**30} ns"

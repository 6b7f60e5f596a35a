"""A touch that is shown again and again counts for as long as it stood, however often it is shown."""

from __future__ import annotations

from decimal import Decimal
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.reference_price import ReferencePrice
from mm_fsm.core.messages import Side
from mm_fsm.core.settings import MarketMakingSettings

SECOND = 1_000_000_000
SETTINGS = MarketMakingSettings(symbol="BTC/USD", slow_price_seconds=60.0)


def nothing() -> float:
    """No depth."""
    return 0.0


def shown(times: list[int], price: str, reference: ReferencePrice) -> None:
    for time in times:
        assert reference.judge_book(time, Decimal(price) - 1, Decimal(price) + 1, nothing)


@given(repeats=st.lists(st.integers(1, 59 * SECOND), max_size=20))
def test_how_often_a_book_repeats_itself_moves_no_slow_touch(repeats: list[int]) -> None:
    """100 stood for 30 s, then 101 for 60 s, at 90 s comes 102: with tau 60 s the slow bid is 100 - e^-1 from 101."""
    reference = ReferencePrice(SETTINGS)
    shown([0], "10000", reference)
    shown([30 * SECOND, *(30 * SECOND + each for each in sorted(repeats)), 90 * SECOND], "10010", reference)
    shown([90 * SECOND], "10020", reference)
    assert reference.slow_price == pytest.approx(10010 - 10 * exp(-1), abs=1e-6)


def test_a_repeated_book_is_sound_only_while_the_book_before_was() -> None:
    """A jump of 200 bps is doubted however often it is shown, until it has lasted for its patience of 10 s."""
    reference = ReferencePrice(SETTINGS)
    shown([0, SECOND], "10000", reference)
    jump = (Decimal(10199), Decimal(10201))
    assert [reference.judge_book(second * SECOND, *jump, nothing) for second in range(2, 15)] == [False] * 10 + [
        True
    ] * 3


def test_a_repeated_book_is_judged_anew_after_a_lost_connection() -> None:
    reference = ReferencePrice(SETTINGS)
    shown([0, SECOND], "10000", reference)
    reference.forget()
    shown([2 * SECOND], "10000", reference)
    assert reference.slow_price == 10000


def test_a_trade_beyond_a_repeated_book_is_contradicted_by_the_next_one() -> None:
    reference = ReferencePrice(SETTINGS)
    shown([0, SECOND], "10000", reference)
    assert reference.note_trade(SECOND, Decimal(10050), 1.0, Side.BID)
    assert not reference.is_calm
    assert reference.judge_book(2 * SECOND, Decimal(9999), Decimal(10001), nothing)
    assert reference.is_calm


def test_depth_is_asked_for_of_doubted_books_alone() -> None:
    """Summing levels costs time: at 3 s the jump is doubted, from 9 s on depth has confirmed it."""
    reference, asked = ReferencePrice(SETTINGS), []

    def judged(second: int, price: int) -> bool:
        def depth() -> float:
            asked.append(second)
            return 1e9

        return reference.judge_book(second * SECOND, Decimal(price) - 1, Decimal(price) + 1, depth)

    assert [judged(second, 10_000 + second % 2) for second in range(3)] == [True] * 3
    assert [judged(second, 10_200) for second in range(3, 12)] == [False] * 6 + [True] * 3
    assert asked == [*range(3, 10)]

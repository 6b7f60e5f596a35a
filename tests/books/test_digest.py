"""The digest of the books: the same for equal values, another one for others, whatever was digested before."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Any

import pytest
from attrs import define, evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.digest import BooksDigest, written
from mm_fsm.core.instrument import Instrument, InstrumentKind
from mm_fsm.core.messages import Side
from mm_fsm.core.validation import LATER

numbers = st.integers(-100, 100) | st.decimals(-10, 10, places=3) | st.booleans()
plain = st.none() | numbers | st.text(max_size=3) | st.sampled_from(Side) | st.floats(allow_nan=False)
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=6,
)


@define
class Changing:
    amount: Any
    history: list[Any]


@frozen
class Fixed:
    amount: Decimal
    side: Side


@frozen
class Extended:
    """``Fixed`` of a later version, with one more field."""

    amount: Decimal
    side: Side
    maximum: Decimal | None = field(default=None, metadata={LATER: True})


Extended.__name__ = "Fixed"


def test_a_field_that_came_later_is_no_part_of_the_digest_while_it_is_not_set() -> None:
    """So a journal that was written before there was such a field still verifies."""
    before, now = Fixed(Decimal(1), Side.BID), Extended(Decimal(1), Side.BID)
    assert BooksDigest().of((now, [now])) == BooksDigest().of((before, [before]))
    limited = [BooksDigest().of((Extended(Decimal(1), Side.BID, Decimal(most)),)) for most in (2, 3)]
    assert len({*limited, BooksDigest().of((now,))}) == 3


def test_an_instrument_without_maximums_has_the_digest_it_had_before_there_were_any() -> None:
    """Written out by hand: its fields in their order then, numbers without trailing zeros."""
    instrument = Instrument(
        symbol="ETH/USD", base_currency="ETH", quote_currency="USD", tick_size=Decimal("0.010"),
        lot_size=Decimal("0.1"), minimum_notional=Decimal(5),
    )  # fmt: skip
    text = f"Instrument('ETH/USD','ETH','USD',0.01,0.1,0,5,1,{str.__repr__(InstrumentKind.SPOT)})"
    assert written(instrument) == text
    assert written(evolve(instrument, maximum_notional=Decimal(9))) == f"{text}maximum_notional=9"


@given(st.lists(st.tuples(values, values, values), min_size=1, max_size=6))
def test_what_was_digested_before_changes_nothing(states: list[tuple[Any, Any, Any]]) -> None:
    kept = BooksDigest()
    for state in states:
        assert kept.of(state) == BooksDigest().of(state)


@given(st.lists(values, min_size=1, max_size=4))
def test_what_has_changed_inside_is_seen(contents: list[Any]) -> None:
    kept, changing = BooksDigest(), Changing(0, [])
    for content in contents:
        before = kept.of((changing, {"a": changing}))
        changing.history.append(content)
        changing.amount = len(changing.history)
        after = kept.of((changing, {"a": changing}))
        assert after != before
        assert after == BooksDigest().of((changing, {"a": changing}))


@pytest.mark.parametrize("numbers", [(1, 1.0, Decimal("1.00"), True), (0, -0.0, Decimal("-0.0"), False)])
def test_equal_numbers_look_alike(numbers: tuple[Any, ...]) -> None:
    assert len({BooksDigest().of((number, [number], deque([number]))) for number in numbers}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", 1),
        (None, "None"),
        ([1, [2]], [1, 2]),
        ([], None),
        (Decimal("0.1"), 0.1000000001),
        (Fixed(Decimal(1), Side.BID), Fixed(Decimal(1), Side.ASK)),
        (Fixed(Decimal(1), Side.BID), (Decimal(1), Side.BID)),
        (["a,b"], ["a", "b"]),
        (("(1,2)",), ((1, 2),)),
    ],
)
def test_different_values_have_different_digests(one: Any, other: Any) -> None:
    assert BooksDigest().of((one,)) != BooksDigest().of((other,))
    assert len(BooksDigest().of((one,))) == 64

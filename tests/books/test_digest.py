"""The digest of the books: the same for equal values, another one for others, whatever was digested before."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Any

import pytest
from attrs import define, frozen
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.digest import BooksDigest
from mm_fsm.core.messages import Side

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

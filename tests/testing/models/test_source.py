"""What is written as source makes the same value again."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.facts import MarketBook, OrderFilled, OrderRejected, StopRequested
from mm_fsm.core.messages import BookLevel, RejectionCode, Side
from mm_fsm.testing import Send, Step, Tell, replay
from mm_fsm.testing.models.source import Source


def made_again(value: Any) -> Any:
    """The value of what is written, with nothing known but the imports."""
    source = Source()
    text = source.write(value)
    names: dict[str, Any] = {}
    exec("\n".join(source.imports()), names)
    return eval(text, names)


plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False)
    | st.binary()
    | st.decimals(allow_nan=False)
)
values = st.recursive(
    plain, lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@given(value=values)
def test_plain_values_and_collections_of_them(value: object) -> None:
    assert made_again(value) == value


@pytest.mark.parametrize(
    "value",
    [
        Side.BID,
        StopRequested(received_at=1),
        StopRequested(received_at=1, flatten=False, reason='"quoted"\n'),
        OrderRejected(received_at=1, symbol="A/B", client_order_id="x", code=RejectionCode.POST_ONLY),
        MarketBook(
            received_at=2,
            symbol="A/B",
            bids=(BookLevel(Decimal("1.10"), Decimal(3)),),
            asks=(),
            exchange_time=1,
        ),
        Tell(StopRequested(received_at=1)),
        Send("go", ["a", "b"]),
        Step(),
        OrderFilled,
        (),
        (1,),
    ],
)
def test_values_of_this_package(value: object) -> None:
    assert made_again(value) == value


def test_a_number_that_is_none() -> None:
    assert math.isnan(made_again(math.nan))


def test_names_are_imported_from_the_outermost_package_that_has_them() -> None:
    source = Source()
    source.name(replay)
    source.name(Side)
    source.name(Decimal)
    assert source.imports() == [
        "from decimal import Decimal",
        "from mm_fsm import Side",
        "from mm_fsm.testing import replay",
    ]


def test_what_is_as_it_is_by_default_is_not_written() -> None:
    assert Source().write(StopRequested(received_at=1)) == "StopRequested(received_at=1)"


def test_a_name_made_inside_a_function_is_written_and_noted() -> None:
    def inner() -> None: ...

    source = Source()
    assert source.write([inner]) == "[inner]"
    assert list(source.local) == ["inner"]
    assert source.imports() == []

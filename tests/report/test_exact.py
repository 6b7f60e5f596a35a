"""Values as JSON has them."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.report.exact import as_json, exact_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0E-20", "0"),
        ("-0.00", "0"),
        ("1E+3", "1000"),
        ("-0.29528698000000000000", "-0.29528698"),
        ("1234567890123456789012345678901234567890.5", "1234567890123456789012345678901234567890.5"),
        ("1E-24", "0.000000000000000000000001"),
    ],
)
def test_a_decimal_keeps_every_digit_and_nothing_else(value: str, text: str) -> None:
    assert exact_text(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=24, min_value=-(10**24), max_value=10**24))
def test_reading_the_text_gives_the_decimal_back(value: Decimal) -> None:
    text = exact_text(value)
    assert Decimal(text) == value
    assert "E" not in text


def test_everything_becomes_what_json_knows() -> None:
    """Enumerations become their values, tuples lists, numbers that are not finite null; the rest stays."""

    class Color(StrEnum):
        RED = "red"

    value = {"a": (Decimal("1.50"), Color.RED), 1: float("nan"), "b": [True, None, 2, 0.5, {"c": Decimal(0)}]}
    converted = as_json(value)
    assert converted == {"a": ["1.5", "red"], "1": None, "b": [True, None, 2, 0.5, {"c": "0"}]}
    assert json.loads(json.dumps(converted, allow_nan=False)) == converted

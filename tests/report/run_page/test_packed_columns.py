"""Packed columns lose nothing that was to be kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.report.run_page.packed_columns import decimals_to_draw, packed, packed_exactly, packed_to_draw

EXACT = st.decimals(-(10**6), 10**6, places=8).map(str)


def steps_of(text: str) -> list[int | None]:
    """Base64 VLQ as the specification of source maps (ECMA-426) has it, by bits; ``~`` is nothing."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    steps: list[int | None] = []
    bits = ""
    for digit in text:
        if digit == "~":
            steps.append(None)
            continue
        six = f"{digits.index(digit):06b}"
        bits = six[1:] + bits
        if six[0] == "0":
            steps.append(int(bits[:-1], 2) * (-1 if bits[-1] == "1" else 1))
            bits = ""
    return steps


def unpacked(column: dict[str, Any]) -> list[Decimal | None]:
    """Every number of a column, exactly."""
    whole, numbers = column["first"], []
    for step in steps_of(column["steps"]):
        if step is not None:
            whole += step * column["by"]
        numbers.append(None if step is None else Decimal(whole).scaleb(-column["decimals"]))
    return numbers


@given(st.lists(st.none() | EXACT, max_size=30))
def test_exact_numbers_come_back_as_they_were(numbers: list[str | None]) -> None:
    assert unpacked(packed_exactly(numbers)) == [None if number is None else Decimal(number) for number in numbers]


@given(st.lists(st.none() | st.floats(-1e9, 1e9), max_size=30))
def test_a_drawn_number_is_as_near_as_can_be_seen(numbers: list[float | None]) -> None:
    """Within half of the five-thousandth part of the range, or what a browser can count to, or twelve decimals hold."""
    known = [number for number in numbers if number is not None]
    (column,) = packed_to_draw(numbers)
    largest = max(map(abs, known), default=0.0)
    near = max((max(known) - min(known)) / 10_000 if known else 0.0, 1e-12, largest / 2**52 * 10)
    backs = unpacked(column)
    assert [back is None for back in backs] == [number is None for number in numbers]
    assert all(
        abs(float(back) - number) <= near * 1.001
        for back, number in zip(backs, numbers, strict=True)
        if back is not None and number is not None
    )
    assert all(abs(float(back)) * 10 ** column["decimals"] <= 2**53 for back in backs if back is not None)


def test_more_digits_than_a_browser_counts_stay_texts() -> None:
    """Seventeen digits; a double holds fifteen."""
    assert packed_exactly(["1.2345678901234567", None]) == {"texts": ["1.2345678901234567", None]}


@pytest.mark.parametrize(
    ("step", "written"), [(0, "A"), (1, "C"), (-1, "D"), (15, "e"), (16, "gB"), (-16, "hB"), (1_000, "w+B")]
)
def test_a_difference_is_written_as_in_a_source_map(step: int, written: str) -> None:
    """By hand: 16 is 100000 with its sign, five low bits first: 0 with more to follow is g, 1 is B."""
    assert packed([0, step, step + 1], 0)["steps"] == f"A{written}C"


def test_steady_columns_are_short() -> None:
    """Times two seconds apart: ones, in units of 2 000 ms."""
    column = packed([1_772_366_400_000 + 2_000 * place for place in range(4)], 0)
    assert column == {"decimals": 0, "first": 1_772_366_400_000, "by": 2_000, "steps": "ACCC"}


def test_a_column_of_nothing_is_one_of_nothing() -> None:
    assert packed([], 2)["steps"] == ""
    assert packed([None, None], 2) == {"decimals": 2, "first": 0, "by": 1, "steps": "~~"}


def test_columns_of_one_scale_have_one_step() -> None:
    """Prices from 2 990 to 3 010: 20 over 5 000 is 0.004, so three decimals."""
    assert decimals_to_draw([2_990.0, 3_010.0]) == 3
    low, high = packed_to_draw([2_990.0], [3_010.0])
    assert low["decimals"] == high["decimals"] == 3

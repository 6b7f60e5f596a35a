"""Numbers read as people write them: sign, unit, and no digit that means nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mm_fsm.report.run_page import number_texts as texts

N = "\u202f"
"""Narrow space."""
M = "\u2212"
"""Minus sign."""


@pytest.mark.parametrize(
    ("number", "decimals", "signed", "expected"),
    [
        ("1234567.891", 2, False, f"1{N}234{N}567.89"),
        ("-1234.5", 2, False, f"{M}1{N}234.50"),
        ("0.005", 2, True, "0.00"),  # half to even
        ("-0.004", 2, True, "0.00"),
        ("0.015", 2, True, "+0.02"),
        ("12", 0, True, "+12"),
        (-0.0, 2, True, "0.00"),
        (None, 2, False, "\u2013"),
    ],
)
def test_a_number_has_its_sign_and_thousands(number: str, decimals: int, *, signed: bool, expected: str) -> None:
    assert texts.plain(number, decimals, signed=signed) == expected


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (["1234.5", "0.1"], 2),  # 1 234.50: four digits before the point
        (["-17.25", "3"], 2),
        (["0.5"], 4),  # 0.5000
        (["0.00012345"], 7),  # 0.0001234
        (["0"], 2),
        ([], 2),
        (["1e-20"], 8),
    ],
)
def test_amounts_of_one_currency_line_up(amounts: list[str], expected: int) -> None:
    assert texts.Amounts.of("USD", amounts).decimals == expected


def test_an_amount_has_its_unit() -> None:
    amounts = texts.Amounts("BTC", 4)
    assert amounts.with_unit("-0.00125", signed=True) == f"{M}0.0012{N}BTC"
    assert amounts.with_unit(None) == "\u2013"


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, f"0.0{N}%"),
        (1.0, f"100.0{N}%"),
        (0.8675, f"86.8{N}%"),
        (0.9999, f">{N}99.9{N}%"),
        (0.00001, f"<{N}0.1{N}%"),
        (None, "\u2013"),
    ],
)
def test_a_share_is_all_or_nothing_only_where_it_is(share: float | None, expected: str) -> None:
    assert texts.percent(share) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, f"0{N}ms"),
        (0.0035, f"3.50{N}ms"),
        (0.04, f"40{N}ms"),
        (9.34, f"9.3{N}s"),
        (30.0, f"30{N}s"),
        (59.97, f"1{N}min"),
        (309, f"5{N}min 9{N}s"),
        (3_599.6, f"1{N}h"),
        (3_909, f"1{N}h 5{N}min"),
        (86_370, f"24{N}h"),
        (86_400, f"1{N}d"),
        (176_700, f"2{N}d 1{N}h"),
        (None, "\u2013"),
    ],
)
def test_a_duration_reads_as_one(seconds: float | None, expected: str) -> None:
    assert texts.duration(seconds) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [(Decimal("0.2500"), "0.25"), ("-1E+3", f"{M}1000"), ("0E-8", "0"), (0.1, "0.1"), (None, "\u2013")],
)
def test_every_digit_is_shown_where_all_are_meant(number: Decimal | str | None, expected: str) -> None:
    assert texts.exact(number) == expected


def test_a_time_is_utc() -> None:
    """1 772 366 400 s after 1970 is noon of the first of March 2026."""
    assert texts.instant(1_772_366_400_999) == "2026-03-01 12:00:00"

"""Exact amounts: decimals and the integers that stand for them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.exact import are_surely_amounts, decimal_of, decimals_of, divide_half_even, units_of
from mm_fsm.books.ledger import FeeCurrency, Ledger, LedgerFill
from mm_fsm.core.messages import Side

amounts = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=12)


@given(amounts, st.integers(0, 30))
def test_an_amount_is_its_units_or_needs_finer_ones(amount: Decimal, decimals: int) -> None:
    units = units_of(amount, decimals)
    if units is None:
        assert (Fraction(amount) * 10**decimals).denominator > 1
    else:
        assert Fraction(units, 10**decimals) == Fraction(amount)
        assert decimal_of(units, decimals) == amount


@given(amounts)
def test_so_many_decimals_are_enough_and_one_less_is_not(amount: Decimal) -> None:
    decimals = decimals_of(amount)
    assert units_of(amount, decimals) is not None
    assert not decimals or units_of(amount, decimals - 1) is None


@given(st.integers(-(10**30), 10**30), st.integers(0, 6), st.integers(0, 40))
def test_equal_amounts_look_alike_whatever_their_units(units: int, finer: int, decimals: int) -> None:
    assert str(decimal_of(units, decimals)) == str(decimal_of(units * 10**finer, decimals + finer))


@given(st.integers(-(10**6), 10**6), st.integers(-50, 50).filter(bool))
def test_the_nearest_integer_to_a_quotient_is_that_of_fractions(dividend: int, divisor: int) -> None:
    assert divide_half_even(dividend, divisor) == round(Fraction(dividend, divisor))


@given(
    st.lists(st.builds(lambda n, exponent: Decimal(f"{n}E{exponent}"), st.integers(1, 10**6), st.integers(-40, 40))),
    st.integers(0, 3),
)
def test_what_surely_are_amounts_have_24_digits_at_most_on_either_side(values: list[Decimal], spare: int) -> None:
    """Against fractions, in which nothing is ever rounded."""
    if are_surely_amounts(values, spare_decimals=spare):
        for value in values:
            assert value < 10**24
            assert (Fraction(value) * 10 ** (24 - spare)).denominator == 1


@pytest.mark.parametrize(
    ("texts", "spare", "expected"),
    [
        ("64000.10 63999.9 0.001", 1, True),
        ("0.00000000000000000000001 64000", 1, True),  # 23 decimals
        ("0.000000000000000000000001 64000", 0, True),  # 24
        ("0.000000000000000000000001 64000", 1, False),
        ("0.0000000000000000000000005 0.0000000000000000000000005", 0, False),  # 25, and 24 together
        ("999999999999999999999999 0.5", 0, True),
        ("1E+24 0.5", 0, False),
        ("1E+150 1E-100", 0, False),  # more digits than their exact sum may have
        ("1E+999999 1", 0, False),
        ("", 0, True),
    ],
)
def test_ordinary_amounts_are_told_together(texts: str, spare: int, expected: bool) -> None:
    assert are_surely_amounts(map(Decimal, texts.split()), spare_decimals=spare) is expected


@pytest.mark.parametrize("currency", list(FeeCurrency))
def test_a_fill_far_off_every_grid_is_booked_to_the_last_digit(currency: FeeCurrency) -> None:
    """By hand: 0.1 + 0.000000000000000000000001 bought at 100.5 + 1E-24, in a ledger that knew two decimals."""
    ledger = Ledger(base=Decimal(0), cash=Decimal(1000))
    ledger.mark(Decimal("100.25"))
    fill = LedgerFill(
        trade_id="1",
        side=Side.BID,
        price=Decimal("100.500000000000000000000001"),
        quantity=Decimal("0.100000000000000000000001"),
        fee=Decimal("0.000000000000000000000003"),
        fee_currency=currency,
        conversion_price=Decimal("0.5") if currency is FeeCurrency.THIRD else None,
    )
    ledger.book_fill(fill)
    ledger.mark(Decimal("100.3"))
    fee = Fraction(3, 10**24)
    bought = Fraction(1, 10) + Fraction(1, 10**24)
    paid = bought * (Fraction(201, 2) + Fraction(1, 10**24))
    assert Fraction(ledger.position) == bought - (fee if currency is FeeCurrency.BASE else 0)
    assert Fraction(ledger.cash) == 1000 - paid - (fee if currency is FeeCurrency.QUOTE else 0)
    assert Fraction(ledger.volume_quote) == paid
    assert ledger.identity_gap() == 0

"""Exact amounts: decimals at the face, integers of a decimal unit inside.

An integer ``n`` at ``d`` decimals stands for n * 10 ** -d. Python's integers have no largest one, so that no sum and no
product of them is ever rounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import reduce
from typing import Final

EXACT: Final = Context(prec=200, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation, Overflow])
"""Raises rather than lose a digit, and does not depend on the decimal context of the host program.

Amounts of 24 digits on either side of the point, three to a product, leave room for more than 1e50 bookings.
"""

_AMOUNT_CONTEXT: Final = Context(prec=48, traps=[Inexact, InvalidOperation])
_MOST_DIGITS: Final = 24
"""On either side of the point."""
_AMOUNT_QUANTUM: Final = Decimal(f"1E-{_MOST_DIGITS}")
_AMOUNTS_END: Final = Decimal(f"1E+{_MOST_DIGITS}")
_NOTHING: Final = Decimal(0)
AMOUNT_EXPECTED: Final = "finite decimal below 1E+24 with at most 24 decimals"


def is_amount(value: object) -> bool:
    """Whether a value is a finite decimal that every sum and product here can hold exactly."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    try:
        value.quantize(_AMOUNT_QUANTUM, context=_AMOUNT_CONTEXT)
    except (Inexact, InvalidOperation):
        return False
    return True


def are_surely_amounts(values: Iterable[Decimal], *, spare_decimals: int = 0) -> bool:
    """Whether all of these positive finite decimals are amounts, by one look at their sum; False only says to look.

    An exact sum is as large as any of them at least, and written with as many decimals as any of them.
    ``spare_decimals``: that they must not need.
    """
    try:
        total = reduce(EXACT.add, values, _NOTHING)
    except Inexact:
        return False
    exponent = total.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= spare_decimals - _MOST_DIGITS and total < _AMOUNTS_END


def decimals_of(value: Decimal) -> int:
    """How many decimals a finite value needs, at least 0."""
    exponent = EXACT.normalize(value).as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def units_of(value: Decimal, decimals: int) -> int | None:
    """The integer that stands for a finite value at so many decimals; None when it needs more of them."""
    scaled = EXACT.scaleb(value, decimals)
    units = int(scaled)
    return units if units == scaled else None


def decimal_of(units: int, decimals: int) -> Decimal:
    """The decimal that an integer at so many decimals stands for, without trailing zeros: equal values look alike."""
    whole, rest = divmod(units, 10**decimals)
    if not rest:
        return Decimal(whole)
    return EXACT.normalize(EXACT.scaleb(Decimal(units), -decimals))


def divide_half_even(dividend: int, divisor: int) -> int:
    """The nearest integer to a quotient; of two that are equally near, the even one.

    Raises:
        ZeroDivisionError: the divisor is 0.
    """
    if divisor < 0:
        dividend, divisor = -dividend, -divisor
    quotient, rest = divmod(dividend, divisor)
    doubled = 2 * rest
    return quotient + (doubled > divisor or (doubled == divisor and quotient % 2 == 1))

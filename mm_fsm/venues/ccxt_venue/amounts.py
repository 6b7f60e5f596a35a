"""Numbers and times of ccxt's structures to exact ones, at the boundary. What is not a number is not known: None."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from mm_fsm.books.exact import is_amount
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND

_REMEMBERED: Final = 16_384
"""Floats whose exact amount is remembered: a book shows most of its prices, and many sizes, again and again."""
_TIMES_END = 2**63


def amount(value: object) -> Decimal | None:
    """An exact amount that books can hold; None for anything else, NaN and infinity included.

    Books of ccxt are floats whatever it is told: the shortest text that gives the float is the exchange's own number.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        return None
    return _of_float(value) if isinstance(value, float) else _read(value)


@lru_cache(maxsize=_REMEMBERED)
def _of_float(value: float) -> Decimal | None:
    return _read(repr(value))


def _read(value: str | int | Decimal) -> Decimal | None:
    try:
        exact = Decimal(value)
    except InvalidOperation:
        return None
    return exact if is_amount(exact) else None


def positive(value: object) -> Decimal | None:
    """The same, above zero."""
    exact = amount(value)
    return exact if exact is not None and exact > 0 else None


def stamp(milliseconds: object) -> int | None:
    """A time of ccxt, milliseconds since 1970, in nanoseconds; None when it is none."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float, str)):
        return None
    exact = amount(milliseconds)
    if exact is None or exact <= 0:
        return None
    found = int(exact * NANOSECONDS_PER_MILLISECOND)
    return found if found < _TIMES_END else None


def text(value: object) -> str | None:
    """An identifier as text; None when there is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value) or None


def entry(payload: Any, key: str) -> Any:
    """A value of a structure; None where the structure is none or lacks it."""
    return payload.get(key) if isinstance(payload, dict) else None

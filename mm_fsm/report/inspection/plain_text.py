"""Values in plain text, for people: names instead of classes' paths, times as dates.

A figure that is cut ends with an ellipsis.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Context, Decimal
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import attrs

from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.report.exact import exact_text

FEW_DIGITS: Final = 12
"""Of a figure that was computed, such as a service's answer: more than any price or quantity has."""
ALL_DIGITS: Final = 48
"""Of an amount: more than a ledger keeps."""
_MOST_ITEMS: Final = 6
"""Items of a sequence that are written out; the rest is counted."""
_TIME_ENDINGS: Final = ("_at", " at", "_time", "_due", "until", "since")
_EARLIEST_DATE: Final = 10**6
"""Nanoseconds: an integer from here on, under the name of a time, is a date; simulated times begin at 0, in 1970."""
_SECONDS_OF_THE_CALENDAR: Final = 253_402_300_800
"""The year 10000: no date is written beyond."""


def time_text(time: int) -> str:
    """Nanoseconds since 1970 as a date, to the last digit."""
    whole, rest = divmod(time, NANOSECONDS_PER_SECOND)
    if not 0 <= whole < _SECONDS_OF_THE_CALENDAR:
        return f"{time} ns"
    digits = f"{rest:09}".rstrip("0").ljust(3, "0")
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%d %H:%M:%S}.{digits} UTC"


def plain_text(value: Any, name: str = "", digits: int = FEW_DIGITS) -> str:
    """One value as text.

    Args:
        value: anything.
        name: the field that holds it, which tells times from other integers.
        digits: the most of a decimal.
    """
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is Decimal:
        return _decimal_text(value, digits)
    if kind is float:
        short = f"{value:.8g}"
        return short if float(short) == value or value != value else f"{short}\u2026"  # noqa: PLR0124 - NaN alone
    if kind is int:
        is_date = abs(value) >= _EARLIEST_DATE and name.endswith(_TIME_ENDINGS)
        return time_text(value) if is_date else str(value)
    if isinstance(value, Enum):
        return str(value.value)
    return str(value) if value is None or kind is bool else _text_of_parts(value, digits)


def shown_fields(
    value: Any, known: Mapping[str, object] = MappingProxyType({}), digits: int = ALL_DIGITS
) -> dict[str, str]:
    """The fields of an attrs object as texts, in order.

    Left out are those that have their default, and those that are as the reader knows: ``known``, by name.
    """
    return {
        name: plain_text(each, name, digits)
        for name, each, default in _fields(value)
        if each != default and not (name in known and known[name] == each)
    }


def _decimal_text(value: Decimal, digits: int) -> str:
    if not value.is_finite():
        return str(value)
    text = exact_text(value)
    if len(text) <= digits:
        return text
    short = exact_text(Context(prec=digits, rounding=ROUND_DOWN).plus(value))
    return text if len(text) <= len(short) else f"{short}\u2026"


def _text_of_parts(value: Any, digits: int) -> str:
    if isinstance(value, Mapping):
        texts = [f"{plain_text(key)}: {plain_text(each, '', digits)}" for key, each in value.items()]
        return _listed(texts)
    if isinstance(value, (list, tuple, set, frozenset)):
        texts = [plain_text(each, "", digits) for each in value]
        return " x ".join(texts) if hasattr(value, "_fields") else _listed(texts)
    if attrs.has(type(value)):
        fields = ", ".join(f"{name} {text}" for name, text in shown_fields(value, digits=digits).items())
        return f"{type(value).__name__}({fields})"
    return str(value)


def _listed(texts: list[str]) -> str:
    more = [f"and {len(texts) - _MOST_ITEMS} more"] if len(texts) > _MOST_ITEMS else []
    return "; ".join(texts[:_MOST_ITEMS] + more) or "none"


def _fields(value: Any) -> Iterator[tuple[str, Any, Any]]:
    kind: Any = type(value)
    for name, default in _defaults(kind):
        yield name, getattr(value, name), default


@cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    """The public fields of an attrs class, each with its default; one without has itself as no value equals it."""
    return tuple((each.name, each.default) for each in attrs.fields(kind) if not each.name.startswith("_"))

"""Values in plain text, for people: names instead of classes' paths, times as dates.

Amounts have every digit; what was computed, and has more digits than any price or quantity, is cut and says so.
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

_MOST_DIGITS: Final = 12
"""Digits of a figure; a longer one ends with an ellipsis."""
_MOST_ITEMS: Final = 6
"""Items of a sequence that are written out; the rest is counted."""
_SHORT: Final = Context(prec=_MOST_DIGITS, rounding=ROUND_DOWN)
_TIME_ENDINGS: Final = ("_at", "_time", "_due", "until", "since")
_EARLIEST_DATE: Final = 10**17
"""Nanoseconds: an integer from here on, 1973, under the name of a time is a date; simulated times may begin at 0."""
_SECONDS_OF_THE_CALENDAR: Final = 253_402_300_800
"""The year 10000: no date is written beyond."""


def time_text(time: int) -> str:
    """Nanoseconds since 1970 as a date, to the last digit."""
    whole, rest = divmod(time, NANOSECONDS_PER_SECOND)
    if not 0 <= whole < _SECONDS_OF_THE_CALENDAR:
        return f"{time} ns"
    digits = f"{rest:09}".rstrip("0").ljust(3, "0")
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%d %H:%M:%S}.{digits} UTC"


def plain_text(value: Any, name: str = "") -> str:
    """One value as text; ``name``, the field that holds it, tells times from other integers."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return str(value.value) if isinstance(value, Enum) else value
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, int):
        is_date = abs(value) >= _EARLIEST_DATE and name.endswith(_TIME_ENDINGS)
        return time_text(value) if is_date else str(value)
    if isinstance(value, float):
        short = f"{value:.8g}"
        return short if float(short) == value else f"{short}\u2026"
    return _text_of_parts(value)


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        return str(value)
    text = exact_text(value)
    if len(text) <= _MOST_DIGITS or len(value.as_tuple().digits) <= _MOST_DIGITS:
        return text
    short = exact_text(_SHORT.plus(value))
    return text if len(text) <= len(short) else f"{short}\u2026"


def shown_fields(value: Any, known: Mapping[str, object] = MappingProxyType({})) -> dict[str, str]:
    """The fields of an attrs object as texts, in order.

    Left out are those that have their default, and those that are as the reader knows: ``known``, by name.
    """
    return {
        name: plain_text(each, name)
        for name, each, default in _fields(value)
        if each != default and not (name in known and known[name] == each)
    }


def _text_of_parts(value: Any) -> str:
    if isinstance(value, Mapping):
        return _listed(f"{plain_text(key)}: {plain_text(each)}" for key, each in value.items()) if value else "none"
    if isinstance(value, (list, tuple, set, frozenset)):
        fields: tuple[str, ...] = getattr(value, "_fields", ())
        if fields:
            return " x ".join(map(plain_text, value))
        return _listed(map(plain_text, value)) if value else "none"
    if attrs.has(type(value)):
        fields_text = ", ".join(f"{name} {text}" for name, text in shown_fields(value).items())
        return f"{type(value).__name__}({fields_text})"
    return str(value.value) if isinstance(value, Enum) else str(value)


def _listed(texts: Iterator[str] | map[str]) -> str:
    every = list(texts)
    shown = every[:_MOST_ITEMS]
    more = [f"and {len(every) - _MOST_ITEMS} more"] if len(every) > _MOST_ITEMS else []
    return "; ".join(shown + more)


def _fields(value: Any) -> Iterator[tuple[str, Any, Any]]:
    kind: Any = type(value)
    for name, default in _defaults(kind):
        yield name, getattr(value, name), default


@cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    """The public fields of an attrs class, each with its default; one without has itself as no value equals it."""
    return tuple((each.name, each.default) for each in attrs.fields(kind) if not each.name.startswith("_"))

"""Recorded text to exact values, refusing what no venue can have meant."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from reprlib import Repr
from typing import Final

from mm_fsm.core.clock import (
    NANOSECONDS_PER_MICROSECOND,
    NANOSECONDS_PER_MILLISECOND,
    NANOSECONDS_PER_SECOND,
)
from mm_fsm.venues.recorded.reading import Fault

EARLIEST: Final = 1_230_768_000 * NANOSECONDS_PER_SECOND
"""2009-01-01 UTC: no market that this package trades is older."""
LATEST: Final = 4_102_444_800 * NANOSECONDS_PER_SECOND
"""2100-01-01 UTC."""

UNITS: Final = {
    "seconds": NANOSECONDS_PER_SECOND,
    "milliseconds": NANOSECONDS_PER_MILLISECOND,
    "microseconds": NANOSECONDS_PER_MICROSECOND,
    "nanoseconds": 1,
}

BRIEFLY: Final = Repr()
"""Shows what was found, but not all of a line gone wild."""
BRIEFLY.maxstring = 80

CUT_OUT: Final = "Cut the line out, or record the day again."

# Decimal() alone would take 'NaN', '1_000', ' 1 ' and exponents that overflow every later calculation.
_PLAIN_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,2})?")


class MalformedFieldError(ValueError):
    """One field of one row is wrong; the reader that knows the line passes the row over, or refuses the file."""

    def __init__(
        self, field: str, expected: str, found: object, remedy: str = CUT_OUT, *, fault: str = Fault.MALFORMED
    ) -> None:
        self.problem = f"field {field!r}: expected {expected}, found {BRIEFLY.repr(found)}."
        self.fault = fault
        self.remedy = remedy
        super().__init__(self.problem)


@lru_cache(maxsize=65_536)
def _number(text: str) -> Decimal | None:
    """The exact number written in ``text``, None when it is not a plain one. Books repeat theirs, hence the cache."""
    return Decimal(text) if _PLAIN_NUMBER.fullmatch(text) else None


def positive(field: str, text: object) -> Decimal:
    """``text`` as an exact decimal above 0.

    Raises:
        MalformedFieldError: it is not one (negative, zero, NaN, infinite, no number, or no text).
    """
    value = _number(text) if isinstance(text, str) else None
    if not value:
        raise MalformedFieldError(field, "a positive finite decimal", text)
    return value


def is_zero(text: object) -> bool:
    """Whether ``text`` is the number 0, with however many digits."""
    return isinstance(text, str) and _number(text) == 0


def exchange_time(field: str, value: object, unit: str) -> int:
    """``value``, counted in ``unit`` (a key of ``UNITS``), in nanoseconds since the Unix epoch.

    Raises:
        MalformedFieldError: it is not between 2009 and 2100, as when the unit is another one.
    """
    if type(value) is not int:
        raise MalformedFieldError(field, f"whole {unit} since 1970", value)
    nanoseconds = value * UNITS[unit]
    if EARLIEST <= nanoseconds < LATEST:
        return nanoseconds
    likely = [name for name, scale in UNITS.items() if EARLIEST <= value * scale < LATEST]
    remedy = f"It looks like {likely[0]}: convert the file to {unit}." if likely else CUT_OUT
    raise MalformedFieldError(field, f"{unit} since 1970 between the years 2009 and 2100", value, remedy)


def too_late(field: str, behind: int, window: int) -> MalformedFieldError:
    """The error about a row stamped ``behind`` nanoseconds before the newest row, further than ``window``."""
    return MalformedFieldError(
        field,
        f"a time at most {window / NANOSECONDS_PER_MILLISECOND:g} ms behind the newest one",
        f"{behind / NANOSECONDS_PER_MILLISECOND:g} ms behind",
        f"Give the files in order of time, or --reorder-window {behind / NANOSECONDS_PER_SECOND:g} (seconds) or more.",
        fault=Fault.LATE,
    )

"""Times within a run as people write them: seconds or a duration since it began, a clock time, or a whole date."""

from __future__ import annotations

import math
from datetime import UTC, datetime, time, timedelta
from typing import Final

from mm_fsm.cli.durations import parse_duration, without_colons
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.errors import OptionError

EXPECTED: Final = "seconds since the run began, a duration such as 1h30m, a clock time such as 14:03:05, or an ISO date"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_NANOSECONDS: Final = 1_000


def parse_moment(option: str, text: str, began_at: int) -> int:
    """Nanoseconds since 1970 of a time in a run that began at ``began_at``.

    A time without a zone is UTC. A clock time is on the run's first day, or on the next where that is before it began.

    Raises:
        OptionError: it is no such time.
    """
    bare = text.strip()
    elapsed = _elapsed(bare)
    if elapsed is not None:
        return began_at + round(elapsed * NANOSECONDS_PER_SECOND)
    found = _date(bare, began_at)
    if found is None:
        duration = without_colons(bare)
        remedy = f"Write a duration as {duration}. " if duration else ""
        raise OptionError(option, EXPECTED, text, f"{remedy}Times without a zone are UTC.")
    return (found - _EPOCH) // _MICROSECOND * _NANOSECONDS


def moment(nanoseconds: int) -> datetime:
    """A time of a fact, UTC, to the microsecond after which it lies."""
    return _EPOCH + timedelta(microseconds=nanoseconds // _NANOSECONDS)


def _elapsed(text: str) -> float | None:
    """Seconds since the beginning; None where the text says something else."""
    try:
        seconds = float(text)
    except ValueError:
        return parse_duration(text)
    return seconds if 0 <= seconds < math.inf else None


def _date(text: str, began_at: int) -> datetime | None:
    began = moment(began_at)
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        return _whole_date(text)
    found = datetime.combine(began.date(), clock, clock.tzinfo or UTC)
    return found if found + timedelta(seconds=1) > began else found + _DAY


def _whole_date(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

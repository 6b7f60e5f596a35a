"""Time as data: integer nanoseconds since the Unix epoch, carried by facts.

Nothing here reads a clock. A duration is nanoseconds too; settings are written in seconds and converted once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

NANOSECONDS_PER_SECOND: Final = 1_000_000_000
NANOSECONDS_PER_MILLISECOND: Final = 1_000_000
NANOSECONDS_PER_MICROSECOND: Final = 1_000
NEVER: Final = 2**63
"""Later than any time that a fact can carry."""


@lru_cache(maxsize=1024)  # a machine asks for the same few settings after every fact
def nanoseconds(seconds: float) -> int:
    """Convert a duration in seconds to whole nanoseconds, to the nearest."""
    return round(seconds * NANOSECONDS_PER_SECOND)


def seconds(duration: int) -> float:
    """Convert a duration in nanoseconds to seconds."""
    return duration / NANOSECONDS_PER_SECOND

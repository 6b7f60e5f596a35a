"""Durations as people write them: ``90``, ``90s``, ``30m``, ``1.5h``, ``1d``, ``1h30m``; and in words."""

from __future__ import annotations

import math
import re
from typing import Final

_UNITS: Final = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_COLONS: Final = re.compile(r"(?:(\d+):)?(\d+):(\d{2}(?:\.\d+)?)")
_PART: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([dhms])")
_NAMES: Final = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
EXPECTED: Final = "a duration above 0, such as 90, 90s, 30m, 1h or 1h30m"


def parse_duration(text: str) -> float | None:
    """Seconds of a duration; None where the text is no duration above 0, or one that is not finite."""
    bare = text.strip().lower().replace(" ", "")
    try:
        seconds = float(bare)
    except ValueError:
        seconds = _sum_of_parts(bare)
    return seconds if 0 < seconds < math.inf else None


def _sum_of_parts(text: str) -> float:
    """The parts in falling order of unit, each unit once; NaN for anything else."""
    parts = _PART.findall(text)
    units = [unit for _, unit in parts]
    is_whole = "".join(number + unit for number, unit in parts) == text
    if not parts or not is_whole or units != [unit for unit in _UNITS if unit in units]:
        return math.nan
    return math.fsum(float(number) * _UNITS[unit] for number, unit in parts)


def without_colons(text: str) -> str | None:
    """A duration as it is printed, such as ``1:05``, as it is to be written: ``1m5s``. None where the text is none.

    It is never read as one: 1:05 is a time of day as well.
    """
    found = _COLONS.fullmatch(text.strip())
    if found is None:
        return None
    parts = [f"{float(number):g}{unit}" for number, unit in zip(found.groups(), "hms", strict=True) if number]
    return "".join(part for part in parts if not part.startswith("0") or "." in part) or None


def duration_in_words(seconds: float) -> str:
    """Such as ``20 minutes`` or ``1 hour 30 minutes``: in a sentence, 20:00 would read as a time of day."""
    parts, rest = [], seconds
    for unit, length in _UNITS.items():
        count = rest if unit == "s" else rest // length
        rest -= count * length
        if count:
            parts.append(f"{count:g} {_NAMES[unit]}{'' if count == 1 else 's'}")
    return " ".join(parts) or "0 seconds"

"""Opens small recordings with leniencies by their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mm_fsm.venues.recorded import Fault, ReadingSettings, Recording, open_recording

STRICT: Final = tuple(Fault)
"""For ``refuse``: one row with any fault is enough."""


def opened(
    files: Sequence[Path],
    more: Sequence[Path] = (),
    *,
    symbol: str | None = None,
    recorded_symbol: str | None = None,
    **reading: Any,
) -> Recording:
    """The recording of all files; what is not said of its reading is as it comes."""
    return open_recording(
        [*files, *more], symbol=symbol, recorded_symbol=recorded_symbol, reading=ReadingSettings(**reading)
    )

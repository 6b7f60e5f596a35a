"""What the exit status of a command says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from signal import SIGINT
from typing import Any, Final

_SIGNAL_BASE: Final = 128
INTERRUPTED: Final = _SIGNAL_BASE + SIGINT


class ExitCode(IntEnum):
    """Exit statuses besides 130 (interrupted) and 143 (terminated): 128 and the signal's number."""

    SUCCESS = 0
    FAILURE = 1
    """A session ended with a fault, a check found something wrong, or the program itself is broken."""
    BAD_INPUT = 2
    """A usage, a settings file, a recording or a chart that is refused; nothing was run or written any further."""
    POSITION_LEFT = 3
    """A wind-down passed its deadline with a position left."""


def exit_status(entries: Sequence[Mapping[str, Any]], received_signal: int | None) -> int:
    """The status of a run: the worst of its symbols, else the signal that ended it early, else success."""
    outcomes = {entry["outcome"] for entry in entries}
    if "fault" in outcomes:
        return ExitCode.FAILURE
    if "late" in outcomes:
        return ExitCode.POSITION_LEFT
    if received_signal is not None:
        return _SIGNAL_BASE + received_signal
    return ExitCode.FAILURE if "unfinished" in outcomes else ExitCode.SUCCESS

"""What the exit status of a command says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from signal import SIGINT, SIGPIPE
from typing import Any, Final

SIGNAL_BASE: Final = 128
"""A process that a signal ended has this and the signal's number."""
INTERRUPTED: Final = SIGNAL_BASE + SIGINT
READER_LEFT: Final = SIGNAL_BASE + SIGPIPE


class ExitCode(IntEnum):
    """Exit statuses besides 130 (interrupted) and 143 (terminated)."""

    SUCCESS = 0
    FAILURE = 1
    """A session ended with a fault, a check found something wrong, what was to be kept could not be written, or the
    program itself is broken."""
    BAD_INPUT = 2
    """A usage, a settings file, a recording or a chart that is refused; nothing was run or written any further."""
    POSITION_LEFT = 3
    """A wind-down passed its deadline with a position left."""
    BOOK_NOT_CONFIRMED = 4
    """Own orders may still be open."""


def exit_status(
    entries: Sequence[Mapping[str, Any]], received_signal: int | None, *, is_something_unwritten: bool = False
) -> int:
    """The status of a run: the worst of its symbols, else the signal that ended it early, else success."""
    outcomes = {entry["outcome"] for entry in entries}
    if not all(entry["ending"]["is_book_confirmed_empty"] for entry in entries):
        return ExitCode.BOOK_NOT_CONFIRMED
    if "fault" in outcomes or is_something_unwritten:
        return ExitCode.FAILURE
    if "late" in outcomes:
        return ExitCode.POSITION_LEFT
    if received_signal is not None:
        return SIGNAL_BASE + received_signal
    return ExitCode.FAILURE if "unfinished" in outcomes else ExitCode.SUCCESS

"""What has become of a run, decided in one place for every command and page that says so."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from math import inf
from time import time as wall_time
from typing import Any, Final

from mm_fsm.errors import FileError, SettingsError
from mm_fsm.report.status import is_gone, read_status
from mm_fsm.report.table import duration
from mm_fsm.runtime.operations import OperationsDirectory, RunDescription

SILENT_SECONDS: Final = 10.0
"""A run that says nothing for so long may hang; it writes its heartbeat and its status once a second."""


class RunCondition(StrEnum):
    """What has become of a run."""

    RUNNING = "running"
    SILENT = "silent"
    """It may hang."""
    GONE = "gone"
    """Its process is no more, and said nothing about its end."""
    LEFT = "left"
    """It was left, by an error or a second signal, before every market had ended: orders may still be open."""
    ENDED = "ended"
    """Every market has ended, and the run has said so; each entry says whether its book was confirmed empty."""
    UNREADABLE = "unreadable"


IN_WORDS: Final = {
    RunCondition.RUNNING: "runs",
    RunCondition.SILENT: "is silent and may hang",
    RunCondition.GONE: "is gone and has not ended in order",
    RunCondition.LEFT: "has left markets before they ended",
    RunCondition.ENDED: "has ended",
}
"""What a process is or does then."""
LISTENING: Final = frozenset({RunCondition.RUNNING, RunCondition.SILENT})
"""There may be a process that trades."""
ORDERS_MAY_BE_OPEN: Final = frozenset({RunCondition.GONE, RunCondition.LEFT})
"""Nobody trades, and nobody has confirmed the books empty."""


def condition_of(operations: OperationsDirectory, status: Mapping[str, Any], now: float | None = None) -> RunCondition:
    """What has become of the run that wrote ``status``.

    Args:
        operations: the run's directory.
        status: what ``read_status`` found.
        now: wall time, seconds since 1970; read from the host's clock without.
    """
    now = wall_time() if now is None else now
    if not status["is_running"]:
        return RunCondition.ENDED if all(each["has_ended"] for each in status["symbols"]) else RunCondition.LEFT
    facts = _described(operations)
    if facts is not None and facts.run != status["run"]:  # another run has begun there
        return RunCondition.GONE
    if operations.has_ended():  # in order; its last status could not be written
        return RunCondition.ENDED
    if is_gone(status) or (facts is not None and facts.is_gone()):
        return RunCondition.GONE
    age = now - status["written_at"]
    return _while_alive(age if facts is None else max(age, _silence(operations, now)))


def condition_now(operations: OperationsDirectory, now: float | None = None) -> RunCondition:
    """What has become of the run that began last in a directory, whatever its status says of an earlier one.

    Args:
        operations: the run's directory.
        now: wall time, seconds since 1970; read from the host's clock without.

    Raises:
        SettingsError: no run has written to this directory.
    """
    facts = operations.read()
    try:
        status = read_status(operations.directory)
        if status["run"] == facts.run:
            return condition_of(operations, status, now)
    except FileError:  # no status that this version can read: the other files tell enough
        pass
    if operations.has_ended():
        return RunCondition.ENDED
    if facts.is_gone():
        return RunCondition.GONE
    return _while_alive(_silence(operations, now))


def silence_told(operations: OperationsDirectory, status: Mapping[str, Any], now: float | None = None) -> str:
    """How a run is silent, in one clause, by the older of its two signs of life.

    Args:
        operations: the run's directory.
        status: what ``read_status`` found.
        now: wall time, seconds since 1970; read from the host's clock without.
    """
    now = wall_time() if now is None else now
    age = max(now - status["written_at"], 0.0)
    silent = 0.0 if _described(operations) is None else _silence(operations, now)
    if silent == inf:
        return "has no heartbeat that can be read"
    return f"has said nothing for {duration(max(age, silent))}"


def _silence(operations: OperationsDirectory, now: float | None) -> float:
    """Seconds without a sign of life; none of a run that has just ended."""
    return operations.silent_seconds(now) or 0.0


def _while_alive(silent_seconds: float) -> RunCondition:
    return RunCondition.SILENT if silent_seconds > SILENT_SECONDS else RunCondition.RUNNING


def _described(operations: OperationsDirectory) -> RunDescription | None:
    """Who runs there; None for a backtest, which nobody can pause or stop."""
    try:
        return operations.read()
    except SettingsError:
        return None

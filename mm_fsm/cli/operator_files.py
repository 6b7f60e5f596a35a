"""``pause``, ``resume`` and ``stop``: a file in the run's directory, and a word about whether anybody will see it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.runtime.operations import PAUSE, STOP, OperationsDirectory

_SILENT_SECONDS: Final = 10.0


def pause_run(directory: Path, reason: str) -> int:
    """Leave the file that pauses a run; the exit status.

    Raises:
        SettingsError: no run has written to the directory, or it cannot be written to.
    """
    operations = OperationsDirectory(directory)
    operations.ask(PAUSE, reason)
    return _say(operations, "will be paused")


def resume_run(directory: Path) -> int:
    """Take the file away that pauses a run; the exit status.

    Raises:
        SettingsError: no run has written to the directory, or it cannot be written to.
    """
    operations = OperationsDirectory(directory)
    operations.take_back(PAUSE)
    return _say(operations, "will be resumed")


def stop_run(directory: Path, reason: str) -> int:
    """Leave the file that stops a run; the exit status.

    Raises:
        SettingsError: no run has written to the directory, or it cannot be written to.
    """
    operations = OperationsDirectory(directory)
    operations.ask(STOP, reason)
    return _say(operations, "will be stopped")


def what_helps(directory: Path) -> str:
    """What to do about a run whose process is gone."""
    return f"Orders may still be open: run mm-fsm watchdog {directory}, which cancels them, or start the run again."


def _say(operations: OperationsDirectory, what: str) -> int:
    """Say whether anybody will see it; the exit status."""
    facts, silent = operations.read(), operations.silent_seconds()
    markets = ", ".join(market.symbol for market in facts.markets)
    if silent is None:
        print_message(f"the run of {markets} has ended: nothing listens to this until it is started again")
        return ExitCode.SUCCESS
    if facts.is_gone():
        is_empty = operations.is_confirmed_empty()
        remedy = "A watchdog has confirmed every book empty." if is_empty else what_helps(operations.directory)
        print_message(
            f"mm-fsm: process {facts.process} is gone and has not ended in order: nobody makes {markets}. {remedy}",
            style="yellow" if is_empty else "red",
        )
        return ExitCode.FAILURE
    if silent > _SILENT_SECONDS:
        print_message(
            f"process {facts.process} has been silent for {silent:.0f} s: it may not see this. "
            "Look at it, and at the account.",
            style="yellow",
        )
        return ExitCode.FAILURE
    print_message(f"{markets} {what} within a second (process {facts.process})")
    return ExitCode.SUCCESS

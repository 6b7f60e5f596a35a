"""``pause``, ``resume`` and ``stop``: a file in the run's directory, and a word about whether anybody will see it."""

from __future__ import annotations

from pathlib import Path

from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.report.run_condition import IN_WORDS, ORDERS_MAY_BE_OPEN, SILENT_SECONDS, Condition, condition_now
from mm_fsm.runtime.operations import PAUSE, STOP, OperationsDirectory


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
    facts, condition = operations.read(), condition_now(operations)
    markets = ", ".join(market.symbol for market in facts.markets)
    if condition is Condition.ENDED:
        print_message(f"the run of {markets} has ended: nothing listens to this until it is started again")
        return ExitCode.SUCCESS
    if condition in ORDERS_MAY_BE_OPEN:
        is_empty = operations.is_confirmed_empty()
        remedy = "A watchdog has confirmed every book empty." if is_empty else what_helps(operations.directory)
        print_message(
            f"mm-fsm: process {facts.process} {IN_WORDS[condition]}: nobody makes {markets}. {remedy}",
            style="yellow" if is_empty else "red",
        )
        return ExitCode.FAILURE
    if condition is Condition.SILENT:
        print_message(
            f"process {facts.process} has been silent for more than {SILENT_SECONDS:g} s: it may not see this. "
            "Look at it, and at the account.",
            style="yellow",
        )
        return ExitCode.FAILURE
    print_message(f"{markets} {what} within a second (process {facts.process})")
    return ExitCode.SUCCESS

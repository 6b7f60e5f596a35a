"""``pause``, ``resume`` and ``stop``: a file in the run's directory, and a word about whether anybody will see it."""

from __future__ import annotations

from pathlib import Path

from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.wrapping import STYLES
from mm_fsm.errors import FileError
from mm_fsm.report.ended_words import next_step, orders_may_be_open
from mm_fsm.report.run_condition import (
    IN_WORDS,
    LISTENING,
    ORDERS_MAY_BE_OPEN,
    SILENT_SECONDS,
    RunCondition,
    condition_now,
)
from mm_fsm.report.status import read_status
from mm_fsm.report.status_words import StatusAnswer, Tone
from mm_fsm.runtime.operations import PAUSE, STOP, OperationsDirectory


def pause_run(directory: Path, reason: str) -> int:
    """Leave the file that pauses a run; the exit status.

    One on paper that is over is not paused: its file would pause the next run there, which has nothing to do with it.

    Raises:
        SettingsError: no run has written to the directory, or it cannot be written to.
    """
    operations = OperationsDirectory(directory)
    if _is_over_on_paper(operations):
        return _refuse(directory, "pause")
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
    if condition_now(operations) is RunCondition.ENDED or _is_over_on_paper(operations):
        return _refuse(directory, "stop")
    operations.ask(STOP, reason)
    return _say(operations, "will be stopped")


def _refuse(directory: Path, what: str) -> int:
    print_message(f"mm-fsm: {directory} has ended: there is nothing to {what}", style="red")
    return ExitCode.FAILURE


def _is_over_on_paper(operations: OperationsDirectory) -> bool:
    """Whether nobody makes its markets any more, and nothing of it is left at any venue."""
    if condition_now(operations) in LISTENING:
        return False
    try:
        status = read_status(operations.directory)
        return status["run"] == operations.read().run and not any(each["has_real_orders"] for each in status["symbols"])
    except (FileError, LookupError, TypeError):  # where nobody can tell, orders may be real
        return False


def _what_helps(operations: OperationsDirectory, condition: RunCondition) -> StatusAnswer:
    """What to do about a run whose process is gone, as far as its status tells."""
    directory = operations.directory
    try:
        status = read_status(directory)
        if status["run"] == operations.read().run:
            return next_step(status, condition, directory, operations.rescues())
    except FileError:  # no status that this version can read
        pass
    if operations.is_confirmed_empty():
        return StatusAnswer("next", "A watchdog has confirmed every book empty.", Tone.WARNING)
    return StatusAnswer("next", orders_may_be_open(directory), Tone.BAD)


def _say(operations: OperationsDirectory, what: str) -> int:
    """Say whether anybody will see it; the exit status."""
    facts, condition = operations.read(), condition_now(operations)
    markets = ", ".join(market.symbol for market in facts.markets)
    if condition is RunCondition.ENDED:
        is_paused = operations.wishes().pause is not None
        begins = f"begins paused, until mm-fsm resume {operations.directory}" if is_paused else "does not begin paused"
        print_message(f"{operations.directory} has ended; the next run with this directory {begins}")
        return ExitCode.SUCCESS
    if condition in ORDERS_MAY_BE_OPEN:
        step = _what_helps(operations, condition)
        print_message(
            f"mm-fsm: process {facts.process} {IN_WORDS[condition]}: nobody makes {markets}. {step.words}",
            style=STYLES[step.tone] or "yellow",
        )
        return ExitCode.FAILURE
    if condition is RunCondition.SILENT:
        print_message(
            f"process {facts.process} has been silent for more than {SILENT_SECONDS:g} s: it may not see this. "
            "Look at it, and at the account.",
            style="yellow",
        )
        return ExitCode.FAILURE
    print_message(f"{markets} {what} within a second (process {facts.process})")
    return ExitCode.SUCCESS

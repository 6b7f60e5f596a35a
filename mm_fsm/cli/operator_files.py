"""``pause``, ``resume`` and ``stop``: a file in the run's directory, and a word about whether anybody will see it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mm_fsm.cli.consoles import print_message
from mm_fsm.runtime.operations import PAUSE, STOP, OperationsDirectory

_SILENT_SECONDS: Final = 10.0


def pause_run(directory: Path, reason: str) -> None:
    """Leave the file that pauses a run.

    Raises:
        SettingsError: no run has written to the directory, or it cannot be written to.
    """
    operations = OperationsDirectory(directory)
    operations.ask(PAUSE, reason)
    _say(operations, "will be paused")


def resume_run(directory: Path) -> None:
    """Take the file away that pauses a run.

    Raises:
        SettingsError: no run has written to the directory, or it cannot be written to.
    """
    operations = OperationsDirectory(directory)
    operations.take_back(PAUSE)
    _say(operations, "will be resumed")


def stop_run(directory: Path, reason: str) -> None:
    """Leave the file that stops a run.

    Raises:
        SettingsError: no run has written to the directory, or it cannot be written to.
    """
    operations = OperationsDirectory(directory)
    operations.ask(STOP, reason)
    _say(operations, "will be stopped")


def _say(operations: OperationsDirectory, what: str) -> None:
    facts, silent = operations.read(), operations.silent_seconds()
    markets = ", ".join(market.symbol for market in facts.markets)
    if silent is None:
        print_message(f"the run of {markets} has ended: nothing listens to this until it is started again")
    elif silent > _SILENT_SECONDS:
        print_message(
            f"process {facts.process} has been silent for {silent:.0f} s: it may not see this. "
            "Look at it, and at the account.",
            style="yellow",
        )
    else:
        print_message(f"{markets} {what} within a second (process {facts.process})")

"""Directories of runs as a served page finds them: with a status that a session has written, in any condition."""

from __future__ import annotations

import json
import os
from pathlib import Path
from time import time
from typing import Any

from mm_fsm.report.status import STATUS_FILE, StatusFile
from mm_fsm.runtime.operations import HEARTBEAT, OperationsDirectory, RunningMarket
from mm_fsm.runtime.session import Session, for_session, open_session
from mm_fsm.runtime.settings_file import read_preset

DEAD = 2**22 + 1
"""No process has such a number."""


def quoting_session() -> Session:
    """A session that has filled, and quotes both sides."""
    session = open_session(for_session(read_preset("paper_ethusd"), duration_seconds=600, seed=7))
    for _ in session.runner.run():
        context = session.machine.context
        if context.fill_count > 2 and all(side.status is None for side in context.sides.values()):
            break
    return session


def running_directory(directory: Path) -> Path:
    """Of a run whose process is this one: its market has filled, and quotes both sides."""
    session = open_session(for_session(read_preset("paper_ethusd"), duration_seconds=600, seed=7))
    directory.mkdir(parents=True, exist_ok=True)
    market = RunningMarket(symbol=session.symbol, account="paper", strategy_id="mm", journal="")
    OperationsDirectory(directory).begin(None, [market])
    with StatusFile(directory, [session]) as file:
        for result in session.runner.run():
            file.take(session, result)
            context = session.machine.context
            if context.fill_count > 2 and all(side.status is None for side in context.sides.values()):
                break
    later = time() + 3600  # as if it went on writing: no test depends on how long it takes
    edit(directory, is_running=True, written_at=later)
    (directory / HEARTBEAT).write_text(str(later))
    edit_market(
        directory, has_real_orders=True
    )  # what a view says of a run depends on it; a real one can open none here
    return directory


def edit(directory: Path, **changes: object) -> None:
    """Change what the status says of the run."""
    path = directory / STATUS_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_market(directory: Path, **changes: Any) -> None:
    """Change what the status says of its market."""
    (entry,) = json.loads((directory / STATUS_FILE).read_text())["symbols"]
    edit(directory, symbols=[{**entry, **changes}])


def end_market(directory: Path) -> None:
    """Let its market have ended in order, as far as the directory says."""
    (entry,) = json.loads((directory / STATUS_FILE).read_text())["symbols"]
    ending = {
        **entry["ending"], "outcome": "completed", "reason": "stop was asked for", "at": entry["time"],
        "is_book_confirmed_empty": True, "unconfirmed": [],
    }  # fmt: skip
    edit_market(directory, has_ended=True, state="completed", ending=ending)


def kill(directory: Path) -> None:
    """Let the run's process be gone, as far as the directory says."""
    edit(directory, process=DEAD)
    path = directory / "operations.json"
    path.write_text(path.read_text().replace(f'"process": {os.getpid()}', f'"process": {DEAD}'))

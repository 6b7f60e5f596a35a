"""A short session on the paper exchange that has ended, for tests of what is reported of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mm_fsm.machine.results import StepResult
from mm_fsm.report.files import SessionFiles
from mm_fsm.report.recorder import SessionRecorder
from mm_fsm.runtime.session import for_session, open_session
from mm_fsm.runtime.settings_file import parse_settings
from mm_fsm.runtime.supervisor import Supervisor


def run_session(
    text: str,
    directory: Path | None = None,
    *,
    seconds: float = 120,
    watch: Callable[[StepResult], None] | None = None,
) -> SessionRecorder:
    """Run the one market of a settings text to its end, writing its files where a directory is given."""
    (market,) = parse_settings(text)
    session = open_session(for_session(market, duration_seconds=seconds))
    recorder = SessionRecorder(session)
    takers = [recorder.take] if watch is None else [recorder.take, watch]
    if directory is None:
        for taken in Supervisor([session]).run():
            assert taken is not None
            for take in takers:
                take(taken[1])
        return recorder
    with SessionFiles(session, directory) as files:
        for taken in Supervisor([session]).run():
            assert taken is not None
            for take in (*takers, files.take):
                take(taken[1])
    return recorder

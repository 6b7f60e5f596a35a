"""Runs sessions to their end while people watch, and leaves the result: on disk, and as the entries of the report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

from attrs import frozen

from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.interruption import Interruption, interruptible
from mm_fsm.cli.views import RunView
from mm_fsm.cli.visited import write_visited
from mm_fsm.report.files import SessionFiles, symbol_directory, write_result
from mm_fsm.report.recorder import SessionRecorder
from mm_fsm.report.session_report import make_report
from mm_fsm.runtime.pacing import Pacer
from mm_fsm.runtime.session import Session
from mm_fsm.runtime.supervisor import Supervisor


@frozen(kw_only=True)
class Run:
    """A run that has ended: one entry a symbol, and the signal that ended it early, if one did."""

    entries: tuple[dict[str, Any], ...]
    signal_number: int | None


def execute(sessions: Sequence[Session], view: RunView, directory: Path, pacer: Pacer | None = None) -> Run:
    """Run every session to its end and write what it leaves below ``directory``.

    Raises:
        SettingsError: the directory cannot be written to.
        RecordingError: a recording is malformed from some line on.
    """
    recorders = {session.symbol: SessionRecorder(session) for session in sessions}
    supervisor = Supervisor(sessions, pacer)
    started = perf_counter()
    with ExitStack() as stack:
        files = {
            session.symbol: stack.enter_context(SessionFiles(session, symbol_directory(directory, session.symbol)))
            for session in sessions
        }
        interruption = stack.enter_context(interruptible(supervisor))
        stack.enter_context(view)
        for taken in supervisor.run():
            if taken is None:
                view.tick()
                continue
            session, result = taken
            recorders[session.symbol].take(result)
            files[session.symbol].take(result)
            view.take(session, result)
    wall_seconds = perf_counter() - started
    entries = tuple(make_report(recorder, wall_seconds).entry() for recorder in recorders.values())
    write_result(directory, entries)
    for session in sessions:
        write_visited(session, symbol_directory(directory, session.symbol))
    _say_how_it_ended(interruption)
    return Run(entries=entries, signal_number=interruption.signal_number)


def _say_how_it_ended(interruption: Interruption) -> None:
    if interruption.leaves:
        print_message("interrupted twice: cancels were sent, their answers not waited for", style="yellow")
    elif interruption.signal_number is not None:
        print_message("interrupted: orders were cancelled, positions kept", style="yellow")

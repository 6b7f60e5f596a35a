"""What people see while sessions run: a live view where the terminal allows it, else lines of a log, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from mm_fsm.cli.consoles import can_redraw, message_console
from mm_fsm.cli.run_view import RunView
from mm_fsm.runtime.session import Session


def choose_view(sessions: Sequence[Session], *, quiet: bool, heading: str | None = None) -> RunView:
    """The view that fits standard error; ``heading`` says what is shown, in one line, where it is redrawn."""
    console = message_console()
    if quiet:
        return RunView()
    if can_redraw(console):
        from mm_fsm.cli.live_view import LiveView  # noqa: PLC0415

        return LiveView(sessions, console, heading=heading)
    from mm_fsm.cli.log_lines import LogLines  # noqa: PLC0415

    return LogLines(sessions)

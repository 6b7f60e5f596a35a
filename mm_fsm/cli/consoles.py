"""Where output goes: results to standard output, everything else to standard error."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

RESULT_WIDTH_WITHOUT_TERMINAL = 100
"""Characters: a file or a pipe has no width of its own."""


class _ResultConsole(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command: rich itself would end the program with a failure."""
        raise BrokenPipeError


def result_console() -> Console:
    """Standard output, for results."""
    console = _ResultConsole(highlight=False)
    return console if console.is_terminal else _ResultConsole(highlight=False, width=RESULT_WIDTH_WITHOUT_TERMINAL)


def message_console() -> Console:
    """Standard error, for progress and messages."""
    return Console(stderr=True, highlight=False)


def can_redraw(console: Console) -> bool:
    """Whether a live view can be drawn there: a terminal that can move its cursor."""
    return console.is_terminal and not console.is_dumb_terminal


def print_message(text: str, *, style: str = "") -> None:
    """Say something on standard error; what wraps is left to the terminal, so that it can be copied whole."""
    message_console().print(Text(text, style=style), soft_wrap=True)

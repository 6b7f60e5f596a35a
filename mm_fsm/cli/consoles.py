"""Where output goes: results to standard output, everything else to standard error."""

from __future__ import annotations

from textwrap import wrap

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
    """Say something on standard error. On a terminal lines break between words; a path stays whole, to be copied."""
    console = message_console()
    lines = text.splitlines() or [""]
    if console.is_terminal:
        width = max(console.width, 2)
        lines = [
            part for line in lines for part in wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
        ]
    console.print(Text("\n".join(lines), style=style), soft_wrap=True)

"""Progress of work that takes more than a moment: a bar where the terminal allows it, else lines of a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from loguru import logger
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from mm_fsm.cli.consoles import can_redraw, message_console
from mm_fsm.cli.log_format import log_to_standard_error
from mm_fsm.cli.log_lines import PROGRESS_SECONDS

_REDRAW_SECONDS: Final = 0.2

Tell = Callable[[float], None]
"""Takes the fraction that is done, 0 to 1, as often as it likes."""


@contextmanager
def long_work(name: str, what: str, *, quiet: bool) -> Iterator[Tell]:
    """Show how far ``name`` is with ``what``, on standard error."""
    console = message_console()
    if quiet:
        yield lambda _: None
    elif not can_redraw(console):
        log_to_standard_error()
        yield _seldom(
            PROGRESS_SECONDS, lambda done: logger.bind(of=what, progress=f"{done:.0%}").info(f"{name}_progress")
        )
    else:
        columns = (TextColumn(f"{name} {{task.description}}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
            task = progress.add_task(what, total=1.0)
            yield _seldom(_REDRAW_SECONDS, lambda done: progress.update(task, completed=done, refresh=True))


def _seldom(seconds: float, show: Tell) -> Tell:
    """Show only so often, beginning after that time."""
    due = perf_counter() + seconds

    def tell(done: float) -> None:
        nonlocal due
        if perf_counter() >= due:
            show(done)
            due = perf_counter() + seconds

    return tell

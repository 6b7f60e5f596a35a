"""The command line ``mm-fsm``: the composition root, where settings become machines, services and venues."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from mm_fsm.cli.exit_codes import INTERRUPTED, READER_LEFT, SIGNAL_BASE, ExitCode
from mm_fsm.cli.unprinted_output import print_no_more, reopen_what_is_closed, unprinted

_OBJECTS_LOADED: Final = 300_000
"""More than there are once everything is loaded: until then nothing is searched for cycles, of which there are few."""


def main() -> None:
    """Run the command line of this process."""
    signal.signal(signal.SIGTERM, _leave)
    reopen_what_is_closed()
    try:
        with _no_cycles_sought():
            from mm_fsm.cli.app import app  # noqa: PLC0415 - importing the package loads no command line library

        _end_with_what_is_printed(app)
    except KeyboardInterrupt:  # before there is anything to end in order
        raise SystemExit(INTERRUPTED) from None


@contextmanager
def _no_cycles_sought() -> Iterator[None]:
    """While the program loads; commands that go on for days collect cycles as any program does."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_OBJECTS_LOADED)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _end_with_what_is_printed(run: Callable[[], object]) -> None:
    """Run, and see to it that what was printed has left: otherwise the interpreter says so with a traceback."""
    status: str | int | None = 0
    try:
        run()
    except SystemExit as ending:
        status = ending.code
    except OSError as error:
        if error.filename is not None:  # not what was printed
            raise
        print_no_more()
        sys.stderr.write(f"mm-fsm: {unprinted(error)}\n")
        raise SystemExit(ExitCode.FAILURE) from None
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        print_no_more()
        status = READER_LEFT if status == 0 else status
    except OSError as error:
        print_no_more()
        sys.stderr.write(f"mm-fsm: {unprinted(error)}\n")
        status = status or ExitCode.FAILURE
    raise SystemExit(status)


def _leave(number: int, _frame: FrameType | None) -> None:
    """Unwind the program as Ctrl-C does, so that what is open is closed and the terminal is as it was."""
    raise SystemExit(SIGNAL_BASE + number)

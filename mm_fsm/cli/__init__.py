"""The command line ``mm-fsm``: the composition root, where settings become machines, services and venues."""

from __future__ import annotations

import signal
from types import FrameType

from mm_fsm.cli.exit_codes import INTERRUPTED, SIGNAL_BASE


def main() -> None:
    """Run the command line of this process."""
    signal.signal(signal.SIGTERM, _leave)
    try:
        from mm_fsm.cli.app import app  # noqa: PLC0415 - importing the package loads no command line library

        app()
    except KeyboardInterrupt:  # before there is anything to end in order
        raise SystemExit(INTERRUPTED) from None


def _leave(number: int, _frame: FrameType | None) -> None:
    """Unwind the program as Ctrl-C does, so that what is open is closed and the terminal is as it was."""
    raise SystemExit(SIGNAL_BASE + number)

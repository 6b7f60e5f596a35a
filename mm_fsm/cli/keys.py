"""Single keys of a terminal, read without waiting; the terminal is left as it was found, however the program ends.

Nothing is read, and nothing changed, where standard input is no terminal or belongs to another job: a process in the
background that touched it would be stopped by the system, and orders would rest unattended.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, Final, Self

try:
    import termios
except ImportError:  # pragma: no cover - a system without terminals of this kind has no keys
    termios = None  # type: ignore[assignment]

_FATAL: Final = (signal.SIGHUP, signal.SIGQUIT)
"""Signals that end the program with no further word; whoever runs sessions handles SIGINT and SIGTERM."""
_LOCAL_FLAGS: Final = 3
_MOST_AT_ONCE: Final = 64


class Keys(AbstractContextManager["Keys"]):
    """The keys that were pressed since they were last asked for; use it in a ``with`` statement.

    Args:
        descriptor: the terminal; standard input by default.
        on_leaving: is called before a signal ends or suspends the program, to give back what else was taken.
    """

    def __init__(self, descriptor: int | None = None, on_leaving: Callable[[], object] = lambda: None) -> None:
        self._on_leaving = on_leaving
        self._descriptor = _standard_input() if descriptor is None else descriptor
        self._found: list[Any] | None = None
        """How the terminal was before; None while it is as it was."""
        self._handlers: dict[signal.Signals, Any] = {}

    @property
    def are_read(self) -> bool:
        """Whether keys reach this process at present."""
        return self._found is not None

    def __enter__(self) -> Self:
        """Read single keys from now on, where there is a terminal."""
        if termios is not None and self._descriptor is not None and os.isatty(self._descriptor):
            for number in (*_FATAL, signal.SIGTSTP):
                if signal.getsignal(number) is signal.SIG_DFL:
                    handler = self._suspend if number == signal.SIGTSTP else self._end
                    self._handlers[number] = signal.signal(number, handler)
            self._take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the terminal as it was found."""
        self._give_back()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    def pressed(self) -> str:
        """What was pressed since the last time; empty where nothing was. Never waits, never raises."""
        if self._descriptor is None or termios is None or not self._is_ours():
            return ""
        self._take()  # a job that was brought to the front again
        if self._found is None:
            return ""
        with suppress(OSError, ValueError):
            if select.select([self._descriptor], [], [], 0)[0]:
                return os.read(self._descriptor, _MOST_AT_ONCE).decode("ascii", "ignore")
        return ""

    def _is_ours(self) -> bool:
        """Whether this process is in the terminal's foreground."""
        try:
            return self._descriptor is not None and os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:
            return False

    def _take(self) -> None:
        """No echo, and keys without Enter; Ctrl-C and Ctrl-Z stay signals."""
        if self._found is not None or self._descriptor is None or not self._is_ours():
            return
        with suppress(OSError, termios.error):
            found = termios.tcgetattr(self._descriptor)
            changed = [*found]
            changed[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(self._descriptor, termios.TCSANOW, changed)
            self._found = found

    def _give_back(self) -> None:
        found, self._found = self._found, None
        if found is not None and self._descriptor is not None:
            with suppress(OSError, termios.error), _output_from_background():
                termios.tcsetattr(self._descriptor, termios.TCSANOW, found)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        """A signal ends the program: the terminal first."""
        self._on_leaving()
        self._give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _suspend(self, number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: the shell gets its terminal; once the program goes on, so do the keys, if they are its own then."""
        self._on_leaving()
        self._give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._suspend)
        self._take()


def _standard_input() -> int | None:
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):  # none, closed, or replaced by a test
        return None


@contextmanager
def _output_from_background() -> Iterator[None]:
    """Let this thread set a terminal's mode from the background too, instead of being stopped for it."""
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)

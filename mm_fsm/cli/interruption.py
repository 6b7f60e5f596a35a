"""Ctrl-C and SIGTERM: the first ends the sessions in order, the second cancels and leaves at once.

SIGUSR1 pauses every market, SIGUSR2 lets them go on.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from attrs import define, field

from mm_fsm.runtime.supervisor import Supervising

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@define
class Interruption:
    """What signals have asked for."""

    signal_number: int | None = None
    """The first one; None while none has come."""
    leaves: bool = False
    """Whether another one came: nothing is to be waited for any more."""
    _supervisor: Supervising | None = field(default=None, init=False)
    _is_pause_wanted: bool = field(default=False, init=False)
    """Since before there was anything to pause."""

    def ends(self, supervisor: Supervising) -> None:
        """Let signals end what ``supervisor`` runs, those too that have come already."""
        self._supervisor = supervisor
        if self._is_pause_wanted:
            supervisor.pause("SIGUSR1")
        self._tell()

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """A signal has come. A second one while sessions are still being opened waits for nothing, as the first may.

        Raises:
            KeyboardInterrupt: there is nothing yet that could end in order.
        """
        if self._supervisor is None and self.signal_number is not None:
            raise KeyboardInterrupt
        if self.signal_number is None:
            self.signal_number = number
        else:
            self.leaves = True
        self._tell()

    def pause(self, _number: int, _frame: FrameType | None) -> None:
        """SIGUSR1 has come."""
        self._is_pause_wanted = True
        if self._supervisor is not None:
            self._supervisor.pause("SIGUSR1")

    def resume(self, _number: int, _frame: FrameType | None) -> None:
        """SIGUSR2 has come."""
        self._is_pause_wanted = False
        if self._supervisor is not None:
            self._supervisor.resume()

    def _tell(self) -> None:
        if self._supervisor is None or self.signal_number is None:
            return
        self._supervisor.request_stop(signal.Signals(self.signal_number).name)
        if self.leaves:
            self._supervisor.leave()


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Let signals end sessions: the first in order, the second at once."""
    interruption = Interruption()
    handlers = {
        **dict.fromkeys(_SIGNALS, interruption.handle),
        signal.SIGUSR1: interruption.pause,
        signal.SIGUSR2: interruption.resume,
    }
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

"""Ctrl-C and SIGTERM: the first ends the sessions in order, the second leaves at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from attrs import define

from mm_fsm.runtime.supervisor import Supervisor

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@define
class Interruption:
    """What signals have asked for."""

    signal_number: int | None = None
    """The first one; None while none has come."""
    leaves: bool = False
    """Whether another one came, and nothing was waited for any more."""


@contextmanager
def interruptible(supervisor: Supervisor) -> Iterator[Interruption]:
    """Let signals stop the sessions: the first cancels, confirms and keeps the position, the second leaves."""
    interruption = Interruption()

    def handle(number: int, _frame: FrameType | None) -> None:
        if interruption.signal_number is None:
            interruption.signal_number = number
            supervisor.request_stop(signal.Signals(number).name)
        else:
            interruption.leaves = True
            supervisor.leave()

    previous = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

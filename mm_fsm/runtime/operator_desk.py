"""Turns what an operator asks for, by file, command or signal, into facts for the machines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from loguru import logger

from mm_fsm.books.facts import OperatorPaused, OperatorResumed
from mm_fsm.core.messages import Fact
from mm_fsm.errors import SettingsError
from mm_fsm.runtime.operations import PAUSE, OperationsDirectory
from mm_fsm.runtime.session import Session

LOOK_SECONDS: Final = 0.2
"""How often the run's directory is looked at: a pause takes effect within this, and a step."""

MakeFact = Callable[[int], Fact]
"""Makes a fact that was received at a time."""


class OperatorDesk:
    """Looks for wishes and hands them on, each once.

    Args:
        operations: the run's directory.
        clock: seconds, for how often to look.
    """

    def __init__(self, operations: OperationsDirectory, clock: Callable[[], float] = monotonic) -> None:
        self.operations: Final = operations
        self.pause_reason: str | None = None
        """Why every market is paused; None while none is."""
        self._clock = clock
        self._looked_at = float("-inf")
        self._asked: tuple[str, str] | None = None
        self._is_stop_told = False

    def ask_pause(self, reason: str) -> None:
        """Pause soon. Only sets a mark, so that a signal may call it."""
        self._asked = (PAUSE, reason)

    def ask_resume(self) -> None:
        """Resume soon. Only sets a mark, so that a signal may call it."""
        self._asked = ("", "")

    def begin(self, sessions: Sequence[Session]) -> None:
        """A pause from before a restart stands, until somebody takes it back."""
        paused = (each.machine.context.operator_pause for each in sessions)
        reason = next((each for each in paused if each is not None), None)
        if reason is not None and self.operations.wishes().pause is None:
            self._write(PAUSE, reason)
        self.pause_reason = reason

    def look(self) -> tuple[MakeFact | None, str | None]:
        """What every session is to be told now, if anything, and why the run is to stop, once."""
        self._carry_out_signal()
        now = self._clock()
        if now - self._looked_at < LOOK_SECONDS:
            return None, None
        self._looked_at = now
        self.operations.beat()
        wishes = self.operations.wishes()
        stop = None if self._is_stop_told else wishes.stop
        self._is_stop_told = self._is_stop_told or stop is not None
        return self._change(wishes.pause), stop

    def _change(self, reason: str | None) -> MakeFact | None:
        if (reason is None) == (self.pause_reason is None):
            return None
        self.pause_reason = reason
        if reason is None:
            logger.info("operator.resumed")
            return lambda now: OperatorResumed(received_at=now)
        logger.bind(reason=reason).warning("operator.paused")
        return lambda now: OperatorPaused(received_at=now, reason=reason)

    def _carry_out_signal(self) -> None:
        """A signal leaves the same file as a command, so that there is one place that says what holds."""
        asked, self._asked = self._asked, None
        if asked is not None:
            self._looked_at = float("-inf")
            self._write(*asked)

    def _write(self, what: str, reason: str) -> None:
        with suppress(SettingsError):
            if what:
                self.operations.ask(what, reason)
            else:
                self.operations.take_back(PAUSE)

"""What every view of a run has: it is told each step. This one shows nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final

from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.session import Session

_SIGNALS: Final = ("SIGINT", "SIGTERM")


def is_interrupted(session: Session) -> bool:
    """Whether a signal has asked the session to end, and it has not yet: another one would leave at once."""
    machine = session.machine
    return not machine.is_final and machine.context.is_stopping and machine.context.stop_reason in _SIGNALS


class RunView(AbstractContextManager["RunView"]):
    """Is told everything, shows what it likes. This one shows nothing."""

    def take(self, session: Session, result: StepResult) -> None:
        """One step of one session."""

    def tick(self) -> None:
        """Time has passed on the wall."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""


def fraction_done(sessions: Sequence[Session]) -> float:
    """How much of the run is over, 0 to 1: as much as of the session that is least far."""
    return min(session.progress for session in sessions)

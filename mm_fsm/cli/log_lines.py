"""Progress as lines of a log: one constant event name a line, what varies as fields."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Final, Self

from loguru import logger

from mm_fsm.cli.log_format import log_to_standard_error
from mm_fsm.cli.run_view import RunView, fraction_done, is_interrupted
from mm_fsm.cli.trouble_lines import TroubleLines
from mm_fsm.machine.results import StepResult
from mm_fsm.report.table import size
from mm_fsm.runtime.pushed_session import PushedSession
from mm_fsm.runtime.session import Session

PROGRESS_SECONDS: Final = 10.0
"""Wall time between two lines of progress."""
_STEPS_BETWEEN_LOOKS: Final = 256


class LogLines(RunView):
    """Says when sessions begin, how far they are, what fails and what is done about it, and when they end."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._sessions = sessions
        self._troubles = {s.symbol: TroubleLines(s) for s in sessions if isinstance(s, PushedSession)}
        self._steps = 0
        self._next_line = perf_counter() + PROGRESS_SECONDS

    def __enter__(self) -> Self:
        """Say what is opened."""
        log_to_standard_error()
        for session in self._sessions:
            logger.bind(symbol=session.symbol, preset=session.configuration.preset or None).info("session_opened")
        return self

    def take(self, session: Session, result: StepResult) -> None:
        """Log what must be seen, and progress now and then."""
        for fault in result.faults:
            fields = {"symbol": session.symbol, "code": fault.code.value, "state": fault.state, "reason": fault.reason}
            logger.bind(**fields).warning("fault")
        trouble = self._troubles.get(session.symbol)
        if trouble is not None:
            trouble.take(result)
        if result.transitions:
            self._log_end(session, result)
        self._steps += 1
        if self._steps % _STEPS_BETWEEN_LOOKS == 0:
            self.tick()

    def tick(self) -> None:
        """Log the progress of every session every few seconds."""
        if perf_counter() < self._next_line:
            return
        self._next_line = perf_counter() + PROGRESS_SECONDS
        for session in self._sessions:
            logger.bind(progress=f"{fraction_done(self._sessions):.0%}", **_figures(session)).info("session_progress")

    def _log_end(self, session: Session, result: StepResult) -> None:
        for transition in result.transitions:
            if transition.event == "stop":
                fields = {"symbol": session.symbol, "reason": session.machine.context.stop_reason}
                if is_interrupted(session):
                    fields["another_signal"] = "cancels and leaves at once"
                logger.bind(**fields).info("session_stopping")
        if session.machine.is_final:
            logger.bind(**_figures(session)).info("session_ended")


def _figures(session: Session) -> dict[str, object]:
    context, journal = session.machine.context, session.journal
    return {
        "symbol": session.symbol,
        "state": session.machine.chart_state,
        "fills": context.fill_count,
        "inventory_offset": context.inventory_offset.normalize(),
        "net_pnl": f"{context.net_pnl:.4f}",
        **({} if journal is None else {"journal": size(journal.status.size)}),
    }

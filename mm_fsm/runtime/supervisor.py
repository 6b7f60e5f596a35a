"""Runs several sessions at once: in one thread, interleaved by event time, so that every run is the same run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heapreplace

from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.pacing import Pacer
from mm_fsm.runtime.session import Session


class Supervisor:
    """Gives the turn to the session whose next event is earliest; of equal times to the one that was named first.

    Args:
        sessions: what to run; each ends by itself.
        pacer: holds event time back; None runs as fast as it can.
    """

    def __init__(self, sessions: Sequence[Session], pacer: Pacer | None = None) -> None:
        self.sessions = tuple(sessions)
        self._pacer = pacer
        self._stop_reason: str | None = None
        self._leaves = False

    def request_stop(self, reason: str) -> None:
        """End every session soon: cancel, confirm, keep the position. Only sets a mark, so a signal may call it."""
        self._stop_reason = reason

    def leave(self) -> None:
        """Give up what has not ended yet; cancels have left with the stop. Only sets a mark."""
        self._leaves = True

    def run(self) -> Iterator[tuple[Session, StepResult] | None]:
        """Run until every session has ended, yielding each step's result with its session; None while waiting."""
        turns = self._turns()
        is_stopping = False
        while turns and not (self._leaves and is_stopping):
            if self._stop_reason is not None and not is_stopping:
                is_stopping = True
                yield from self._stop_all(self._stop_reason)
                turns = self._turns()
            time, index = turns[0]
            session = self.sessions[index]
            if session.machine.is_final:
                heappop(turns)
                continue
            if self._pacer is not None and not self._pacer.wait(time):
                yield None
                continue
            for result in session.runner.advance():
                yield session, result
            heapreplace(turns, (session.runner.next_time, index))

    def _turns(self) -> list[tuple[int, int]]:
        """When each session is next, as a heap."""
        turns = [(session.runner.next_time, index) for index, session in enumerate(self.sessions)]
        heapify(turns)
        return turns

    def _stop_all(self, reason: str) -> Iterator[tuple[Session, StepResult]]:
        for session in self.sessions:
            if not session.machine.is_final:
                yield session, session.runner.stop(flatten=False, reason=reason)

"""Runs several sessions at once: in one thread, interleaved by event time, so that every run is the same run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heapreplace
from typing import Protocol

from mm_fsm.core.messages import Intent
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.operator_desk import OperatorDesk
from mm_fsm.runtime.pacing import Pacer
from mm_fsm.runtime.session import PulledSession, Session


class Supervising(Protocol):
    """Runs sessions, however their facts come."""

    @property
    def sessions(self) -> Sequence[Session]:
        """What it runs."""
        ...

    @property
    def unsent(self) -> Sequence[Intent]:
        """Intents that never left, once it has ended."""
        ...

    def request_stop(self, reason: str) -> None:
        """End every session soon. Only sets a mark, so that a signal may call it."""
        ...

    def leave(self) -> None:
        """Cancel everything and end without waiting for an answer. Only sets a mark."""
        ...

    def pause(self, reason: str) -> None:
        """Quote no more until resumed. Only sets a mark, so that a signal may call it."""
        ...

    def resume(self) -> None:
        """Quote again. Only sets a mark, so that a signal may call it."""
        ...

    def run(self) -> Iterator[tuple[Session, StepResult] | None]:
        """Run until every session has ended, yielding each step's result with its session; None while waiting."""
        ...


class Supervisor:
    """Gives the turn to the session whose next event is earliest; of equal times to the one that was named first.

    Args:
        sessions: what to run; each ends by itself.
        pacer: holds event time back; None runs as fast as it can.
        flatten: whether a stop that is asked for winds positions down; None leaves it to each session's settings.
        operator: what people ask for while it runs.
    """

    def __init__(
        self,
        sessions: Sequence[PulledSession],
        pacer: Pacer | None = None,
        *,
        flatten: bool | None = None,
        operator: OperatorDesk | None = None,
    ) -> None:
        self.sessions = tuple(sessions)
        self._pacer = pacer
        self._flatten = flatten
        self._operator = operator
        self._stop_reason: str | None = None
        self._leaves = False
        self.unsent: Sequence[Intent] = ()
        """In event time everything leaves."""

    def request_stop(self, reason: str) -> None:
        """End every session soon: cancel, confirm, keep the position or wind it down.

        Only sets a mark, so that a signal may call it.
        """
        self._stop_reason = reason

    def leave(self) -> None:
        """Cancel everything and end without waiting for an answer, a wind-down too. Only sets a mark."""
        self._leaves = True

    def pause(self, reason: str) -> None:
        """Quote no more until resumed. Only sets a mark, so that a signal may call it."""
        if self._operator is not None:
            self._operator.ask_pause(reason)

    def resume(self) -> None:
        """Quote again. Only sets a mark, so that a signal may call it."""
        if self._operator is not None:
            self._operator.ask_resume()

    def run(self) -> Iterator[tuple[Session, StepResult] | None]:
        """Run until every session has ended, yielding each step's result with its session; None while waiting."""
        if self._operator is not None:
            self._operator.begin(self.sessions)
        turns = self._turns()
        is_stopping = False
        while turns:
            yield from self._attend()
            if self._leaves:
                yield from self._stop_all(self._stop_reason or "left at once", flatten=False)
                return
            if self._stop_reason is not None and not is_stopping:
                is_stopping = True
                yield from self._stop_all(self._stop_reason, flatten=self._flatten)
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

    def _attend(self) -> Iterator[tuple[Session, StepResult]]:
        """Do what people ask for by now."""
        if self._operator is None:
            return
        make_fact, stop = self._operator.look()
        if stop is not None:
            self.request_stop(stop)
        for session in self.sessions if make_fact is not None else ():
            if make_fact is not None and not session.machine.is_final:
                yield session, session.runner.step(make_fact(session.runner.now))

    def _turns(self) -> list[tuple[int, int]]:
        """When each session is next, as a heap."""
        turns = [(session.runner.next_time, index) for index, session in enumerate(self.sessions)]
        heapify(turns)
        return turns

    def _stop_all(self, reason: str, *, flatten: bool | None) -> Iterator[tuple[Session, StepResult]]:
        for session in self.sessions:
            if not session.machine.is_final:
                yield session, session.runner.stop(flatten=flattens(session, flatten), reason=reason)


def flattens(session: Session, flatten: bool | None) -> bool:  # noqa: FBT001 - what was asked for, handed on
    """Whether a stop winds the session's position down: as asked, else as its settings say."""
    return session.configuration.strategy.flatten_on_signal if flatten is None else flatten

"""Runs sessions in wall time: an asyncio loop steps the machines, and lets whoever watches look in between."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from loguru import logger

from mm_fsm.books.facts import OperatorPaused, OperatorResumed
from mm_fsm.core.clock import seconds
from mm_fsm.core.messages import Intent
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.operator_desk import OperatorDesk
from mm_fsm.runtime.pushed_session import PushedSession
from mm_fsm.runtime.session import Session
from mm_fsm.runtime.supervisor import flattens
from mm_fsm.venues.port import PushedVenue

DRAIN_SECONDS: Final = 2.0
"""How long what was submitted may take to leave once nothing is waited for any more."""
_LONGEST_WAIT_SECONDS: Final = 0.05
"""So that a stop is noticed soon, and a view can be redrawn while nothing happens."""


class PushedSupervisor:
    """Runs sessions until each has ended, then lets the last intents leave and closes the venues.

    However it ends, by itself, by an exception or because nobody takes its results any more: every session that has
    not ended is asked to stop, which cancels its orders, and those cancels get ``DRAIN_SECONDS`` to leave.

    Args:
        loop: the loop in which the venues were opened; it runs only while results are asked for.
        venues: what the sessions trade at.
        flatten: whether a stop that is asked for winds positions down; None leaves it to each session's settings.
        operator: what people ask for while it runs.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        venues: Sequence[PushedVenue],
        *,
        flatten: bool | None = None,
        operator: OperatorDesk | None = None,
    ) -> None:
        self.sessions: Sequence[PushedSession] = ()
        self.unsent: Final[list[Intent]] = []
        """Intents that never left."""
        self._loop = loop
        self._venues = tuple(venues)
        self._flatten = flatten
        self._operator = operator
        self._results: deque[tuple[Session, StepResult]] = deque()
        self._news = asyncio.Event()
        self._stop_reason: str | None = None
        self._is_stopping = False
        self._halts: list[tuple[PushedVenue, str]] = []
        self._leaves = False

    def note(self, session: Session, result: StepResult) -> None:
        """A step has been taken: keep its result for whoever watches."""
        self._results.append((session, result))
        self._news.set()

    def request_stop(self, reason: str) -> None:
        """End every session soon. Only sets a mark, so that a signal may call it."""
        self._stop_reason = reason

    def halt(self, venue: PushedVenue, reason: str) -> None:
        """End every session on a venue because of a fault that concerns them all. Only sets a mark.

        As with any fault that does not pass, each reduces its position where ``wind_down_on_fault`` says so, and else
        keeps it; its orders are cancelled first.
        """
        self._halts.append((venue, reason))

    def leave(self) -> None:
        """Cancel everything and end without waiting for an answer. Only sets a mark."""
        self._leaves = True

    def run(self) -> Iterator[tuple[Session, StepResult] | None]:
        """Run until every session has ended, yielding each step's result with its session; None while waiting."""
        try:
            self._loop.run_until_complete(self._begin())
            while not (self._leaves or all(session.has_ended for session in self.sessions)):
                self._loop.run_until_complete(self._wait())
                if not self._results:
                    yield None
                yield from self._taken()
        finally:
            self._loop.run_until_complete(self._end())
        yield from self._taken()

    def _taken(self) -> Iterator[tuple[Session, StepResult]]:
        while self._results:
            yield self._results.popleft()

    async def _begin(self) -> None:
        if self._operator is not None:
            self._operator.begin(self.sessions)
        for session in self.sessions:
            session.begin()

    def pause(self, reason: str) -> None:
        """Quote no more until resumed. Only sets a mark, so that a signal may call it."""
        if self._operator is not None:
            self._operator.ask_pause(reason)

    def resume(self) -> None:
        """Quote again. Only sets a mark, so that a signal may call it."""
        if self._operator is not None:
            self._operator.ask_resume()

    def _attend(self) -> None:
        """Do what people ask for by now."""
        if self._operator is None:
            return
        make_fact, stop = self._operator.look()
        if stop is not None:
            self.request_stop(stop)
        for session in self.sessions if make_fact is not None else ():
            if make_fact is not None and not session.has_ended:
                session.runner.take(make_fact(session.venue.now()))

    def _restart_failed(self) -> None:
        """Restart markets that a bug has ended, once it is time, as long as their policy says.

        Whatever goes wrong then, a user's class included, concerns this market alone.
        """
        for session in self.sessions:
            due = session.policy.due
            if due is None or seconds(session.venue.now()) < due:
                continue
            try:
                session.restart()
            except Exception as error:  # noqa: BLE001 - the others go on, whosever code it is
                logger.bind(symbol=session.symbol, error=repr(error)).opt(exception=error).error(
                    "session.restart_failed"
                )
                session.note_down()
            else:
                logger.bind(symbol=session.symbol, restarts=session.policy.done).warning("session.restarted")
                self._tell_pause(session)

    def _tell_pause(self, session: PushedSession) -> None:
        """What an operator has asked for while the market was down."""
        reason = None if self._operator is None else self._operator.pause_reason
        is_paused = session.machine.context.operator_pause is not None
        now = session.venue.now()
        if reason is not None and not is_paused:
            session.runner.take(OperatorPaused(received_at=now, reason=reason))
        elif reason is None and is_paused:
            session.runner.take(OperatorResumed(received_at=now))

    async def _wait(self) -> None:
        self._attend()
        self._restart_failed()
        if self._stop_reason is not None and not self._is_stopping:
            self._is_stopping = True
            for session in self.sessions:
                session.policy.give_up()
                self._stop(session, self._stop_reason, flatten=flattens(session, self._flatten))
        while self._halts:
            venue, reason = self._halts.pop()
            for session in self.sessions:
                if session.venue is venue:
                    session.policy.give_up()
                    self._stop(session, reason, flatten=session.configuration.strategy.wind_down_on_fault)
        self._news.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), _LONGEST_WAIT_SECONDS)

    async def _end(self) -> None:
        for session in self.sessions:
            if session.down is not None:
                session.down.end()
        for session in self.sessions:
            self._stop(session, self._stop_reason or "left at once", flatten=False)
        for session in self.sessions:
            self.unsent.extend(await session.runner.settle(DRAIN_SECONDS))
        for venue in self._venues:
            self.unsent.extend(await venue.drain(DRAIN_SECONDS))
        for session in self.sessions:
            session.runner.close()
        for venue in self._venues:
            await venue.close()

    def _stop(self, session: PushedSession, reason: str, *, flatten: bool) -> None:
        if not session.has_ended:
            session.runner.request_stop(flatten=flatten, reason=reason)

"""The pushed driver: one machine and one venue whose facts come as they happen.

The same step as in event time. What differs is who is asked: here nobody asks what is next, the venue gives each fact
as it comes, and the machine's wake-up is a timer of the host's clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from mm_fsm.books.facts import StopRequested, Timer
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.releasing import LeavesAtOnce, Release
from mm_fsm.runtime.stepping import SessionSteps, SteppedMachine, TakesIntents

_FACTS_A_CALL: Final = 256
"""Facts that one call of a venue may lead to before the others wait for the host's next call."""


class PushesFacts(TakesIntents, Protocol):
    """A pushed venue, as far as one market's driver needs it."""

    def now(self) -> int:
        """Host time, nanoseconds; never goes back."""
        ...

    def call_at(self, time: int, call: Callable[[], None]) -> Callable[[], None]:
        """Call back once host time has reached ``time``; what is returned calls it off."""
        ...


class PushedRunner(SessionSteps):
    """One machine in wall time. Give it to the venue: ``venue.attach(symbol, runner.take, known_ids)``.

    Args:
        machine: the machine.
        venue: where intents go, and whose clock it is.
        on_result: is told each step's result once its intents are on their way; must not raise.
        release: when the intents of a step may leave; at once by default.
        on_failure: is told the bug that ended this market's stepping, and which intents were held back and were dropped
            because of it, so that others go on; without it, the bug is raised.
    """

    def __init__(
        self,
        machine: SteppedMachine,
        venue: PushesFacts,
        on_result: Callable[[StepResult], None] | None = None,
        release: Release | None = None,
        on_failure: Callable[[Exception, Sequence[Intent]], None] | None = None,
    ) -> None:
        super().__init__(machine, venue)
        self.failure: Exception | None = None
        """The bug because of which this machine is stepped no more."""
        self._on_failure = on_failure
        self.venue = venue
        self._on_result = on_result
        self._release = release or LeavesAtOnce()
        self._waiting: deque[Fact] = deque()
        self._is_stepping = False
        self._alarm: tuple[int, Callable[[], None]] | None = None
        self._release.connect(self._submit, self.take, venue.now)

    def take(self, fact: Fact) -> None:
        """Give the machine a fact, now. A fact that an answer brings while a step is under way follows it."""
        if self.failure is not None:
            return
        self._waiting.append(fact)
        if not self._is_stepping:
            self._take_waiting()

    def go_on_from(self, before: PushedRunner) -> None:
        """Count on from where the runner of a machine that failed has left off."""
        self.now, self.facts = before.now, before.facts
        self.market_events, self.refused_facts = before.market_events, before.refused_facts

    def request_stop(self, *, flatten: bool, reason: str) -> None:
        """Ask the machine to end the session."""
        self.take(StopRequested(received_at=self.venue.now(), flatten=flatten, reason=reason))

    async def settle(self, seconds: float) -> tuple[Intent, ...]:
        """Wait until every intent has gone to the venue, for so long at most; those that never will."""
        return await self._release.settle(seconds)

    def close(self) -> None:
        """Wake the machine no more."""
        if self._alarm is not None:
            self._alarm[1]()
            self._alarm = None

    def _take_waiting(self) -> None:
        """Take what waits, a bounded number: whoever answers at once, and for ever, must get its thread back."""
        with self._guarded():
            for _ in range(_FACTS_A_CALL):
                if not self._waiting:
                    break
                self._take(self._waiting.popleft())
        if self.failure is None:
            self._set_alarm()

    def _submit(self, intents: Sequence[Intent], time: int) -> None:
        """Hand intents to the venue. A fact that it brings meanwhile follows: all of them have left by then."""
        if self._is_stepping:
            self.venue.submit(intents, time)
            return
        with self._guarded():
            self.venue.submit(intents, time)
        if self._waiting:
            self._take_waiting()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """No fact is taken meanwhile, and a bug ends this market only: whoever brings facts serves others, too.

        Nobody steps the machine any more then, so that what is held back for it never leaves.
        """
        self._is_stepping = True
        try:
            yield
        except Exception as error:
            if self._on_failure is None:
                raise
            self.failure = error
            self._waiting.clear()
            self.close()
            self._on_failure(error, self._release.drop())
        finally:
            self._is_stepping = False

    def _take(self, fact: Fact) -> None:
        self.now = max(self.now, self.venue.now())
        result = self.step(fact)
        if self.machine.is_final:
            self._release.drop()
        if self._on_result is not None:
            self._on_result(result)

    def _leave(self, result: StepResult) -> None:
        self._release.leave(result)

    def _set_alarm(self) -> None:
        at = self.venue.now() if self._waiting else self.wake_at
        if self._alarm is not None and self._alarm[0] == at:
            return
        self.close()
        if at is not None:
            self._alarm = (at, self.venue.call_at(at, self._wake))

    def _wake(self) -> None:
        """The host's timer: the machine is woken when it is time, not before."""
        self._alarm = None
        now = self.venue.now()
        if self._waiting:
            self._take_waiting()
        elif self.wake_at is not None and now >= self.wake_at:
            self.take(Timer(received_at=now))
        else:
            self._set_alarm()

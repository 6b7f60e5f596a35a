"""The pulled driver: one machine and one venue in event time.

The runner decides nothing. It takes whatever happens next, at the venue or by the machine's own wake-up, gives it to
the machine, and carries the intents over.
"""

from __future__ import annotations

from collections.abc import Iterator

from mm_fsm.books.facts import Timer
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.stepping import SessionSteps, SteppedMachine
from mm_fsm.venues.port import PulledVenue


class SessionRunner(SessionSteps):
    """One machine in event time.

    Args:
        machine: the machine.
        venue: where intents go and facts come from.
    """

    def __init__(self, machine: SteppedMachine, venue: PulledVenue) -> None:
        super().__init__(machine, venue)
        self.venue = venue
        self.now = venue.next_time() or 0  # what is asked before the first event is asked then, not in 1970

    def run(self) -> Iterator[StepResult]:
        """Run until the machine is final, yielding each step's result once its intents are carried over."""
        while not self.machine.is_final:
            yield from self.advance()

    @property
    def progress(self) -> float | None:
        """How much of all that the venue has to bring it has brought, 0 to 1; None when nobody knows."""
        return self.venue.progress

    @property
    def next_time(self) -> int:
        """When something happens next, nanoseconds: never before ``now``."""
        venue_time, wake_at = self.venue.next_time(), self.wake_at
        times = [time for time in (venue_time, wake_at) if time is not None]
        return max(self.now, min(times, default=self.now))

    def advance(self) -> Iterator[StepResult]:
        """Let the one thing that is next happen, and yield the results of the steps it leads to.

        Raises:
            RecordingError: what the venue reads from is malformed from here on.
        """
        venue_time, wake_at = self.venue.next_time(), self.wake_at
        if venue_time is None and wake_at is None:
            raise RuntimeError("nothing is scheduled, yet the machine has not ended: it would wait for ever.")
        if venue_time is not None and (wake_at is None or venue_time <= wake_at):
            self.now = max(self.now, venue_time)
            for fact in self.venue.receive(self.now):
                yield self.step(fact)
        elif wake_at is not None:
            self.now = max(self.now, wake_at)
            yield self.step(Timer(received_at=self.now))

"""Joins one machine, one market and one simulated venue, and lets event time run.

The runner decides nothing. It takes whatever happens next, the market's event, the venue's, or the machine's own
wake-up, gives it to whom it belongs, and carries the intents over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from mm_fsm.books.facts import MessageRefused, StopRequested, Timer
from mm_fsm.books.facts.fields import TIMES_END
from mm_fsm.core.messages import Fact, OrderFact
from mm_fsm.errors import FactRefusedError
from mm_fsm.machine.results import StepResult
from mm_fsm.venues.base import MarketEvent, SimulatedVenue, time_of


class SteppedMachine(Protocol):
    """A machine, or one with a journal around it."""

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        ...

    def step(self, fact: Fact) -> StepResult:
        """Book one fact and return what is to be done."""
        ...


def tell(machine: SteppedMachine, fact: Fact) -> StepResult:
    """Give a machine one fact, and if it refuses it, say so to the machine instead. Every host does this.

    A message that makes no sense must not end the program while orders rest: the side that it was about is held, the
    books are synchronised again, and the result is that of a ``MessageRefused``.
    """
    try:
        return machine.step(fact)
    except FactRefusedError as error:
        return machine.step(_refusal(fact, error))


class SessionRunner:
    """One machine in event time.

    Args:
        machine: the machine; it is stopped with its position kept when the market's events end.
        market: the market's events in order of exchange time.
        venue: where intents go and facts come from.
    """

    def __init__(self, machine: SteppedMachine, market: Iterable[MarketEvent], venue: SimulatedVenue) -> None:
        self.machine = machine
        self.venue = venue
        self.now = 0
        """Event time so far, nanoseconds."""
        self.market_events = 0
        self.facts = 0
        """Facts given to the machine, timers included."""
        self.refused_facts = 0
        self._market = iter(market)
        self._next_event = next(self._market, None)
        self._has_ended = False
        self._wake_at: int | None = None

    def run(self) -> Iterator[StepResult]:
        """Run until the machine is final, yielding each step's result once its intents are carried over."""
        while not self.machine.is_final:
            yield from self.advance()

    @property
    def next_time(self) -> int:
        """When something happens next, nanoseconds: never before ``now``, and at once when the market has ended."""
        event = self._next_event
        if event is None and not self._has_ended:
            return self.now
        times = [time for time in (self.venue.next_time(), self._wake_at) if time is not None]
        if event is not None:
            times.append(time_of(event))
        return max(self.now, min(times, default=self.now))

    def stop(self, *, flatten: bool, reason: str) -> StepResult:
        """Ask the machine to end the session, now."""
        return self._step(StopRequested(received_at=self.now, flatten=flatten, reason=reason))

    def advance(self) -> Iterator[StepResult]:
        """Let the one thing that is next happen, and yield the results of the steps it leads to."""
        event, venue_time, wake_at = self._next_event, self.venue.next_time(), self._wake_at
        if event is None and not self._has_ended:
            self._has_ended = True
            yield self.stop(flatten=False, reason="the market's events have ended")
            return
        times = [time for time in (venue_time, wake_at) if time is not None]
        if event is not None and all(time_of(event) <= time for time in times):
            self._take_market_event(event)
            return
        if not times:
            raise RuntimeError("nothing is scheduled, yet the machine has not ended: it would wait for ever.")
        self.now = max(self.now, min(times))
        if venue_time is not None and venue_time <= self.now:
            for fact in self.venue.advance(self.now):
                yield self._step(fact)
        else:
            yield self._step(Timer(received_at=self.now))

    def _take_market_event(self, event: MarketEvent) -> None:
        self.now = max(self.now, time_of(event))
        self.venue.on_market(event)
        self.market_events += 1
        self._next_event = next(self._market, None)

    def _step(self, fact: Fact) -> StepResult:
        self.facts += 1
        result = tell(self.machine, fact)
        self.refused_facts += result.fact is not fact
        self._wake_at = result.wake_at
        for intent in result.intents:
            self.venue.submit(intent, result.time)
        return result


def _refusal(fact: Fact, error: FactRefusedError) -> MessageRefused:
    """What is still known of a message that made no sense."""
    order_id = fact.client_order_id if isinstance(fact, OrderFact) else None
    is_named = isinstance(order_id, str) and order_id
    received_at = fact.received_at if type(fact.received_at) is int and 0 <= fact.received_at < TIMES_END else 0
    return MessageRefused(received_at=received_at, reason=str(error), client_order_id=order_id if is_named else None)

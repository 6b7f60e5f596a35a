"""One step of a session, whoever drives it: give the machine a fact, and its venue the intents that come of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mm_fsm.books.facts import MessageRefused, StopRequested
from mm_fsm.books.facts.fields import TIMES_END
from mm_fsm.core.messages import Fact, Intent, OrderFact
from mm_fsm.errors import FactRefusedError
from mm_fsm.machine.results import StepResult
from mm_fsm.venues.base import MarketEvent


class SteppedMachine(Protocol):
    """A machine, or one with a journal around it."""

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        ...

    def step(self, fact: Fact) -> StepResult:
        """Book one fact and return what is to be done."""
        ...


class TakesIntents(Protocol):
    """A venue, as far as a step needs it."""

    def submit(self, intents: Sequence[Intent], now: int) -> None:
        """Take the intents of one step, which left the machine at ``now``. Never blocks, never raises."""
        ...


def step_or_report(machine: SteppedMachine, fact: Fact) -> StepResult:
    """Give a machine one fact, and if it refuses it, report that to the machine instead. Every host does this.

    A message that makes no sense must not end the program while orders rest: the side that it was about is held, the
    books are synchronised again, and the result is that of a ``MessageRefused``.
    """
    try:
        return machine.step(fact)
    except FactRefusedError as error:
        return machine.step(_refusal(fact, error))


class SessionSteps:
    """A machine at its venue, one step at a time: what the pulled and the pushed driver share.

    Args:
        machine: the machine.
        venue: where intents go.
    """

    def __init__(self, machine: SteppedMachine, venue: TakesIntents) -> None:
        self.machine = machine
        self.now = 0
        """Time so far, nanoseconds: of events when they are pulled, of the host when they are pushed."""
        self.market_events = 0
        """Books, trades and changes of trading status that the machine was given."""
        self.facts = 0
        """Facts given to the machine, timers included."""
        self.refused_facts = 0
        self.wake_at: int | None = None
        """When the machine wants a ``Timer`` if nothing else comes first; None when it waits for nothing."""
        self._intents_to = venue

    @property
    def progress(self) -> float | None:
        """How much of all that the venue has to bring it has brought, 0 to 1; None when nobody knows."""
        return None

    def stop(self, *, flatten: bool, reason: str) -> StepResult:
        """Ask the machine to end the session, now."""
        return self.step(StopRequested(received_at=self.now, flatten=flatten, reason=reason))

    def step(self, fact: Fact) -> StepResult:
        """Give the machine a fact, and the venue what comes of it."""
        self.facts += 1
        self.market_events += isinstance(fact, MarketEvent)
        result = step_or_report(self.machine, fact)
        self.refused_facts += result.fact is not fact
        self.wake_at = result.wake_at
        if result.intents:
            self._leave(result)
        return result

    def _leave(self, result: StepResult) -> None:
        self._intents_to.submit(result.intents, result.time)


def _refusal(fact: Fact, error: FactRefusedError) -> MessageRefused:
    """What is still known of a message that made no sense."""
    order_id = fact.client_order_id if isinstance(fact, OrderFact) else None
    is_named = isinstance(order_id, str) and order_id
    received_at = fact.received_at if type(fact.received_at) is int and 0 <= fact.received_at < TIMES_END else 0
    return MessageRefused(received_at=received_at, reason=str(error), client_order_id=order_id if is_named else None)

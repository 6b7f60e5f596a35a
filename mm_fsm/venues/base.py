"""Ports between a market, a simulated venue and the runner that joins them: signatures, and a market's clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from mm_fsm.books.facts import MarketBook, MarketTrade, TradingStatusChanged
from mm_fsm.core.messages import Fact, Intent
from mm_fsm.errors import FactRefusedError

MarketEvent = MarketBook | MarketTrade | TradingStatusChanged
"""What a market source yields. ``received_at`` is when it happens in the replay; a venue that delivers it adds its
latency. ``exchange_time`` stays as the exchange wrote it, and may step back where a replay is ordered by receipt."""


def time_of(event: MarketEvent) -> int:
    """When an event happens in the replay, nanoseconds."""
    return event.received_at


def refuse_unless_next(event: MarketEvent, time: int, symbol: str, now: int) -> None:
    """Refuse an event of another symbol, or one that is earlier than the last.

    Raises:
        FactRefusedError: the event is of another symbol, or earlier than ``now``, nanoseconds.
    """
    name = type(event).__name__
    if event.symbol != symbol:
        raise FactRefusedError(name, "symbol", repr(symbol), event.symbol, "Give each symbol its own paper exchange.")
    if time < now:
        remedy = "Hand over market events in the order of their time."
        raise FactRefusedError(name, "received_at", f"at least {now}", time, remedy)


class MarketSource(Protocol):
    """A market's events in order of ``time_of``, read one at a time."""

    def __iter__(self) -> Iterator[MarketEvent]:
        """Yield events; their times never go back.

        Raises:
            RecordingError: the source is malformed from here on.
        """
        ...


class SimulatedVenue(Protocol):
    """A venue in event time: takes market events and intents, and yields facts.

    Every time is integer nanoseconds. The host calls ``on_market`` and ``advance`` with times that never go back.
    """

    def submit(self, intent: Intent, now: int) -> None:
        """Take an intent that left the machine at ``now``; it acts after the venue's latency."""
        ...

    def on_market(self, event: MarketEvent) -> None:
        """Take a market event: act on earlier requests, match, and schedule deliveries."""
        ...

    def next_time(self) -> int | None:
        """Time of the next arrival of a request or delivery of a fact; None when nothing is scheduled."""
        ...

    def advance(self, now: int) -> tuple[Fact, ...]:
        """Act on everything due at or before ``now`` and return the facts received by then, in order."""
        ...

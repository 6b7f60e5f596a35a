"""Ports between a market, a simulated venue and the runner that joins them: signatures, and a market's clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from mm_fsm.books.facts import MarketBook, MarketTrade, TradingStatusChanged
from mm_fsm.core.messages import Fact, Intent

MarketEvent = MarketBook | MarketTrade | TradingStatusChanged
"""What a market source yields. ``received_at`` is overwritten by the venue that delivers it."""


def time_of(event: MarketEvent) -> int:
    """Exchange time, nanoseconds; a change of trading status has none, and is stamped with when it was received."""
    return event.received_at if isinstance(event, TradingStatusChanged) else event.exchange_time


class MarketSource(Protocol):
    """A market's events in order of exchange time, read one at a time."""

    def __iter__(self) -> Iterator[MarketEvent]:
        """Yield events; exchange times never go back.

        Raises:
            RecordingError: the source is malformed from here on.
        """
        ...


class SimulatedVenue(Protocol):
    """A venue in event time: it is told what happened in the market and what the machine wants, and yields facts.

    Every time is integer nanoseconds. The host calls ``on_market`` and ``advance`` with times that never go back.
    """

    def submit(self, intent: Intent, now: int) -> None:
        """Take an intent that left the machine at ``now``; it acts after the venue's latency."""
        ...

    def on_market(self, event: MarketEvent) -> None:
        """The market moved: act on everything that reached the venue before, match, and schedule deliveries."""
        ...

    def next_time(self) -> int | None:
        """When something scheduled happens next (a request arriving, a fact being delivered); None when nothing is."""
        ...

    def advance(self, now: int) -> tuple[Fact, ...]:
        """Act on everything due at or before ``now`` and return the facts received by then, in order."""
        ...

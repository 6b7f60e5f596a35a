"""How long messages take: connections that keep their order, and the facts on their way to the host."""

from __future__ import annotations

import heapq
from random import Random

from attrs import define, evolve, field

from mm_fsm.books.facts import MarketBook
from mm_fsm.core.messages import Fact
from mm_fsm.venues.base import MarketEvent


@define
class Connection:
    """One direction between host and exchange, first in, first out.

    Args:
        latency: nanoseconds every message takes.
        jitter: nanoseconds it may take longer, uniformly.
        random: where the jitter comes from.
    """

    latency: int
    jitter: int
    random: Random
    _last_arrival: int = field(default=0, init=False)

    def arrival(self, sent_at: int) -> int:
        """Send a message at ``sent_at``; returns when it arrives, nanoseconds, never before an earlier message."""
        delay = self.latency + (int(self.random.random() * (self.jitter + 1)) if self.jitter else 0)
        self._last_arrival = max(self._last_arrival, sent_at + delay)
        return self._last_arrival


@define
class Deliveries:
    """Facts on their way to the host, handed out by the time they are received; of equal times the first sent first."""

    _facts: list[tuple[int, int, Fact]] = field(factory=list, init=False)
    _sent: int = field(default=0, init=False)

    def send(self, fact: Fact) -> None:
        """Schedule ``fact`` for its ``received_at``."""
        self._sent += 1
        heapq.heappush(self._facts, (fact.received_at, self._sent, fact))

    def receive(self, now: int) -> tuple[Fact, ...]:
        """Take every fact that is received at or before ``now``, in order."""
        received = []
        while self._facts and self._facts[0][0] <= now:
            received.append(heapq.heappop(self._facts)[2])
        return tuple(received)

    @property
    def next_time(self) -> int | None:
        """When the next fact is received; None when none is on its way."""
        return self._facts[0][0] if self._facts else None


def as_received(event: MarketEvent, received_at: int) -> MarketEvent:
    """An event as the host receives it. A public market never shows the paper exchange's orders: books say so.

    Books are spelled out field by field: there is one to nearly every event, and ``evolve`` takes three times as long.
    """
    if not isinstance(event, MarketBook):
        return event if event.received_at == received_at else evolve(event, received_at=received_at)
    if event.received_at == received_at and not event.includes_own_orders:
        return event
    return MarketBook(
        received_at=received_at,
        symbol=event.symbol,
        bids=event.bids,
        asks=event.asks,
        exchange_time=event.exchange_time,
        includes_own_orders=False,
    )

"""Brings the markets' events to the exchange at their pace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from attrs import define

from mm_fsm.books.facts import MarketBook
from mm_fsm.core.clock import seconds
from mm_fsm.venues.base import MarketEvent, time_of

_BURST = 200
"""Events that are overdue are brought together, so many before anybody else has a turn."""


@define(eq=False)
class MarketFeed:
    """The events of one market.

    Args:
        events: in order of time.
        speed: event time against the clock.
        on_market: told each event when it is due.
        offset: seconds by which all events but those that ``open`` brings come later.
    """

    events: Iterator[MarketEvent]
    speed: float
    on_market: Callable[[MarketEvent], None]
    offset: float = 0.0
    _first: int | None = None
    """Time of the first event, nanoseconds."""

    def open(self) -> None:
        """Bring everything up to the first book, so that there is a market from the beginning."""
        for event in self.events:
            self._first = time_of(event)
            self.on_market(event)
            if isinstance(event, MarketBook):
                return

    async def run(self) -> None:
        """Bring the rest, each when it is due; the market stands still at its end."""
        loop = asyncio.get_running_loop()
        opened = loop.time() + self.offset
        for number, event in enumerate(self.events):
            due = opened + seconds(time_of(event) - (self._first or 0)) / self.speed
            wait = due - loop.time()
            if wait > 0 or number % _BURST == 0:
                await asyncio.sleep(max(wait, 0))
            self.on_market(event)

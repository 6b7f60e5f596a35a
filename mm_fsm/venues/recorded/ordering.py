"""Events of several streams brought into one order of exchange time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from mm_fsm.books.facts import MarketBook
from mm_fsm.venues.recorded.recording import RecordedEvent


def in_time_order(events: Iterable[RecordedEvent], window: int) -> Iterator[RecordedEvent]:
    """Sort events of which none is more than ``window`` nanoseconds before one that came earlier.

    An event is held until the newest one is more than ``window`` ahead: nothing that may still come belongs before it.
    Of the same time trades come first, for a book stamped with the time of a trade is the one the trade left behind;
    otherwise such events keep the order in which they came. A window of 0 says that they are in order already.
    """
    if window == 0:
        yield from events
        return
    held: list[tuple[int, bool, int, RecordedEvent]] = []
    newest = 0
    for arrival, event in enumerate(events):
        time = event.exchange_time
        heapq.heappush(held, (time, isinstance(event, MarketBook), arrival, event))
        newest = max(newest, time)
        while held[0][0] < newest - window:
            yield heapq.heappop(held)[-1]
    while held:
        yield heapq.heappop(held)[-1]

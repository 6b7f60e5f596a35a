"""Events of several streams brought into one order of the time at which they are shown, a batch at a time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final

from mm_fsm.books.facts import MarketBook
from mm_fsm.venues.recorded.layout import RecordedEvent

Events = list[RecordedEvent]

_TIME: Final = attrgetter("received_at")


def _place(event: RecordedEvent) -> tuple[int, bool]:
    """Of the same time trades come first: a book with the time of a trade is the one that the trade left behind."""
    return event.received_at, isinstance(event, MarketBook)


def in_time_order(batches: Iterable[Events], window: int) -> Iterator[Events]:
    """Sort the events of one stream, none of them more than ``window`` nanoseconds before one that came earlier.

    An event is held until the newest one is more than ``window`` ahead: nothing that may still come belongs before it.
    Of the same time trades come first; otherwise such events keep the order in which they came. A window of 0 says that
    they are in order already.
    """
    if window == 0:
        yield from batches
        return
    held: Events = []
    newest = 0
    for batch in batches:
        held += batch
        held.sort(key=_place)
        if held:
            newest = max(newest, held[-1].received_at)
        ready = bisect_left(held, newest - window, key=_TIME)
        if ready:
            yield held[:ready]
            del held[:ready]
    if held:
        yield held


def merged(streams: Sequence[Iterator[Events]]) -> Iterator[Events]:
    """One order of the events of several streams, each in order; of the same time an earlier stream's come first."""
    held: list[Events] = [[] for _ in streams]
    reached = [-1 for _ in streams]
    running = set(range(len(streams)))
    while running:
        furthest_behind = min(running, key=reached.__getitem__)
        batch = next((batch for batch in streams[furthest_behind] if batch), None)
        if batch is None:
            running.remove(furthest_behind)
        else:
            held[furthest_behind] += batch
            reached[furthest_behind] = batch[-1].received_at
        # Whatever a stream still brings is not before the last event that it has brought.
        safe = min((reached[index] for index in running), default=None)
        together: Events = []
        for events in held:
            ready = len(events) if safe is None else bisect_left(events, safe, key=_TIME)
            together += events[:ready]
            del events[:ready]
        together.sort(key=_TIME)
        if together:
            yield together

"""Rows that are well formed and yet cannot be believed: books far from the one before, trades far outside the book.

The rule. A book is doubted when its middle is further from the middle of the last believed book than
``max_book_jump``, as a fraction of the lower of the two. A doubted book is passed over, unless ``confirming_books``
doubted books in a row agree with each other in the same sense; then the market has moved, and the last of them is
believed. A trade is passed over when its price is further outside the last believed book than ``max_print_distance``;
the books confirm a real move, and then its trades are in the book again. Nothing is looked up ahead of its time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from itertools import accumulate
from operator import sub
from typing import Final

from attrs import define, field

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.venues.recorded.fields import MalformedFieldError, too_late
from mm_fsm.venues.recorded.layout import Batch, RecordedEvent
from mm_fsm.venues.recorded.reading import Fault, ReadingSettings

_FAR_AHEAD: Final = 60 * NANOSECONDS_PER_SECOND
_FAR_AHEAD_AT_THE_END: Final = 86_400 * NANOSECONDS_PER_SECOND
"""Of the last row of all, which nothing follows: markets are quiet for minutes, not for days."""
_REMEMBERED_TRADES: Final = 4096
"""So many ids are compared, to find trades that a feed repeats after a reconnect."""


@define
class BookDoubt:
    """Refuses books of one stream that are far from the one before."""

    settings: ReadingSettings
    _believed: float = field(default=0.0, init=False)
    """Middle of the last believed book, quote per base; 0 before the first."""
    _doubted: float = field(default=0.0, init=False)
    _agreeing: int = field(default=0, init=False)

    def check(self, book: MarketBook) -> None:
        """Take the next book of the stream.

        Raises:
            MalformedFieldError: it is doubted.
        """
        middle = _middle(book)
        if not middle:
            return
        if self._believed and self._is_far(middle, self._believed):
            self._agreeing = 1 if self._is_far(middle, self._doubted) else self._agreeing + 1
            self._doubted = middle
            if self._agreeing < self.settings.confirming_books:
                expected = f"within {self.settings.max_book_jump:.0%} of {self._believed:g}, the book before"
                raise MalformedFieldError("middle of the book", expected, f"{middle:g}", fault=Fault.FAR_BOOK)
        self._believed, self._doubted, self._agreeing = middle, 0.0, 0

    def _is_far(self, middle: float, other: float) -> bool:
        return max(middle, other) > min(middle, other) * (1 + self.settings.max_book_jump)

    def take_whole(self, lowest: Decimal, highest: Decimal, last: MarketBook) -> bool:
        """Take books of which none has a price outside these; False, and nothing is taken, when one may be doubted."""
        low, high = float(lowest), float(highest)
        if self._believed:
            low, high = min(low, self._believed), max(high, self._believed)
        if self._is_far(high, low):
            return False
        self._believed, self._doubted, self._agreeing = _middle(last), 0.0, 0
        return True


class StreamFilter:
    """Refuses what contradicts the rows before it in the same stream: late, repeated, or far from the book before."""

    def __init__(self, reading: ReadingSettings) -> None:
        self._window = reading.reorder_window
        self._doubt = BookDoubt(reading)
        self._newest = 0
        self._ids: set[str] = set()
        self._order_of_ids: deque[str] = deque()

    def take_whole(self, batch: Batch) -> bool:
        """Take a batch in which nothing can be refused; False, and nothing is taken, when a look at each is needed."""
        events = batch.events
        if not events:
            return True
        times = [event.received_at for event in events]
        latest = list(accumulate(times, max, initial=self._newest))
        if max(map(sub, latest, times)) > self._window or self._ends_ahead(times):
            return False
        ids = [event.trade_id for event in events if isinstance(event, MarketTrade)]
        if len(set(ids)) < len(ids) or not self._ids.isdisjoint(ids):
            return False
        if len(ids) < len(events):
            last = next(event for event in reversed(events) if isinstance(event, MarketBook))
            if batch.prices is None or not self._doubt.take_whole(*batch.prices, last):
                return False
        self._newest = latest[-1]
        for trade_id in ids:
            self._remember(trade_id)
        return True

    def take(self, event: RecordedEvent, after: RecordedEvent | None, time_field: str) -> None:
        """Take the next event.

        Args:
            event: the event.
            after: the one after it; None for the last of all. Only a stamp that stands alone is held against it.
            time_field: what the format calls the time.

        Raises:
            MalformedFieldError: it is late, ahead, repeated or far from what was there before.
        """
        time = event.received_at
        if self._is_ahead(time, after):
            expected = "a time at most a minute after the rows on both sides, at the end a day"
            raise MalformedFieldError(time_field, expected, time, fault=Fault.AHEAD)
        if time < self._newest - self._window:
            raise too_late(time_field, self._newest - time, self._window)
        if isinstance(event, MarketBook):
            self._doubt.check(event)
        elif event.trade_id in self._ids:
            expected = f"an id that none of the last {_REMEMBERED_TRADES:,} trades has"
            raise MalformedFieldError("id", expected, event.trade_id, fault=Fault.REPEATED)
        else:
            self._remember(event.trade_id)
        self._newest = max(self._newest, time)

    def _ends_ahead(self, times: Sequence[int]) -> bool:
        """Whether the last of these stamps may stand alone in the future: the batch after it tells."""
        before = max(self._newest, times[-2] if len(times) > 1 else 0)
        return times[-1] - before > _FAR_AHEAD

    def _is_ahead(self, time: int, after: RecordedEvent | None) -> bool:
        """Whether a stamp stands alone in the future. The first of all has one neighbour, and so has the last."""
        if after is None:
            return self._newest > 0 and time - self._newest > _FAR_AHEAD_AT_THE_END
        return time - max(self._newest, after.received_at) > max(_FAR_AHEAD, self._window)

    def _remember(self, trade_id: str) -> None:
        self._ids.add(trade_id)
        self._order_of_ids.append(trade_id)
        if len(self._order_of_ids) > _REMEMBERED_TRADES:
            self._ids.discard(self._order_of_ids.popleft())


@define
class PrintDoubt:
    """Refuses trades far outside the book that was shown last."""

    settings: ReadingSettings
    book: MarketBook | None = None

    def check(self, trade: MarketTrade) -> None:
        """Take the next trade.

        Raises:
            MalformedFieldError: it is doubted.
        """
        if self.book is None:
            return
        price, most = float(trade.price), 1 + self.settings.max_print_distance
        bids, asks = self.book.bids, self.book.asks
        best = float(bids[0].price) if bids else None
        if best is not None and price * most < best:
            raise self._doubted(trade, f"at most {self.settings.max_print_distance:.0%} below the bid {best:g}")
        best = float(asks[0].price) if asks else None
        if best is not None and price > best * most:
            raise self._doubted(trade, f"at most {self.settings.max_print_distance:.0%} above the ask {best:g}")

    def _doubted(self, trade: MarketTrade, expected: str) -> MalformedFieldError:
        found = f"{trade.price} (trade {trade.trade_id})"
        return MalformedFieldError("price", expected, found, fault=Fault.FAR_PRINT)


class MarketDoubt:
    """Refuses books and trades of one market's live stream by the rules that a recording's rows are read with.

    Args:
        settings: how far is too far.
    """

    def __init__(self, settings: ReadingSettings) -> None:
        self._books = BookDoubt(settings)
        self._prints = PrintDoubt(settings)

    def check(self, event: RecordedEvent) -> None:
        """Take the next event.

        Raises:
            MalformedFieldError: it is doubted, and is to be passed over.
        """
        if isinstance(event, MarketBook):
            self._books.check(event)
            self._prints.book = event
        else:
            self._prints.check(event)


def _middle(book: MarketBook) -> float:
    """Quote per base; of a book with one side that side, 0 of an empty one."""
    bids, asks = book.bids, book.asks
    if bids and asks:
        return (float(bids[0].price) + float(asks[0].price)) / 2
    return float((bids or asks)[0].price) if bids or asks else 0.0

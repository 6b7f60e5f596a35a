"""The market as this machine sees it: the best prices without its own orders, and how old they are."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from operator import attrgetter
from typing import Final, Protocol

from attrs import define, fields, frozen

from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import BookLevel

TWO = Decimal(2)

DRIFT_DIVISOR: Final = 5_000
"""Two clocks drift apart by at most a 5000th of the time: 200 parts in a million, twice what common quartz may."""


class RestingOrder(Protocol):
    """What of an own order is visible in the book."""

    price: Decimal

    @property
    def remaining(self) -> Decimal:
        """Contracts."""
        ...


class ShownBook(Protocol):
    """A visible book, best level first; times are nanoseconds."""

    @property
    def bids(self) -> tuple[BookLevel, ...]:
        """Empty when nobody bids."""
        ...

    @property
    def asks(self) -> tuple[BookLevel, ...]:
        """Empty when nobody asks."""
        ...

    @property
    def includes_own_orders(self) -> bool:
        """Whether the sizes contain this account's own resting orders."""
        ...

    @property
    def received_at(self) -> int:
        """When the host received it."""
        ...

    @property
    def exchange_time(self) -> int:
        """The venue's own stamp."""
        ...


@frozen
class FeedDelay:
    """How far a feed is behind its own quickest message, told from the venue's stamps. Nanoseconds.

    Receipt less stamp is what the clocks differ by, plus what the message took. The smallest such difference is the
    measure of every later one; it may grow by what two clocks drift apart, and only a reconnection forgets it.
    """

    smallest: int | None = None
    """Receipt less stamp of the quickest message; None before the first."""
    measured_at: int = 0
    """Receipt of that message."""
    behind: int = 0
    """By how much longer the last message took."""

    def after(self, received_at: int, exchange_time: int) -> FeedDelay:
        """What one more message, with its receipt and its stamp, makes of this."""
        difference, elapsed = received_at - exchange_time, received_at - self.measured_at
        if self.smallest is None:
            return FeedDelay(difference, received_at)
        behind = difference - self.smallest - max(elapsed, 0) // DRIFT_DIVISOR
        if behind > 0 or elapsed < 0:  # a clock that went back tells nothing of how quick a message was
            return FeedDelay(self.smallest, self.measured_at, max(behind, 0))
        return FeedDelay(difference, received_at)


@define
class Market:
    """Top of the book. Prices quote per base; None where nobody quotes or nothing is known yet."""

    bid_price: Decimal | None = None
    ask_price: Decimal | None = None
    mid_price: Decimal | None = None
    """Last valid mid: kept while the book is one-sided or crossed, so that positions keep their value."""
    spread_bps: float | None = None
    """Market spread in bps of the mid; None while the book has no two sides."""
    exchange_time: int = -1
    updated_at: int | None = None
    """Receipt time of the last book."""
    confirmed_at: int | None = None
    """Receipt time of the last book or heartbeat, less what the feed is behind."""
    feed_delay: FeedDelay = FeedDelay()
    feed_delay_before: FeedDelay = FeedDelay()
    """The same before the last stamp."""
    is_trading: bool = True
    late_books_in_a_row: int = 0
    """Books with an older stamp than the newest, since one was taken: meanwhile a heartbeat confirms nothing."""
    has_book: bool = False
    """Whether a full snapshot has arrived."""

    @property
    def is_one_sided(self) -> bool:
        """Whether a side is empty."""
        return self.bid_price is None or self.ask_price is None

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        return self.bid_price is not None and self.ask_price is not None and self.bid_price >= self.ask_price

    def take(self, book: ShownBook, own_bids: Iterable[RestingOrder], own_asks: Iterable[RestingOrder]) -> bool:
        """Take a new book and say whether it has a valid mid.

        ``own_bids`` and ``own_asks`` are taken out first where the book includes them.
        """
        if book.includes_own_orders:
            bid = _best_without(book.bids, own_bids, self.bid_price, is_bid=True)
            ask = _best_without(book.asks, own_asks, self.ask_price, is_bid=False)
        else:
            bid = book.bids[0].price if book.bids else None
            ask = book.asks[0].price if book.asks else None
        self.bid_price, self.ask_price = bid, ask
        if book.exchange_time != self.exchange_time:  # the same stamp again says no more than a heartbeat
            self.feed_delay_before = self.feed_delay
            self.feed_delay = self.feed_delay.after(book.received_at, book.exchange_time)
        self.exchange_time = book.exchange_time
        self.updated_at = book.received_at
        self.confirm(book.received_at)
        self.has_book = True
        if bid is None or ask is None or bid >= ask:
            self.spread_bps = None
            return False
        self.mid_price = mid = (bid + ask) / TWO
        self.spread_bps = float((ask - bid) / mid) * 10_000
        return True

    def confirm(self, received_at: int) -> None:
        """The last book stood when this message left the venue: before its receipt by what the feed is behind."""
        self.confirmed_at = received_at - self.feed_delay.behind

    def disbelieve_stamp(self) -> None:
        """The newest stamp was wrong, and so is what it said of the feed's delay."""
        self.exchange_time = -1
        self.feed_delay = self.feed_delay_before

    def forget(self) -> None:
        """Nothing that was known can be trusted until the next book; prices stay, to value what is held."""
        self.has_book = False
        self.confirmed_at = None
        self.exchange_time = -1
        self.feed_delay = self.feed_delay_before = FeedDelay()

    def note_clock_back_at(self, time: int) -> None:
        """The host's clock went back to ``time``: while the latest time stands still, data must not look younger."""
        if self.confirmed_at is not None:
            self.confirmed_at = min(self.confirmed_at, time)

    def snapshot(self) -> tuple[object, ...]:
        """Every field, in order, for digests."""
        values: tuple[object, ...] = _read_fields(self)
        return values


_read_fields: Final = attrgetter(*(each.name for each in fields(Market)))


def _best_without(
    levels: tuple[BookLevel, ...], own: Iterable[RestingOrder], previous: Decimal | None, *, is_bid: bool
) -> Decimal | None:
    """The best price that somebody else quotes.

    Where every visible level is our own, others stand behind the last of them: the price seen before serves if it
    does not stand in front, else the last visible one.
    """
    own_sizes: dict[Decimal, Decimal] = {}
    for order in own:
        own_sizes[order.price] = own_sizes.get(order.price, ZERO) + order.remaining
    for level in levels:
        if level.size > own_sizes.get(level.price, ZERO):
            return level.price
    if not levels or previous is None:
        return levels[-1].price if levels else None
    last = levels[-1].price
    return min(previous, last) if is_bid else max(previous, last)

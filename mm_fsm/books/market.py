"""The market as this machine sees it: the best prices without its own orders, and how old they are."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Final, Protocol

from attrs import define, field, fields, frozen

from mm_fsm.books.field_roles import DERIVED
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import BookLevel, Side

TWO = Decimal(2)

MOST_AHEAD: Final = 5_000_000_000
"""Nanoseconds by which a message may have been quicker than the quickest before: a stamp further ahead is odd."""
ODD_STAMPS_BELIEVED: Final = 5
"""Odd stamps in a row that agree with each other, after which the venue's clock has changed."""
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
    def received_at(self) -> int:
        """When the host received it."""
        ...

    @property
    def exchange_time(self) -> int | None:
        """The venue's own stamp; None where it gives none."""
        ...


@frozen
class TouchRule:
    """What makes a touch: quote currency per unit of contract size, and for how long dust alone does not, ns."""

    least_value: Decimal
    patience: int

    @classmethod
    @lru_cache(maxsize=1024)  # every book asks for the same one
    def of(cls, order_size: Decimal, contract_size: Decimal, share: float, patience_seconds: float) -> TouchRule:
        """A touch shows ``share`` of an order of ``order_size`` in quote currency."""
        return cls(order_size * exact(share) / contract_size, nanoseconds(patience_seconds))


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

    def is_ahead(self, received_at: int, exchange_time: int) -> bool:
        """Whether a stamp lies further ahead than any message can have been quick."""
        return self.smallest is not None and received_at - exchange_time < self.smallest - MOST_AHEAD

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
    bid_touch: Decimal | None = None
    """Best bid with enough size before it and at it: what stands alone in front is dust."""
    ask_touch: Decimal | None = None
    thin_since: dict[Side, int] = field(factory=dict)
    """Since when a side shows nothing but dust, by side, nanoseconds; sides with enough size are not there."""
    mid_price: Decimal | None = None
    """Middle of the touches of the last sound book: kept while none is, so that positions keep their value."""
    spread_bps: float | None = None
    """Distance of the touches in bps of their middle; None while the book has no two sides."""
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
    odd_stamps_in_a_row: int = 0
    """Books with a stamp far ahead of all before, by about as much each: their prices count, their stamps do not."""
    odd_difference: int = 0
    """Receipt less stamp of the last of them, nanoseconds."""
    has_book: bool = False
    """Whether a full snapshot has arrived."""
    has_repeated: bool = field(default=False, eq=False, repr=False, metadata=DERIVED)
    """Whether the last book left prices and touches as they were."""
    _read_from: tuple[object, object, object, object, object] = field(
        default=(None,) * 5, init=False, eq=False, repr=False, metadata=DERIVED
    )
    """What the sides were read from: bids and own ones, asks and own ones, touch rule."""

    @property
    def is_one_sided(self) -> bool:
        """Whether a side is empty."""
        return self.bid_price is None or self.ask_price is None

    @property
    def is_crossed(self) -> bool:
        """Whether the best bid is at or above the best ask."""
        return self.bid_price is not None and self.ask_price is not None and self.bid_price >= self.ask_price

    def is_overtaken(self, book: ShownBook) -> bool:
        """Whether a newer book has been taken: by the stamps where the book has one, else by the receipts."""
        if book.exchange_time is not None:
            return book.exchange_time < self.exchange_time
        return self.updated_at is not None and book.received_at < self.updated_at

    def take(
        self,
        book: ShownBook,
        own_bids: tuple[RestingOrder, ...],
        own_asks: tuple[RestingOrder, ...],
        touch: TouchRule,
    ) -> tuple[Decimal, Decimal] | None:
        """Take a new book; its bid and ask touch where it has two sides that do not cross, else None.

        Own orders that its sizes include are taken out: the same tuple stands for unchanged orders. A side that is as
        it was is not read again, but while a side shows nothing but dust: then time counts, too.
        """
        bids, known_bids, asks, known_asks, rule = self._read_from
        self._read_from = (book.bids, own_bids, book.asks, own_asks, touch)
        reads_both = rule is not touch or bool(self.thin_since)
        has_moved = False
        if reads_both or known_bids is not own_bids or bids != book.bids:
            has_moved = self._take_side(Side.BID, book.bids, own_bids, book.received_at, touch)
        if reads_both or known_asks is not own_asks or asks != book.asks:
            has_moved = self._take_side(Side.ASK, book.asks, own_asks, book.received_at, touch) or has_moved
        self.has_repeated = not (has_moved or self.thin_since)
        if not self.has_repeated:
            self._measure_spread()
        self._note_times(book)
        if self.spread_bps is None or self.bid_touch is None or self.ask_touch is None:
            return None
        return self.bid_touch, self.ask_touch

    def _note_times(self, book: ShownBook) -> None:
        stamp = book.exchange_time
        if stamp is not None and stamp != self.exchange_time:  # the same again says no more than a heartbeat
            self._take_stamp(stamp, book.received_at)
        self.updated_at = book.received_at
        self.confirm(book.received_at)
        self.has_book = True

    def _measure_spread(self) -> None:
        self.spread_bps = None
        if self.bid_touch is None or self.ask_touch is None or self.is_one_sided or self.is_crossed:
            return
        middle = (self.bid_touch + self.ask_touch) / TWO
        self.spread_bps = float((self.ask_touch - self.bid_touch) / middle) * 10_000

    def _take_stamp(self, stamp: int, received_at: int) -> None:
        """Order and delay follow the stamp, unless it is odd; after several odd ones the venue's clock has changed."""
        if self.feed_delay.is_ahead(received_at, stamp):
            difference = received_at - stamp
            agrees = abs(difference - self.odd_difference) <= MOST_AHEAD
            self.odd_stamps_in_a_row = self.odd_stamps_in_a_row + 1 if agrees else 1
            self.odd_difference = difference
            if self.odd_stamps_in_a_row < ODD_STAMPS_BELIEVED:
                return
            self.feed_delay = FeedDelay()
        self.odd_stamps_in_a_row = 0
        self.feed_delay_before = self.feed_delay
        self.feed_delay = self.feed_delay.after(received_at, stamp)
        self.exchange_time = stamp

    @property
    def has_two_sides(self) -> bool:
        """Whether the book as it stands has a bid and an ask that do not cross."""
        return self.spread_bps is not None

    def believe(self) -> Decimal:
        """Take the middle of the touches for the reference price: the book is sound."""
        if self.bid_touch is None or self.ask_touch is None:
            raise ValueError("touches: expected both, found one missing; only a book with two sides is believed.")
        self.mid_price = mid = (self.bid_touch + self.ask_touch) / TWO
        return mid

    def _take_side(
        self, side: Side, levels: tuple[BookLevel, ...], own: tuple[RestingOrder, ...], now: int, rule: TouchRule
    ) -> bool:
        """Read one side; whether its best price or its touch moved."""
        is_bid = side is Side.BID
        before, touch_before = (self.bid_price, self.bid_touch) if is_bid else (self.ask_price, self.ask_touch)
        best, touch = _read_side(levels, own, before, rule.least_value, is_bid=is_bid)
        if touch is not None or best is None:
            self.thin_since.pop(side, None)
        else:
            touch = _worse(levels[-1].price, best, is_bid=is_bid)
            thin_since = self.thin_since.setdefault(side, now)
            if touch_before is not None and now < thin_since + rule.patience:
                touch = _worse(touch, touch_before, is_bid=is_bid)
        if is_bid:
            self.bid_price, self.bid_touch = best, touch
        else:
            self.ask_price, self.ask_touch = best, touch
        return best != before or touch != touch_before

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


_read_fields: Final = attrgetter(*(each.name for each in fields(Market) if not each.metadata.get("is_derived")))


def _read_side(
    levels: tuple[BookLevel, ...],
    own: tuple[RestingOrder, ...],
    previous: Decimal | None,
    least_value: Decimal,
    *,
    is_bid: bool,
) -> tuple[Decimal | None, Decimal | None]:
    """The best price that somebody else quotes, and the one at which others' size reaches ``least_value``.

    Where every visible level is our own, others stand behind the last of them: the price seen before serves if it
    does not stand in front, else the last visible one.
    """
    best: Decimal | None = None
    value = ZERO
    for price, size in levels:
        others = size
        for order in own:
            if order.price == price:
                others -= order.remaining
        if others <= 0:
            continue
        if best is None:
            best = price
        value += others * price
        if value >= least_value:
            return best, price
    if best is None and levels:
        last = levels[-1].price
        best = last if previous is None else _worse(previous, last, is_bid=is_bid)
        return best, best
    return best, None


def _worse(one: Decimal, other: Decimal, *, is_bid: bool) -> Decimal:
    """The price further from the market."""
    return min(one, other) if is_bid else max(one, other)

"""The market's visible book."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.exact import AMOUNT_EXPECTED, are_surely_amounts, is_amount
from mm_fsm.books.facts.fields import VENUE_TIME, check_positive, refusal
from mm_fsm.books.own_order import OwnOrder
from mm_fsm.books.signals import Touch, size_up_to, value_near
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import BookLevel, Side, VenueFact

FEW_LEVELS: Final = 2
"""To look at so many prices one by one takes no longer than to look at them together."""
LATE_BOOKS_BELIEVED: Final = 5
"""Books in a row with older stamps than the newest, after which it is the newest stamp that is not believed."""


@frozen(kw_only=True)
class MarketBook(VenueFact):
    """The visible book, best level first. An empty side means that nobody quotes there.

    ``includes_own_orders`` says whether the sizes contain this account's own resting orders, as they do at any real
    venue; then they are taken out. Own quotes taken for the market would draw the reference price after them.
    ``exchange_time`` is None where the venue gives no stamp: such a book is ordered by its receipt, and says nothing of
    how far the feed is behind.
    """

    streams: ClassVar[bool] = True

    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    exchange_time: int | None = field(metadata=VENUE_TIME)
    includes_own_orders: bool = True

    def admit(self, context: MarketMakingContext) -> None:
        """Both sides hold positive amounts, best level first, and a mid that can be booked."""
        _check_levels(self, "bids", self.bids, is_bid=True)
        _check_levels(self, "asks", self.asks, is_bid=False)
        if not self.bids or not self.asks:
            return
        levels = (*self.bids, *self.asks) if self.includes_own_orders else (self.bids[0], self.asks[0])
        if len(levels) > FEW_LEVELS and are_surely_amounts([price for price, _ in levels], spare_decimals=1):
            return
        known = (context.market.bid_price, context.market.ask_price)
        for price, _ in levels:
            if price not in known and not is_amount(price / 2):  # the mid is booked, and may need one decimal more
                raise refusal(self, "price", f"a {AMOUNT_EXPECTED}, as its half must be", price)

    def book(self, context: MarketMakingContext, admitted: None) -> bool:
        """Show the market, and mark what is held at its mid; a book that comes late is passed over."""
        market, reference = context.market, context.reference
        if market.is_overtaken(self):
            if market.late_books_in_a_row < LATE_BOOKS_BELIEVED:
                context.late_books += 1
                market.late_books_in_a_row += 1
                return False
            if self.exchange_time is not None:
                market.disbelieve_stamp()
        was_calm = reference.is_calm and market.has_book and not market.late_books_in_a_row
        market.late_books_in_a_row = 0
        if context.markouts.is_following and context.is_data_stale:
            context.markouts.suspend(_stale_since(context))
        own_bids: tuple[OwnOrder, ...] = ()
        own_asks: tuple[OwnOrder, ...] = ()
        if self.includes_own_orders:
            own_bids, own_asks = context.active_bid_orders, context.active_ask_orders
        touches = market.take(self, own_bids, own_asks, context.touch_rule)
        if touches is None:
            reference.note_broken_book()
        if touches is None or not reference.judge_book(context.now, *touches, lambda: self._depth(context, *touches)):
            context.markouts.suspend(context.now)
            return False
        repeats_itself = market.has_repeated and was_calm and not context.was_over_limit
        if repeats_itself and not context.signals.running and market.mid_price is not None:
            return not _observe(context, float(market.mid_price))
        mark(context)
        if context.signals.running:
            context.signals.observe_book(context.now, self._touch(context))
        return False

    def _depth(self, context: MarketMakingContext, bid: Decimal, ask: Decimal) -> float:
        """What others show near the touches, on the side that shows less, quote currency."""
        reach, own = exact(context.reference.depth_reach), self._own(context)
        bids = value_near(self.bids, own, bid, reach, Side.BID)
        asks = value_near(self.asks, own, ask, reach, Side.ASK)
        return float(min(bids, asks) * context.instrument.contract_size)

    def _touch(self, context: MarketMakingContext) -> Touch:
        market = context.market
        bid, ask = market.bid_price or ZERO, market.ask_price or ZERO
        own = self._own(context)
        return Touch(
            float(bid), float(ask), size_up_to(self.bids, own, bid, Side.BID), size_up_to(self.asks, own, ask, Side.ASK)
        )

    def _own(self, context: MarketMakingContext) -> Sequence[OwnOrder]:
        """Own orders that its sizes contain, or may."""
        return context.orders.live() if self.includes_own_orders else ()


def mark(context: MarketMakingContext) -> None:
    """Value everything at the middle of a sound book."""
    mid = context.market.believe()
    _observe(context, float(mid))
    context.ledger.mark(mid)
    if context.first_mid_price is None:
        context.first_mid_price = mid
    if context.was_over_limit and not context.assess_inventory().is_over_limit:
        context.was_over_limit = False


def _stale_since(context: MarketMakingContext) -> int | None:
    """When the data before this book became too old; None where nothing was known any more."""
    confirmed = context.market.confirmed_at
    return None if confirmed is None else confirmed + nanoseconds(context.settings.stale_data_seconds)


def _observe(context: MarketMakingContext, mid: float) -> bool:
    """Let the estimates take a sound mid; whether that changes more than their values."""
    estimator = context.volatility_estimator
    was_warm = estimator.is_warm
    context.markouts.observe(context.now, mid)
    estimator.observe(context.now, mid)
    return estimator.is_warm is not was_warm


def _check_levels(fact: MarketBook, name: str, levels: tuple[BookLevel, ...], *, is_bid: bool) -> None:
    previous: Decimal | None = None
    for index, (price, size) in enumerate(levels):
        are_decimals = type(price) is Decimal and type(size) is Decimal
        if not (are_decimals and price.is_finite() and size.is_finite() and price > 0 and size > 0):
            check_positive(fact, f"{name}[{index}].price", price)
            check_positive(fact, f"{name}[{index}].size", size)
        if previous is not None and (price >= previous if is_bid else price <= previous):
            raise refusal(fact, f"{name}[{index}].price", f"further from the market than {previous}", price)
        previous = price

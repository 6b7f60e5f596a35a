"""Somebody traded."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import VENUE_TIME, check_positive
from mm_fsm.core.messages import Side, VenueFact


@frozen(kw_only=True)
class MarketTrade(VenueFact):
    """Somebody traded. ``taker_side`` is BID when the taker bought."""

    streams: ClassVar[bool] = True

    price: Decimal
    size: Decimal
    taker_side: Side
    trade_id: str
    exchange_time: int = field(metadata=VENUE_TIME)

    def admit(self, context: MarketMakingContext) -> None:
        """Price and size are positive."""
        check_positive(self, "price", self.price)
        check_positive(self, "size", self.size)

    def book(self, context: MarketMakingContext, admitted: None) -> bool:
        """Feed the estimates of the flow; a trade no older than the last book confirms or contradicts it."""
        if context.signals.running:
            context.signals.observe_trade(context.now, self.taker_side, float(self.price), float(self.size))
        if context.market.has_book and self.exchange_time >= context.market.exchange_time:
            quote_size = float(self.price * self.size * context.instrument.contract_size)
            says_something = context.reference.note_trade(context.now, self.price, quote_size, self.taker_side)
            if context.reference.doubt is not None:
                context.markouts.suspend(context.now)
            return not (says_something or context.signals.running)
        return not context.signals.running

"""The venue took an order out by itself."""

from __future__ import annotations

from decimal import Decimal

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import VENUE_TIME
from mm_fsm.books.facts.own_orders import check_closing, note_left_book, says_too_little
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.messages import OrderFact


@frozen(kw_only=True)
class OrderExpired(OrderFact):
    """The venue took the order out by itself (an immediate-or-cancel remainder, an expiry)."""

    exchange_time: int = field(metadata=VENUE_TIME)
    filled_quantity: Decimal | None = None

    def admit(self, context: MarketMakingContext) -> OwnOrder:
        """The order is known, and large enough for what is said to have traded."""
        return check_closing(context, self, self.filled_quantity)

    def book(self, context: MarketMakingContext, admitted: OwnOrder) -> None:
        """The order is out of the book; without a word on its fills it is UNKNOWN."""
        if not says_too_little(context, admitted, self.filled_quantity):
            context.orders.expire(admitted, self.filled_quantity, context.now)
            note_left_book(context, admitted)

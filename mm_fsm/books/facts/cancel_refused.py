"""The venue refused a cancel."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.books.facts.own_orders import known_order
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.messages import OrderFact


@frozen(kw_only=True)
class CancelRefused(OrderFact):
    """The venue refused a cancel. What became of the order is not known: it may have filled."""

    reason: str = field(default="", metadata=MAY_BE_EMPTY)

    def admit(self, context: MarketMakingContext) -> OwnOrder:
        """The order is known."""
        return known_order(context, self)

    def book(self, context: MarketMakingContext, admitted: OwnOrder) -> None:
        """It may have filled: go and look."""
        context.orders.refuse_cancel(admitted, context.now)
        context.needs_requote = True

"""A clean look found no such order."""

from __future__ import annotations

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.own_orders import known_order
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.messages import OrderFact


@frozen(kw_only=True)
class OrderNotFound(OrderFact):
    """A clean look found nothing: not by id, not among the open orders, and not in the account's trades."""

    exchange_time: int

    def admit(self, context: MarketMakingContext) -> OwnOrder:
        """The order is known."""
        return known_order(context, self)

    def book(self, context: MarketMakingContext, admitted: OwnOrder) -> None:
        """Count the look; enough of them settle the order."""
        context.orders.report_not_found(admitted, self.exchange_time, context.now)
        context.needs_requote = context.needs_requote or not admitted.is_live

"""The venue took an order."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import VENUE_TIME
from mm_fsm.books.facts.own_orders import known_order, note_taken
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.messages import OrderFact


@frozen(kw_only=True)
class OrderAcknowledged(OrderFact):
    """The venue took the order."""

    venue_order_id: str
    exchange_time: int = field(metadata=VENUE_TIME)

    def admit(self, context: MarketMakingContext) -> OwnOrder:
        """The order is known."""
        return known_order(context, self)

    def book(self, context: MarketMakingContext, admitted: OwnOrder) -> None:
        """The order was taken."""
        note_taken(context, admitted)
        context.orders.acknowledge(admitted, self.venue_order_id, context.now)

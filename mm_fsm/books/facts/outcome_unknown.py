"""A request got no usable answer."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.books.facts.own_orders import known_order
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.messages import OrderFact, RequestKind


@frozen(kw_only=True)
class OutcomeUnknown(OrderFact):
    """A request about this order got no usable answer: a time-out, a dropped connection, a truncated body."""

    request: RequestKind
    reason: str = field(default="", metadata=MAY_BE_EMPTY)

    def admit(self, context: MarketMakingContext) -> OwnOrder:
        """The order is known."""
        return known_order(context, self)

    def book(self, context: MarketMakingContext, admitted: OwnOrder) -> None:
        """Only news about a request that still waits for its answer says anything."""
        if self.request is RequestKind.CANCEL:
            is_news = admitted.cancel_in_flight
        else:
            is_news = self.request is RequestKind.PLACE and not admitted.acknowledged
        if is_news:
            context.orders.lose_track(admitted, context.now)
            context.needs_requote = True

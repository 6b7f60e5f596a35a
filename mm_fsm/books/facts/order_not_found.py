"""A clean look found no such order."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import VENUE_TIME
from mm_fsm.books.facts.own_orders import known_order
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.messages import OrderFact


@frozen(kw_only=True)
class OrderNotFound(OrderFact):
    """A clean look found nothing: not by id, not among the open orders, and not in the account's trades.

    It settles an order only where it names its question: the same answer to an earlier question would prove nothing.
    """

    exchange_time: int = field(metadata=VENUE_TIME)
    question_id: str | None = None
    """Of the question that this answers; None when it answers none, or the venue does not say which."""

    def admit(self, context: MarketMakingContext) -> OwnOrder:
        """The order is known."""
        return known_order(context, self)

    def book(self, context: MarketMakingContext, admitted: OwnOrder) -> None:
        """Count the look; enough of them settle the order."""
        question = context.questions.answer(self.question_id)
        if question is None and self.question_id is not None:
            return
        context.orders.report_not_found(admitted, None if question is None else question.asked_at, context.now)
        context.needs_requote = context.needs_requote or not admitted.is_live

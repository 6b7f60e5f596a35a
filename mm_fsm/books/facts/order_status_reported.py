"""The venue's answer about one order."""

from __future__ import annotations

from decimal import Decimal

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import VENUE_TIME, refusal
from mm_fsm.books.facts.own_orders import check_closing, note_taken
from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.messages import OrderFact, ReportedStatus


@frozen(kw_only=True)
class OrderStatusReported(OrderFact):
    """Answer to a query. ``filled_quantity`` is cumulative, None when the venue does not say."""

    status: ReportedStatus
    filled_quantity: Decimal | None
    exchange_time: int = field(metadata=VENUE_TIME)
    question_id: str | None = None
    """Of the question that this answers; None when it answers none, or the venue does not say which."""

    def admit(self, context: MarketMakingContext) -> OwnOrder:
        """The order is known, and status and filled quantity fit it and each other."""
        filled = self.filled_quantity
        order = check_closing(context, self, filled)
        if self.status is ReportedStatus.FILLED and filled is not None and filled != order.quantity:
            raise refusal(self, "filled_quantity", f"the whole {order.quantity} of a filled order", filled)
        if self.status is ReportedStatus.REJECTED and filled:
            raise refusal(self, "filled_quantity", "0 of an order that never was in the book", filled)
        return order

    def book(self, context: MarketMakingContext, admitted: OwnOrder) -> None:
        """Settle the question; an older look, overtaken by the news that the order had left, says nothing."""
        context.questions.answer(self.question_id)
        was_unknown = admitted.is_unknown
        is_open = self.status in (ReportedStatus.OPEN, ReportedStatus.PARTIALLY_FILLED)
        if is_open and not admitted.is_live and self.exchange_time < admitted.closed_at:
            return
        if is_open:
            note_taken(context, admitted)
        self._tell(context, admitted)
        context.orders.note_answer(admitted)
        if not admitted.is_live and self.filled_quantity is not None:
            context.orders.correct_reported(admitted, self.filled_quantity)
        context.needs_requote = context.needs_requote or was_unknown or admitted.status is OrderStatus.CANCELED

    def _tell(self, context: MarketMakingContext, order: OwnOrder) -> None:
        orders, now = context.orders, context.now
        match self.status:
            case ReportedStatus.OPEN | ReportedStatus.PARTIALLY_FILLED:
                orders.report_open(order, self.filled_quantity, now)
            case ReportedStatus.REJECTED:
                orders.reject(order, now)
            case ReportedStatus.EXPIRED:
                orders.expire(order, self.filled_quantity, now)
            case ReportedStatus.FILLED:
                orders.report_filled(order, self.filled_quantity, now)
            case ReportedStatus.CANCELED:
                orders.confirm_cancel(order, self.filled_quantity, now)

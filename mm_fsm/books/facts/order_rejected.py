"""The venue refused a placement."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.books.facts.own_orders import hold_side, known_order
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import Fault, FaultCode, HoldReason
from mm_fsm.core.messages import OrderFact, OrderPurpose, RejectionCode


@frozen(kw_only=True)
class OrderRejected(OrderFact):
    """The venue refused the order; it never was in the book."""

    code: RejectionCode
    reason: str = field(default="", metadata=MAY_BE_EMPTY)

    def admit(self, context: MarketMakingContext) -> OwnOrder:
        """The order is known."""
        return known_order(context, self)

    def book(self, context: MarketMakingContext, admitted: OwnOrder) -> None:
        """The order never was in the book; of a duplicate id nobody knows what became."""
        context.needs_requote = True
        if self.code is RejectionCode.DUPLICATE:
            context.orders.lose_track(admitted, context.now)
            return
        was_live = admitted.is_live
        context.orders.reject(admitted, context.now)
        if was_live and not admitted.is_live:
            _hold_after_rejection(context, admitted, self)


def _hold_after_rejection(context: MarketMakingContext, order: OwnOrder, fact: OrderRejected) -> None:
    """A post-only rejection is ordinary: reprice, a few times; the others hold the side for a while.

    An order that was to be cancelled anyway and did not leave for want of room says nothing against the next one.
    Nor does one that was to take at once and met nobody; of a quote, which waits, such an answer makes no sense.
    """
    settings, side = context.settings, context.sides[order.side]
    is_quote = order.purpose is OrderPurpose.QUOTE
    if order.cancel_wanted and fact.code is RejectionCode.RATE_LIMIT and is_quote:
        return
    if fact.code is RejectionCode.POST_ONLY:
        side.post_only_rejections += 1
        if side.post_only_rejections > settings.post_only_retries:
            side.post_only_rejections = 0
            seconds = settings.post_only_hold_seconds
            hold_side(context, order.side, HoldReason.POST_ONLY_REJECTIONS, fact.reason, seconds)
    elif fact.code is RejectionCode.INSUFFICIENT_FUNDS:
        context.balances_query_due = context.now
        hold_side(context, order.side, HoldReason.FUNDS, fact.reason, settings.funds_hold_seconds)
    elif is_quote or fact.code is not RejectionCode.NOT_FILLED:
        if fact.code is RejectionCode.NOT_PERMITTED:
            context.pending_fault = Fault(code=FaultCode.VENUE, reason=f"{fact.code}: {fact.reason}", transient=False)
        if fact.code in {RejectionCode.FILTER, RejectionCode.OTHER, RejectionCode.NOT_FILLED}:
            context.rejections_in_a_row += 1
        reason = f"{fact.code}: {fact.reason}"
        hold_side(context, order.side, HoldReason.REJECTED_BY_VENUE, reason, settings.rejection_hold_seconds)
    if not is_quote and context.reduction is not None:
        context.reduction.retry_at = context.now + nanoseconds(settings.adjustment_retry_seconds)

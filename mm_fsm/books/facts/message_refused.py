"""A message made no sense."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.books.facts.own_orders import hold_side
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import HoldReason
from mm_fsm.core.messages import SIDES, Fact, Side


@frozen(kw_only=True)
class MessageRefused(Fact):
    """A message arrived that made no sense and was dropped: its side is held and the books are synchronised again."""

    reason: str = field(metadata=MAY_BE_EMPTY)
    client_order_id: str | None = None
    side: Side | None = None

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Hold the side the message was about, or both, and ask the venue how things stand."""
        context.refused_facts += 1
        order = None if self.client_order_id is None else context.orders.get(self.client_order_id)
        side = self.side if order is None else order.side
        for held in [side] if side is not None else SIDES:
            hold_side(context, held, HoldReason.BAD_MESSAGE, self.reason, context.settings.rejection_hold_seconds)
        if order is not None and order.is_live:
            context.orders.lose_track(order, context.now)
        soon = context.now + nanoseconds(context.settings.query_interval_seconds)
        context.balances_query_due = soon
        context.reconciliation.due = min(context.reconciliation.due, soon)
        context.plan = None

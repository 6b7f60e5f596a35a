"""A query got no answer."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.messages import RequestKind, VenueFact


@frozen(kw_only=True)
class QueryFailed(VenueFact):
    """A query got no answer."""

    request: RequestKind
    client_order_id: str | None = None
    reason: str = field(default="", metadata=MAY_BE_EMPTY)
    question_id: str | None = None
    """Of the question that this answers; None when it answers none, or the venue does not say which."""

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Ask again after a while."""
        if context.questions.answer(self.question_id) is None and self.question_id is not None:
            return
        retry_at = context.now + nanoseconds(context.settings.query_interval_seconds)
        if self.request is RequestKind.QUERY_BALANCES:
            context.balances_query_due = retry_at
        elif self.request is RequestKind.QUERY_OWN_TRADES:
            context.trades_query_due = retry_at
        if self.request is not RequestKind.QUERY_ORDER:
            context.reconciliation.note_no_answer(retry_at, f"{self.request}: {self.reason}" if self.reason else "")
        order = None if self.client_order_id is None else context.orders.get(self.client_order_id)
        if order is not None:
            context.orders.query_failed(order, context.now)

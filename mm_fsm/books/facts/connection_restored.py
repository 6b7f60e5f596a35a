"""The connection was lost and is back."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.core.messages import VenueFact


@frozen(kw_only=True)
class ConnectionRestored(VenueFact):
    """The connection to the venue was lost and is back, all feeds with it: what happened meanwhile is not known."""

    reason: str = field(default="", metadata=MAY_BE_EMPTY)

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Trust nothing that was known of market and account until it has been asked for again."""
        context.account_feed_loss = None
        context.markouts.suspend(context.market.confirmed_at)
        context.market.forget()
        context.reference.forget()
        context.reconciliation.begin_anew(context.now, f"the connection was lost: {self.reason}")

"""News of own orders no longer arrives."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.core.messages import VenueFact


@frozen(kw_only=True)
class AccountFeedLost(VenueFact):
    """The feed of own orders and fills is down: fills happen unseen until a ``ConnectionRestored``."""

    reason: str = field(default="", metadata=MAY_BE_EMPTY)

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Take every order out of the market; no order leaves until the feed is back."""
        context.account_feed_loss = self.reason or "the feed of own orders is down"
        context.plan = None
        context.orders.cancel_all_live()

"""The venue takes no more requests for a while."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.core.messages import VenueFact


@frozen(kw_only=True)
class RequestsSuspended(VenueFact):
    """A ban, or a spent budget of requests: before ``until``, nanoseconds of the host's clock, requests only do harm.

    No order and no question leaves before then. Cancels leave at once where ``takes_cancels``, else first after it: the
    machine gives them at once in either case, and an account holds them back.
    """

    until: int
    reason: str = field(default="", metadata=MAY_BE_EMPTY)
    takes_cancels: bool = False
    """Whether the venue takes cancels all the while: a budget of orders is spent, and it is no ban."""

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Take every order out of the market; a shorter suspension never replaces a longer one."""
        if self.until <= max(context.now, context.requests_suspended_until):
            return
        taken = "new orders" if self.takes_cancels else "requests"
        context.requests_suspended_until = self.until
        context.requests_suspended_reason = self.reason or f"the venue takes no {taken} for now"
        context.plan = None
        context.orders.cancel_all_live()

"""An operator ends the session."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.core.messages import Fact


@frozen(kw_only=True)
class StopRequested(Fact):
    """An operator's command to end the session.

    ``flatten`` True reduces the position to the target first; False cancels, confirms and keeps it.
    """

    flatten: bool = True
    reason: str = field(default="stop was asked for", metadata=MAY_BE_EMPTY)

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Note the wish; the first reason given stays, and a position once to be kept is kept."""
        context.keeps_position = context.keeps_position or not self.flatten
        if not context.stop_reason:
            context.stop_reason = self.reason or "stop was asked for"

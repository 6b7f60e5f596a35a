"""An operator pauses quoting."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.core.messages import Fact


@frozen(kw_only=True)
class OperatorPaused(Fact):
    """An operator's command to quote no more until an ``OperatorResumed``; a restart keeps it.

    Quotes are cancelled. An inventory adjustment under way goes on, and a stop is carried out as ever.
    """

    reason: str = field(default="", metadata=MAY_BE_EMPTY)

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Note the wish; the latest reason stands."""
        context.operator_pause = self.reason or "an operator paused quoting"

"""An operator lets quoting go on."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.core.messages import Fact


@frozen(kw_only=True)
class OperatorResumed(Fact):
    """An operator's command to end a pause; without one it says nothing."""

    reason: str = field(default="", metadata=MAY_BE_EMPTY)

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """The pause is over."""
        if context.operator_pause is not None:
            context.remarks.append(f"resumed by an operator{f': {self.reason}' if self.reason else ''}")
        context.operator_pause = None

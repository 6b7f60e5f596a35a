"""The venue opened or halted the market."""

from __future__ import annotations

from attrs import field, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import MAY_BE_EMPTY
from mm_fsm.core.messages import VenueFact


@frozen(kw_only=True)
class TradingStatusChanged(VenueFact):
    """The venue opened or halted this market."""

    trading: bool
    reason: str = field(default="", metadata=MAY_BE_EMPTY)

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Note whether the market trades."""
        context.market.is_trading = self.trading

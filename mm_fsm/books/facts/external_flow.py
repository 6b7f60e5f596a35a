"""A deposit or a withdrawal."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.messages import VenueFact


@frozen(kw_only=True)
class ExternalFlow(VenueFact):
    """A deposit (positive) or withdrawal (negative) that is no trade. Base units and quote currency."""

    concerns_money: ClassVar[bool] = True

    base: Decimal
    quote: Decimal
    flow_id: str

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Book each flow once."""
        if not context.ledger.is_flow_booked(self.flow_id):
            context.ledger.book_external_flow(self.base, self.quote, self.flow_id)

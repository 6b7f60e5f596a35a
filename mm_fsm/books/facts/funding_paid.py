"""Funding of an open contract position."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.messages import VenueFact


@frozen(kw_only=True)
class FundingPaid(VenueFact):
    """A funding payment on an open contract position; positive when it was received. Quote currency."""

    concerns_money: ClassVar[bool] = True

    amount: Decimal
    funding_id: str

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Book each payment once."""
        if not context.ledger.is_funding_booked(self.funding_id):
            context.ledger.book_funding(self.amount, self.funding_id)

"""What a third currency is worth."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts.fields import check_positive
from mm_fsm.books.facts.fill_completion import value_unpriced_fees
from mm_fsm.core.messages import VenueFact


@frozen(kw_only=True)
class ConversionPriceReported(VenueFact):
    """Price of one unit of a third currency in quote currency, for fees charged in it."""

    currency: str
    price: Decimal

    def admit(self, context: MarketMakingContext) -> None:
        """The price is positive."""
        check_positive(self, "price", self.price)

    def book(self, context: MarketMakingContext, admitted: None) -> None:
        """Fees that waited for it are booked at it, and so are later ones."""
        context.conversion_prices[self.currency] = self.price
        value_unpriced_fees(context, self.currency, self.price)

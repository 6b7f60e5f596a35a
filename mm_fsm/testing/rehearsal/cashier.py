"""What orders hold, what trades move, and what they cost: exact, fees rounded to eight digits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from attrs import define

from mm_fsm.core.instrument import ONE, ZERO
from mm_fsm.core.messages import Liquidity, Side
from mm_fsm.testing.rehearsal.refusals import filter_failure, insufficient_funds
from mm_fsm.testing.rehearsal.terms import BNB, DIGITS, RehearsalTerms
from mm_fsm.testing.rehearsal.venue_market import ANY_PRICE, VenueMarket
from mm_fsm.testing.rehearsal.venue_orders import OrderRequest
from mm_fsm.testing.rehearsal.wallet import Wallet

_SMALLEST: Final = ONE.scaleb(-DIGITS)


@define(eq=False)
class Cashier:
    """The account's money in orders and trades."""

    terms: RehearsalTerms
    wallet: Wallet
    markets: Mapping[str, VenueMarket]
    """By the exchange's own names."""

    def quantity(self, market: VenueMarket, request: OrderRequest) -> Decimal:
        """Base units that are ordered; for an order by quote quantity, what the book gives for it.

        Raises:
            RefusedError: the book gives not even a lot.
        """
        if request.quantity is not None:
            return request.quantity
        left, bought = request.quote_quantity or ZERO, ZERO
        for level in market.displayed.within(request.side.opposite, ANY_PRICE[request.side]):
            taken = market.instrument.floor_quantity(min(level.size, left / level.price))
            bought += taken
            left -= taken * level.price
        if bought <= 0:
            raise insufficient_funds() if left <= 0 else filter_failure("LOT_SIZE")
        return bought

    def lock(self, market: VenueMarket, request: OrderRequest, quantity: Decimal) -> None:
        """Hold what an order may cost.

        Raises:
            RefusedError: not so much is free.
        """
        instrument = market.instrument
        if request.side is Side.ASK:
            self.wallet.lock(instrument.base_currency, quantity)
        elif request.price is not None:
            self.wallet.lock(instrument.quote_currency, request.price * quantity)
        elif self._cost(market, quantity) > self.wallet.free(instrument.quote_currency):
            raise insufficient_funds()

    def _cost(self, market: VenueMarket, quantity: Decimal) -> Decimal:
        """Quote currency that buying at the market would take."""
        cost, left = ZERO, quantity
        for level in market.displayed.within(Side.ASK, ANY_PRICE[Side.BID]):
            taken = min(level.size, left)
            cost += taken * level.price
            left -= taken
        return cost

    def release(self, market: VenueMarket, request: OrderRequest, remaining: Decimal) -> None:
        """Give back what is held for the rest of an order."""
        if request.side is Side.ASK:
            self.wallet.release(market.instrument.base_currency, remaining)
        elif request.price is not None:
            self.wallet.release(market.instrument.quote_currency, request.price * remaining)

    def settle(self, market: VenueMarket, request: OrderRequest, price: Decimal, quantity: Decimal) -> None:
        """Exchange the money of a trade, fees apart."""
        instrument = market.instrument
        base, quote, cost = instrument.base_currency, instrument.quote_currency, price * quantity
        if request.side is Side.ASK:
            self.wallet.spend_locked(base, quantity)
            self.wallet.deposit(quote, cost)
            return
        limit = request.price
        if limit is None:
            self.wallet.spend(quote, cost)
        else:
            self.wallet.spend_locked(quote, cost)
            if limit != price:
                self.wallet.release(quote, (limit - price) * quantity)
        self.wallet.deposit(base, quantity)

    def charge(
        self, market: VenueMarket, side: Side, price: Decimal, quantity: Decimal, liquidity: Liquidity
    ) -> tuple[Decimal, str]:
        """Take the fee: in BNB where the account pays so and has enough, else in the currency that was received."""
        instrument, notional = market.instrument, price * quantity
        rate = self.terms.fees.rate(maker=liquidity is Liquidity.MAKER)
        bnb_price = self._bnb_price(instrument.quote_currency) if self.terms.pays_fees_in_bnb and rate > 0 else None
        if bnb_price is not None:
            fee = _rounded(notional * rate * (ONE - self.terms.bnb_discount) / bnb_price)
            if fee <= self.wallet.free(BNB):
                self.wallet.spend(BNB, fee)
                return fee, BNB
        is_bid = side is Side.BID
        currency = instrument.base_currency if is_bid else instrument.quote_currency
        fee = _rounded((quantity if is_bid else notional) * rate)
        self.wallet.spend(currency, fee)
        return fee, currency

    def _bnb_price(self, quote: str) -> Decimal | None:
        market = self.markets.get(f"{BNB}{quote}")
        return ONE if quote == BNB else market.displayed.mid if market is not None else None


def _rounded(fee: Decimal) -> Decimal:
    return fee.quantize(_SMALLEST, ROUND_HALF_UP)

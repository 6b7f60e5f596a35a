"""What the account layer reads of one market's books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from attrs import evolve, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import BalancesReported
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.instrument import ZERO, Instrument, InstrumentKind
from mm_fsm.core.messages import SIDES, OrderPurpose, PlaceOrder, Side


@frozen
class AccountBooks:
    """One market's books, read whenever they are asked."""

    context: MarketMakingContext

    @property
    def instrument(self) -> Instrument:
        """The market's rules."""
        return self.context.instrument

    @property
    def holdings(self) -> Mapping[str, Decimal]:
        """What this market holds of the account, by currency; negative where it only paid fees, such as in BNB.

        Of contracts, whose cash flows are not counted, the fees alone.
        """
        held = {currency: -paid for currency, paid in self.context.third_currency_fees.items()}
        if self.instrument.kind is InstrumentKind.SPOT:
            held[self.instrument.base_currency] = self.context.base_position
            held[self.instrument.quote_currency] = self.context.ledger.cash
        return held

    @property
    def exposure(self) -> Decimal | None:
        """Quote currency: distance from the target in the worst case, orders that are on their way included.

        The larger of both sides, each with every live order on it filled. Before there is a mid price, at the highest
        price that is known: of the last mark and of the orders. None where there is something and no price at all.
        """
        worst = self._worst()
        if not worst:
            return ZERO
        price = self.context.mid_price or self._highest_price()
        return None if price is None else worst * price

    @property
    def adding_quotes(self) -> tuple[OwnOrder, ...]:
        """Quotes that rest, or may, on a side that takes the position further from its target in the worst case."""
        orders = self.context.orders
        return tuple(
            order
            for side in SIDES
            if self._beyond(side) > abs(self.context.inventory_offset)
            for order in orders.live(side, OrderPurpose.QUOTE)
            if order.acknowledged and not order.cancel_in_flight  # its placement has left, and no cancel has
        )

    def adds(self, order: PlaceOrder) -> bool:
        """Whether the worst case is the worse for an order, which is in the books already."""
        return self._worst(without=order) < self._worst()

    def _worst(self, without: PlaceOrder | None = None) -> Decimal:
        """Base units."""
        beyond = (
            self._beyond(side, without.quantity if without is not None and without.side is side else ZERO)
            for side in SIDES
        )
        return max(abs(self.context.inventory_offset), *beyond)

    def _beyond(self, side: Side, less: Decimal = ZERO) -> Decimal:
        """How far from its target the position would be, to that side, with the side's orders filled; base units."""
        orders, base = self.context.orders, self.instrument.base_quantity
        return side.sign * self.context.inventory_offset + base(orders.exposure(side) - less)

    def _highest_price(self) -> Decimal | None:
        prices = [order.price for order in self.context.orders.unsettled_orders()]
        mark = self.context.ledger.reference_price
        return max((*prices, mark) if mark is not None else prices, default=None)

    @property
    def net_pnl(self) -> Decimal:
        """Quote currency, since the books began."""
        return self.context.net_pnl


def less_what_others_hold(
    fact: BalancesReported, instrument: Instrument, others: Iterable[Mapping[str, Decimal]]
) -> BalancesReported:
    """The totals of an account as one market sees them: less what the other markets' books hold of both currencies.

    So a difference between the account and all books together shows in every market that shares the currency, and one
    market's trades never look like another's difference. Of what is free, no more is reported than of the total.
    """
    held = [*others]
    theirs = {
        currency: sum((each.get(currency, ZERO) for each in held), ZERO)
        for currency in (instrument.base_currency, instrument.quote_currency)
    }
    base = max(fact.base_total - theirs[instrument.base_currency], ZERO)
    quote = max(fact.quote_total - theirs[instrument.quote_currency], ZERO)
    return evolve(
        fact,
        base_total=base,
        base_free=min(fact.base_free, base),
        quote_total=quote,
        quote_free=min(fact.quote_free, quote),
    )

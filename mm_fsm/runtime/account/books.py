"""What the account layer reads of one market's books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from attrs import evolve, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import BalancesReported
from mm_fsm.core.instrument import ZERO, Instrument, InstrumentKind
from mm_fsm.core.messages import Side


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
    def exposure(self) -> Decimal:
        """Quote currency: distance from the target in the worst case, orders that are on their way included.

        The larger of both sides, each with every live order on it filled; 0 without a price, as nothing is placed then.
        """
        mid, offset = self.context.mid_price, self.context.inventory_offset
        if mid is None:
            return ZERO
        orders, base = self.context.orders, self.instrument.base_quantity
        bought, sold = (base(orders.exposure(side)) for side in (Side.BID, Side.ASK))
        return max(abs(offset), offset + bought, sold - offset) * mid

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

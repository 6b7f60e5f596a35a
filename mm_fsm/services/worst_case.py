"""What fees add to the worst case: they move the position, too, or the limit that it is measured against."""

from __future__ import annotations

from decimal import Decimal

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import ONE
from mm_fsm.core.messages import Side


def with_fees(context: MarketMakingContext, side: Side) -> Decimal:
    """By what a quantity that trades on a side counts against the position limit; at least 1.

    A fee in base currency sells base: it adds to what asks sell. A rebate in it adds to what bids buy. Where neither is
    charged in base, it lowers equity, and so the limit, by ``max_inventory_pct`` of its worth. Which currency a venue
    will charge is not known before it has, so that both count.
    """
    fees = context.fees
    in_base = fees.highest_rebate_rate if side is Side.BID else fees.highest_rate
    return ONE + in_base + exact(context.settings.max_inventory_pct) * fees.highest_rate

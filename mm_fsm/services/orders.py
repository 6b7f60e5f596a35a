"""The default order service: the fewest cancels and placements that bring live orders to the wanted quotes."""

from __future__ import annotations

from decimal import Decimal

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.decisions import OrderChanges, OrderDraft, Quote, QuotePlan
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import SIDES, OrderPurpose, Side


class DefaultOrderService:
    """An order whose wanted price and size moved less than the tolerance stays, and keeps its place in the queue.

    It moves away from the market at once, lest it is picked off, and slowly towards it: that costs its place in the
    queue. It moves away later the more of the venue's counter of requests is used: an order that cannot be replaced
    would leave its side empty. A partly filled order stays until little is left.
    """

    def plan_changes(self, context: MarketMakingContext, plan: QuotePlan) -> OrderChanges:
        """What to cancel and what to place; orders that are leaving already or are UNKNOWN are left alone."""
        cancels: list[str] = []
        placements: list[OrderDraft] = []
        rates = context.request_rates
        ending = rates.cost_of_ending(context.now, context.orders.live())
        scarcity = Decimal(rates.scarcity(context.now, ending=ending))
        for side in SIDES:
            staying = [order for order in context.live_quotes(side) if order.is_staying]
            share = exact(context.settings.size_tolerance_share)
            most = 1 if staying and _is_beyond_limit(context, side) else 1 + share
            for quote in plan.quotes(side):
                lowest, highest = _price_range(context, plan, quote, scarcity)
                for order in staying:
                    if lowest <= order.price <= highest and _fits(context, order, quote, most):
                        staying.remove(order)
                        break
                else:
                    placements.append(_draft(quote))
            cancels += [order.client_order_id for order in staying]
        return OrderChanges(cancels=tuple(cancels), placements=tuple(placements))


def _price_range(
    context: MarketMakingContext, plan: QuotePlan, quote: Quote, scarcity: Decimal
) -> tuple[Decimal, Decimal]:
    """Prices at which an order may stay in place of a wanted quote: further behind it than in front of it.

    The scarcer the venue's requests, the further in front, at most as far as behind. Where it takes no other order now
    (``scarcity`` 1), one anywhere behind is better than none.
    """
    settings, distance = context.settings, abs(quote.price - plan.reference_price)
    behind = distance * exact(settings.requote_tolerance_share(quote.level, towards_market=True))
    in_front = distance * exact(settings.requote_tolerance_share(quote.level, towards_market=False))
    in_front += max(behind - in_front, ZERO) * scarcity
    if scarcity >= 1:
        behind = context.price_reach
    if quote.side is Side.BID:
        return quote.price - behind, quote.price + in_front
    return quote.price - in_front, quote.price + behind


def _fits(context: MarketMakingContext, order: OwnOrder, quote: Quote, most: Decimal | int) -> bool:
    """Whether an order in that range may stay: on the grid, passive, and at ``most`` times the wanted size."""
    if not context.instrument.is_on_price_grid(order.price) or crosses_market(context, order.side, order.price):
        return False
    remaining = order.remaining
    if not context.instrument.meets_minimums(order.price, remaining):
        return False
    share = exact(context.settings.size_tolerance_share)
    least = min(share, 1 - share) if order.filled_quantity > 0 else 1 - share
    return quote.quantity * least <= remaining <= quote.quantity * most


def _is_beyond_limit(context: MarketMakingContext, side: Side) -> bool:
    """Whether the position would pass its limit if every live order of a side filled: then none may be too large."""
    resting = context.instrument.base_quantity(context.orders.exposure(side))
    return context.inventory_offset * side.sign + resting > context.position_limit


def crosses_market(context: MarketMakingContext, side: Side, price: Decimal) -> bool:
    """Whether a price reaches the market's other side."""
    if side is Side.BID:
        return context.ask_price is not None and price >= context.ask_price
    return context.bid_price is not None and price <= context.bid_price


def _draft(quote: Quote) -> OrderDraft:
    return OrderDraft(
        side=quote.side,
        price=quote.price,
        quantity=quote.quantity,
        purpose=OrderPurpose.QUOTE,
        level=quote.level,
    )

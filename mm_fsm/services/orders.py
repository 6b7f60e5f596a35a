"""The default order service: the fewest cancels and placements that bring live orders to the wanted quotes."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from attrs import define, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.orders import OwnOrder
from mm_fsm.books.request_budget import RequestBudget
from mm_fsm.core.decisions import OrderChanges, OrderDraft, Quote, QuotePlan
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import SIDES, OrderPurpose, Side


class DefaultOrderService:
    """An order whose wanted price and size moved less than the tolerance stays, and keeps its place in the queue.

    It moves away from the market at once, lest it is picked off, and slowly towards it: that costs its place in the
    queue. It moves away later the more of the venue's counter of requests is used: an order that cannot be replaced
    would leave its side empty. A partly filled order stays until little is left.

    An order behind its wanted price goes only with a replacement that the venue takes; one in front of it goes anyway.
    Without room for all, the side with the fewest quotes is served first: neither falls silent for the other.
    """

    def plan_changes(self, context: MarketMakingContext, plan: QuotePlan) -> OrderChanges:
        """What to cancel and what to place; orders that are leaving already or are UNKNOWN are left alone."""
        rates, live = context.request_rates, context.orders.live()
        scarcity = Decimal(rates.scarcity(context.now, ending=rates.cost_of_ending(context.now, live)))
        queues = [_compare(context, plan, side, scarcity) for side in SIDES]
        budget = RequestBudget(rates=rates, now=context.now, live=live)
        for order in (order for queue in queues for order in queue.going):
            budget.cancel(order)
        cancels = [order.client_order_id for queue in queues for order in queue.going]
        placements: list[OrderDraft] = []
        refused: list[OrderDraft] = []
        while waiting := [queue for queue in queues if queue.changes]:
            queue = min(waiting, key=_Queue.turn)
            change = queue.changes.popleft()
            if budget.place(change.replaced):
                queue.served += 1
                placements.append(_draft(change.quote))
                cancels += [] if change.replaced is None else [change.replaced.client_order_id]
            elif change.replaced is None:
                refused.append(_draft(change.quote))  # risk names the reason, and the side is held for it
        return OrderChanges(cancels=tuple(cancels), placements=(*placements, *refused))


@frozen
class _Change:
    """A wanted quote that no order serves, and the order behind it that serves until it can be paid for."""

    quote: Quote
    replaced: OwnOrder | None


@define
class _Queue:
    """The changes that one side waits for, inner levels first."""

    changes: deque[_Change]
    going: list[OwnOrder]
    """Orders that leave whatever it costs: not wanted at all, or too good for the market."""
    is_quoted: bool
    served: int
    """Levels that have the order they want."""
    adds_to_position: bool
    placed_at: int
    """When the newest order was placed that stays: an older one is cheaper to replace, and has waited longer."""
    had_last_turn: bool

    def turn(self) -> tuple[bool, int, bool, int, bool]:
        """Smaller is earlier."""
        return (
            self.is_quoted or self.served > 0,
            self.served,
            self.adds_to_position,
            self.placed_at,
            self.had_last_turn,
        )


def _compare(context: MarketMakingContext, plan: QuotePlan, side: Side, scarcity: Decimal) -> _Queue:
    """What one side has and wants."""
    staying = [order for order in context.live_quotes(side) if order.is_staying]
    placed_at = max((order.placed_at for order in staying), default=0)
    most = 1 if staying and _is_beyond_limit(context, side) else 1 + exact(context.settings.size_tolerance_share)
    missing: list[Quote] = []
    for quote in plan.quotes(side):
        lowest, highest = _price_range(context, plan, quote, scarcity)
        for order in staying:
            if lowest <= order.price <= highest and _fits(context, order, quote, most):
                staying.remove(order)
                break
        else:
            missing.append(quote)
    served = len(plan.quotes(side)) - len(missing)
    staying.sort(key=lambda order: order.price * -side.sign)
    changes = deque(_Change(quote, _take_behind(context, staying, quote, most)) for quote in missing)
    return _Queue(
        changes,
        going=staying,
        is_quoted=served > 0 or any(change.replaced for change in changes),
        served=served,
        adds_to_position=context.inventory_offset * side.sign > 0,
        placed_at=placed_at,
        had_last_turn=(context.next_order_number % 2 == 0) is (side is Side.BID),
    )


def _take_behind(
    context: MarketMakingContext, staying: list[OwnOrder], quote: Quote, most: Decimal | int
) -> OwnOrder | None:
    """Take out the innermost of these orders that may serve in place of a quote: behind it, and within reach."""
    for order in staying:
        distance = (quote.price - order.price) * quote.side.sign
        if 0 <= distance <= context.price_reach and _fits(context, order, quote, most):
            staying.remove(order)
            return order
    return None


def _price_range(
    context: MarketMakingContext, plan: QuotePlan, quote: Quote, scarcity: Decimal
) -> tuple[Decimal, Decimal]:
    """Prices at which an order may stay in place of a wanted quote: further behind it than in front of it.

    The scarcer the venue's requests, the further in front, at most as far as behind.
    """
    settings, distance = context.settings, abs(quote.price - plan.reference_price)
    behind = distance * exact(settings.requote_tolerance_share(quote.level, towards_market=True))
    in_front = distance * exact(settings.requote_tolerance_share(quote.level, towards_market=False))
    in_front += max(behind - in_front, ZERO) * scarcity
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

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
from mm_fsm.core.instrument import ONE
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
        rates, now = context.request_rates, context.now
        ending = rates.cost_of_ending(now, context.orders.live())
        scarcity = Decimal(rates.scarcity(now, ending=ending))
        queues = [_compare(context, plan, side, scarcity) for side in SIDES]
        going = [order for queue in queues for order in queue.going]
        budget = RequestBudget(rates=rates, now=now, ending=ending)
        for order in going:
            budget.cancel(order)
        cancels = [order.client_order_id for order in going]
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
    quotes, tolerance = plan.quotes(side), _Tolerance(context, plan, side, scarcity)
    staying = [order for order in context.live_quotes(side) if order.is_staying]
    placed_at = max([order.placed_at for order in staying], default=0)
    if staying and _is_beyond_limit(context, side):
        tolerance.most = ONE
    missing: list[Quote] = []
    for quote in quotes:
        lowest, highest = tolerance.price_range(quote)
        for place, order in enumerate(staying):
            if lowest <= order.price <= highest and tolerance.fits(order, quote):
                del staying[place]
                break
        else:
            missing.append(quote)
    served = len(quotes) - len(missing)
    if len(staying) > 1:
        staying.sort(key=lambda order: order.price * -side.sign)
    changes = deque([_Change(quote, _take_behind(context, staying, quote, tolerance)) for quote in missing])
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
    context: MarketMakingContext, staying: list[OwnOrder], quote: Quote, tolerance: _Tolerance
) -> OwnOrder | None:
    """Take out the innermost of these orders that may serve in place of a quote: behind it, and within reach."""
    for place, order in enumerate(staying):
        distance = (quote.price - order.price) * quote.side.sign
        if 0 <= distance <= context.price_reach and tolerance.fits(order, quote):
            return staying.pop(place)
    return None


class _Tolerance:
    """What an order may differ by from the quote that it serves, on one side; see ``DefaultOrderService``."""

    def __init__(self, context: MarketMakingContext, plan: QuotePlan, side: Side, scarcity: Decimal) -> None:
        share = exact(context.settings.size_tolerance_share)
        self.most = 1 + share
        """Times the wanted size at most."""
        self._least = 1 - share
        self._least_of_partly_filled = min(share, 1 - share)
        self._scarcity = scarcity
        self._shares = context.settings.requote_tolerances
        self._instrument = context.instrument
        self._reference = plan.reference_price
        self._is_bid = side is Side.BID
        self._other_side = context.ask_price if self._is_bid else context.bid_price

    def price_range(self, quote: Quote) -> tuple[Decimal, Decimal]:
        """Prices at which an order may stay in place of a wanted quote: further behind it than in front of it.

        The scarcer the venue's requests, the further in front, at most as far as behind.
        """
        price, shares, level = quote.price, self._shares, quote.level
        towards_market, away = shares[level] if level < len(shares) else shares[-1]
        distance = abs(price - self._reference)
        behind, in_front = distance * towards_market, distance * away
        if self._scarcity and behind > in_front:
            in_front += (behind - in_front) * self._scarcity
        return (price - behind, price + in_front) if self._is_bid else (price - in_front, price + behind)

    def fits(self, order: OwnOrder, quote: Quote) -> bool:
        """Whether an order in that range may stay: near the wanted size, on the grid, and passive."""
        price, remaining, wanted = order.price, order.remaining, quote.quantity
        least = self._least_of_partly_filled if order.filled_quantity > 0 else self._least
        if not wanted * least <= remaining <= wanted * self.most:
            return False
        if _reaches(price, self._other_side, is_bid=self._is_bid):
            return False
        return self._instrument.is_on_price_grid(price) and self._instrument.meets_minimums(price, remaining)


def _is_beyond_limit(context: MarketMakingContext, side: Side) -> bool:
    """Whether the position would pass its limit if every live order of a side filled: then none may be too large."""
    resting = context.instrument.base_quantity(context.orders.exposure(side))
    return context.inventory_offset * side.sign + resting > context.position_limit


def crosses_market(context: MarketMakingContext, side: Side, price: Decimal) -> bool:
    """Whether a price reaches the market's other side."""
    is_bid = side is Side.BID
    return _reaches(price, context.ask_price if is_bid else context.bid_price, is_bid=is_bid)


def _reaches(price: Decimal, other: Decimal | None, *, is_bid: bool) -> bool:
    """Whether an order's price reaches the other side's best price; nothing is reached where that is not known."""
    return other is not None and (price >= other if is_bid else price <= other)


def _draft(quote: Quote) -> OrderDraft:
    return OrderDraft(
        side=quote.side,
        price=quote.price,
        quantity=quote.quantity,
        purpose=OrderPurpose.QUOTE,
        level=quote.level,
    )

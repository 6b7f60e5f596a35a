"""Parts that facts about own orders share: looking the order up, and the figures that its taking and leaving change."""

from __future__ import annotations

from decimal import Decimal

from mm_fsm.books.context import RECENT_FILL_RATE_WEIGHT, MarketMakingContext
from mm_fsm.books.facts.fields import refusal
from mm_fsm.books.orders import OwnOrder
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import Hold, HoldReason
from mm_fsm.core.messages import SIDES, OrderFact, OrderPurpose, Side


def known_order(context: MarketMakingContext, fact: OrderFact) -> OwnOrder:
    """The order that a fact is about.

    Raises:
        FactRefusedError: the books do not know it.
    """
    order = context.orders.get(fact.client_order_id)
    if order is None:
        raise refusal(fact, "client_order_id", "an order that this machine sent", fact.client_order_id)
    return order


def check_closing(context: MarketMakingContext, fact: OrderFact, filled_quantity: Decimal | None) -> OwnOrder:
    """The order that a fact is about, large enough for what is said to have traded; None: nothing is said.

    Raises:
        FactRefusedError: the books do not know it, or it is too small.
    """
    order = known_order(context, fact)
    if filled_quantity is not None and not 0 <= filled_quantity <= order.quantity:
        raise refusal(fact, "filled_quantity", f"between 0 and the order's {order.quantity}", filled_quantity)
    return order


def note_taken(context: MarketMakingContext, order: OwnOrder) -> None:
    """The venue took an order: count its quantity once, and end the run of rejections; another may wait for that."""
    if not order.acknowledged and order.purpose is OrderPurpose.QUOTE:
        context.acknowledged_maker_quantity += order.quantity
        side = context.sides[order.side]
        side.post_only_rejections = 0
        waits = side.refusal is not None and side.refusal.reason is HoldReason.ORDERS_IN_FLIGHT
        context.needs_requote = context.needs_requote or waits or _waits_for_unknown_order(context)
    context.rejections_in_a_row = 0


def note_finished(context: MarketMakingContext, order: OwnOrder) -> None:
    """A quote left the book: its filled share feeds the recent fill rate."""
    if order.is_live or order.purpose is not OrderPurpose.QUOTE or not order.acknowledged:
        return
    share = float(order.filled_quantity / order.quantity)
    context.signals.observe_finished_quote(context.now, share)
    context.recent_fill_rate += RECENT_FILL_RATE_WEIGHT * (share - context.recent_fill_rate)


def note_left_book(context: MarketMakingContext, order: OwnOrder) -> None:
    """An order is out: there is more to place when nobody asked for that, or when something waited for it."""
    note_finished(context, order)
    is_waited_for = _waits_for_unknown_order(context) or any(side.refusal for side in context.sides.values())
    context.needs_requote = context.needs_requote or is_waited_for or not order.cancel_wanted


def _waits_for_unknown_order(context: MarketMakingContext) -> bool:
    """Whether a side was not priced for an order of unknown outcome: it need not wait for the next refresh."""
    if context.plan is None:
        return False
    holds = [context.plan.hold(side) for side in SIDES]
    return any(hold is not None and hold.reason is HoldReason.UNKNOWN_ORDER for hold in holds)


def says_too_little(context: MarketMakingContext, order: OwnOrder, filled_quantity: Decimal | None) -> bool:
    """Out of the book, but what had traded is not said: fills may be missing, so the venue is asked first."""
    if filled_quantity is not None or not order.is_live:
        return False
    context.orders.lose_track(order, context.now)
    context.needs_requote = True
    return True


def hold_side(context: MarketMakingContext, side: Side, reason: HoldReason, detail: str, seconds: float) -> None:
    """Hold a side for a while."""
    context.sides[side].take_hold(Hold(reason, detail, context.now + nanoseconds(seconds)))

"""May this machine quote, and why not: one table of reasons, asked by guards, services, the desk and views.

Each reason stands here once, with its test. ``NOTHING_IS_PRICED`` and ``QUOTES_ARE_WITHDRAWN`` say which of them keep
the machine in IDLE, and which take live quotes out of the market. Reasons of one side follow below the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.order_lifecycle import RESTING_STATUSES, OrderStatus
from mm_fsm.books.own_order import REQUESTED_STATUSES
from mm_fsm.core.clock import NEVER, seconds
from mm_fsm.core.decisions import Hold, HoldReason, InventoryAssessment, Refusal, RefusalCode
from mm_fsm.core.messages import OrderPurpose, Side
from mm_fsm.core.settings import AdjustmentPolicy


@frozen
class HoldCondition:
    """One reason to quote neither side."""

    reason: HoldReason
    holds: Callable[[MarketMakingContext], bool]
    detail: Callable[[MarketMakingContext], str]
    refusal: RefusalCode | None = None
    """Of an order that may not leave for this reason; None where none is refused for it."""


def _unknown_estimate(context: MarketMakingContext) -> str:
    cold = context.signals.cold
    return "volatility" if cold is None or not context.volatility_estimator.is_warm else cold.value


def is_beyond_slippage(context: MarketMakingContext) -> bool:
    """Whether half the market's spread is more than ``max_slippage_bps``: nobody quotes within what may be paid."""
    return (context.market_spread_bps or 0.0) / 2 > context.settings.max_slippage_bps


def _why_it_stops(context: MarketMakingContext) -> str:
    return context.stop_reason + _why_it_waits(context, "the wind-down")


def _why_it_reduces(context: MarketMakingContext) -> str:
    may_take = context.settings.adjustment_policy in (AdjustmentPolicy.LIMIT, AdjustmentPolicy.LEAST_COST)
    return "the position is being reduced" + (_why_it_waits(context, "the order") if may_take else "")


def _why_it_waits(context: MarketMakingContext, what: str) -> str:
    if context.reduction is None or not is_beyond_slippage(context):
        return ""
    half = (context.market_spread_bps or 0.0) / 2
    limit = f"max_slippage_bps is {context.settings.max_slippage_bps:g}"
    return f"; half the market's spread is {half:.1f} bps, {limit}: {what} waits passively"


MACHINE: Final = (
    HoldCondition(HoldReason.STOPPING, lambda context: context.is_stopping, _why_it_stops),
    HoldCondition(
        HoldReason.FAULT,
        lambda context: context.fault is not None,
        lambda context: "" if context.fault is None else context.fault.reason,
    ),
    HoldCondition(
        HoldReason.OPERATOR_PAUSED,
        lambda context: context.operator_pause is not None,
        lambda context: context.operator_pause or "",
        RefusalCode.OPERATOR_PAUSED,
    ),
    HoldCondition(
        HoldReason.ADJUSTING_INVENTORY,
        lambda context: context.reduction is not None,
        _why_it_reduces,
    ),
    HoldCondition(
        HoldReason.ACCOUNT_FEED_LOST,
        lambda context: context.account_feed_loss is not None,
        lambda context: context.account_feed_loss or "",
        RefusalCode.ACCOUNT_FEED_LOST,
    ),
    HoldCondition(
        HoldReason.REQUESTS_SUSPENDED,
        lambda context: context.now < context.requests_suspended_until,
        lambda context: (
            f"{context.requests_suspended_reason}; "
            f"{seconds(context.requests_suspended_until - context.now):.1f} s to go"
        ),
        RefusalCode.REQUESTS_SUSPENDED,
    ),
    HoldCondition(
        HoldReason.RECONCILING,
        lambda context: not context.reconciliation.is_complete,
        lambda context: context.reconciliation.detail,
        RefusalCode.NOT_RECONCILED,
    ),
)
"""Reasons of the machine's own, the first of them named."""

MARKET: Final = (
    HoldCondition(
        HoldReason.NO_MARKET_DATA,
        lambda context: not context.market.has_book,
        lambda _context: "no full book has arrived",
        RefusalCode.NO_MARKET_DATA,
    ),
    HoldCondition(
        HoldReason.STALE_DATA,
        lambda context: context.is_data_stale,
        lambda context: (
            f"newest data is older than {context.settings.stale_data_seconds:g} s, "
            f"the feed {seconds(context.market.feed_delay.behind):.1f} s behind"
        ),
        RefusalCode.STALE_DATA,
    ),
    HoldCondition(
        HoldReason.TRADING_HALTED,
        lambda context: not context.market.is_trading,
        lambda _context: "the venue has halted this market",
        RefusalCode.TRADING_HALTED,
    ),
    HoldCondition(
        HoldReason.ONE_SIDED_BOOK,
        lambda context: context.market.is_one_sided,
        lambda _context: "a side of the book is empty",
    ),
    HoldCondition(
        HoldReason.CROSSED_BOOK,
        lambda context: context.market.is_crossed,
        lambda context: f"bid {context.market.bid_price} is not below ask {context.market.ask_price}",
    ),
    HoldCondition(
        HoldReason.MARKET_SPREAD,
        lambda context: (context.market.spread_bps or 0.0) > context.settings.max_market_spread_bps,
        lambda context: f"{context.market.spread_bps:.1f} bps is wider than the limit",
    ),
    HoldCondition(
        HoldReason.UNSOUND_BOOK,
        lambda context: context.reference.doubt is not None,
        lambda context: "" if context.reference.doubt is None else context.reference.doubt.detail,
    ),
    HoldCondition(
        HoldReason.WARMING_UP,
        lambda context: not context.volatility_estimator.is_warm or context.signals.cold is not None,
        lambda context: f"{_unknown_estimate(context)} is not known yet",
    ),
)
"""Reasons of the market and its data, the first of them named."""

_WITHOUT_A_PRICE: Final = HoldCondition(
    HoldReason.NO_MARKET_DATA,
    lambda context: context.mid_price is None,
    lambda _context: "there is no price yet",
    RefusalCode.NO_MARKET_DATA,
)


def _among(*reasons: HoldReason) -> tuple[HoldCondition, ...]:
    return tuple(condition for condition in (*MACHINE, *MARKET) if condition.reason in reasons)


NOTHING_IS_PRICED: Final = (
    _WITHOUT_A_PRICE,
    *_among(
        HoldReason.OPERATOR_PAUSED,
        HoldReason.ADJUSTING_INVENTORY,
        HoldReason.ACCOUNT_FEED_LOST,
        HoldReason.REQUESTS_SUSPENDED,
        HoldReason.RECONCILING,
        HoldReason.STALE_DATA,
        HoldReason.WARMING_UP,
    ),
)
"""While one of these holds no cycle begins. The others are priced, and hold their sides in the plan."""

QUOTES_ARE_WITHDRAWN: Final = _among(
    HoldReason.ACCOUNT_FEED_LOST, HoldReason.REQUESTS_SUSPENDED, HoldReason.RECONCILING, HoldReason.STALE_DATA
)
"""These end a cycle: what the machine knows of the market or of its own orders can no longer be trusted."""

CLOSED_MARKET: Final = (
    _WITHOUT_A_PRICE,
    *_among(HoldReason.NO_MARKET_DATA, HoldReason.STALE_DATA, HoldReason.TRADING_HALTED),
)
"""While one of these holds the risk service lets no order leave."""

UNSOUND_MARKET: Final = _among(
    HoldReason.STALE_DATA,
    HoldReason.TRADING_HALTED,
    HoldReason.ONE_SIDED_BOOK,
    HoldReason.CROSSED_BOOK,
    HoldReason.MARKET_SPREAD,
    HoldReason.UNSOUND_BOOK,
)
"""While one of these holds the position is not reduced either."""

WARMING_UP: Final = _among(HoldReason.WARMING_UP)
"""While this holds an estimate that prices need is not known."""

DATA_IS_MISSING: Final = _among(HoldReason.STALE_DATA)
"""While this holds, a recovery from missing data waits."""

QUOTING_IS_PAUSED: Final = _among(HoldReason.OPERATOR_PAUSED)
"""An operator ended the cycle, and no quote leaves until an operator lets quoting go on."""

NO_ORDER_LEAVES: Final = _among(HoldReason.ACCOUNT_FEED_LOST, HoldReason.REQUESTS_SUSPENDED, HoldReason.RECONCILING)
"""While one of these holds not even a reducing order leaves, whatever the risk service says."""

NO_QUOTE_LEAVES: Final = (*QUOTING_IS_PAUSED, *NO_ORDER_LEAVES)
"""While one of these holds no quote leaves, whatever the risk service says."""


def first_hold(conditions: tuple[HoldCondition, ...], context: MarketMakingContext) -> Hold | None:
    """The first of these reasons that holds now; None when none does."""
    for condition in conditions:
        if condition.holds(context):
            return Hold(condition.reason, condition.detail(context))
    return None


def first_refusal(conditions: tuple[HoldCondition, ...], context: MarketMakingContext) -> Refusal | None:
    """How an order is refused for the first of these reasons that holds now; None when none does."""
    for condition in conditions:
        if condition.holds(context):
            return Refusal(condition.refusal or RefusalCode.CUSTOM, condition.detail(context))
    return None


def is_over(context: MarketMakingContext, hold: Hold) -> bool:
    """Whether the market's reason for a hold is gone; False for reasons that are not the market's."""
    return any(condition.reason is hold.reason and not condition.holds(context) for condition in MARKET)


# -- one side ----------------------------------------------------------------------------------------------------------


def answer_hold(context: MarketMakingContext, side: Side) -> Hold | None:
    """For what the venue answered of own orders a side is held, while that lasts; None where it is not."""
    own = context.sides[side].hold
    return own if own is not None and (own.until is None or context.now < own.until) else None


def side_hold(context: MarketMakingContext, inventory: InventoryAssessment, side: Side) -> Hold | None:
    """Why one side alone must not be priced: held by the venue's answers, an unknown order, the inventory limit."""
    own = answer_hold(context, side)
    if own is not None:
        return own
    if context.orders.has_unknown(side):
        return _UNKNOWN_ORDER
    if inventory.offset * side.sign >= inventory.limit:
        return Hold(HoldReason.INVENTORY_LIMIT, f"offset {inventory.offset} of limit {inventory.limit:f}")
    return None


def side_status(
    context: MarketMakingContext, side: Side, machine_hold: Hold | None, market_hold: Hold | None
) -> Hold | None:
    """None while a quote rests on the side and stays; else the reason why none does.

    ``machine_hold`` is the first reason of the machine's own that holds now, ``market_hold`` the spread service's
    reason to quote nobody: both are the same for either side.
    """
    statuses = [order.status for order in context.live_quotes(side)]
    if not RESTING_STATUSES.isdisjoint(statuses):
        return None
    hold = machine_hold
    if hold is None and context.plan is None:
        hold = market_hold
        if hold is None and context.balances_reported_at is None:
            hold = Hold(HoldReason.WAITING_FOR_BALANCES, "the venue has not reported balances yet")
    if hold is not None:
        return hold
    if OrderStatus.UNKNOWN in statuses:
        return _UNKNOWN_ORDER
    if not REQUESTED_STATUSES.isdisjoint(statuses):
        return Hold(HoldReason.ORDERS_IN_FLIGHT, "a request awaits its answer")
    planned = context.plan.hold(side) if context.plan is not None else None
    return planned or context.sides[side].refusal or Hold(HoldReason.ORDERS_IN_FLIGHT, "about to be quoted")


_UNKNOWN_ORDER: Final = Hold(HoldReason.UNKNOWN_ORDER, "an order of this side has an unknown outcome")


# -- one order ---------------------------------------------------------------------------------------------------------


def order_refusal(context: MarketMakingContext, purpose: OrderPurpose) -> Refusal | None:
    """Why no order of this purpose may leave now; None when the risk service decides."""
    return first_refusal(NO_QUOTE_LEAVES if purpose is OrderPurpose.QUOTE else NO_ORDER_LEAVES, context)


def refused_hold(context: MarketMakingContext, refusal: Refusal) -> Hold:
    """How a refused order holds its side. While cancels are in flight it may well pass once they are confirmed."""
    if refusal.code in _MAY_PASS_SOON and any(order.cancel_in_flight for order in context.orders.live()):
        return Hold(HoldReason.ORDERS_IN_FLIGHT, refusal.reason)
    reason = _REASON_OF_REFUSAL.get(refusal.code, HoldReason.RISK)
    until = _room_at(context) if refusal.code is RefusalCode.ORDER_RATE else None
    return Hold(reason, f"{refusal.code}{_AFTER_CODE}{refusal.reason}", until)


def refusal_code(hold: Hold) -> RefusalCode | None:
    """The risk check that a hold of ``refused_hold`` comes from; None where it waits for cancels, or is none of those.

    A hold carries the code at the beginning of its detail, and nowhere else: journals and digests hold it so.
    """
    return next((code for code in RefusalCode if hold.detail.startswith(f"{code}{_AFTER_CODE}")), None)


def _room_at(context: MarketMakingContext) -> int | None:
    """When one more quote has room by our own count; None where there is room now, so that others refused, or never."""
    at = context.request_rates.room_at(context.now, is_quote=True, orders=context.orders.live())
    return at if context.now < at < NEVER else None


def is_answered(context: MarketMakingContext, hold: Hold) -> bool:
    """Whether the venue has said of own orders what this hold waited for.

    While any order is UNKNOWN, its side is held, and pricing anew would take out what was found on it already.
    """
    if hold.reason is HoldReason.UNKNOWN_ORDER:
        return context.needs_requote and not context.orders.has_unknown()
    return context.needs_requote and hold.reason is HoldReason.ORDERS_IN_FLIGHT


_AFTER_CODE: Final = ": "
_MAY_PASS_SOON: Final = (RefusalCode.POSITION_LIMIT, RefusalCode.SELF_CROSS, RefusalCode.ORDER_COUNT)
_REASON_OF_REFUSAL: Final = {
    **{each.refusal: each.reason for each in (*MACHINE, *MARKET) if each.refusal is not None},
    RefusalCode.UNKNOWN_ORDER: HoldReason.UNKNOWN_ORDER,
    RefusalCode.REQUEST_UNANSWERED: HoldReason.ORDERS_IN_FLIGHT,
    RefusalCode.FUNDS: HoldReason.FUNDS,
    RefusalCode.BELOW_MINIMUM: HoldReason.BELOW_MINIMUM,
}
"""The reasons above, and those of single orders. Every other refusal is ``HoldReason.RISK``."""

"""The default inventory service: adjustments past a limit, and the wind-down, one order at a time.

A reduction brings |position - target| down to its goal. Quotes are cancelled and confirmed first. An adjustment
follows ``adjustment_policy``; a wind-down is passive for a time, then takes slices within ``max_slippage_bps`` of the
reference. While half the market's spread is more than that, nothing can be taken, and both are passive. Neither ever
sends more than what is still missing, so that the position cannot flip.

A passive order follows the market once its price moved by the tolerance of quotes, and while the venue has room for
that, for its next cancel and for an order that takes: the last requests are for ending.
"""

from __future__ import annotations

from decimal import Decimal

from mm_fsm.books.context import MarketMakingContext, Reduction
from mm_fsm.books.orders import OwnOrder
from mm_fsm.books.signals import Signal
from mm_fsm.chart import settled
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import InventoryAction, InventoryAssessment, InventoryStep, OrderDraft
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import BASIS_POINTS, ZERO, InstrumentKind
from mm_fsm.core.messages import OrderPurpose, Side, TimeInForce
from mm_fsm.core.settings import AdjustmentPolicy, MarketMakingSettings
from mm_fsm.services.adjustment_cost import least_cost_policy
from mm_fsm.services.permission import UNSOUND_MARKET, first_hold, is_beyond_slippage


class DefaultInventoryService:
    """See the module's description. It keeps nothing between calls."""

    def wanted_signals(self, settings: MarketMakingSettings) -> frozenset[Signal]:
        """Traded volume, where the impact of an adjustment is weighed; without it the adjustment waits."""
        weighs = settings.adjustment_policy is AdjustmentPolicy.LEAST_COST
        return frozenset({Signal.VOLUME}) if weighs else frozenset()

    @settled()
    def assess(self, context: MarketMakingContext) -> InventoryAssessment:
        """Offset, limit and use, as of now."""
        return context.assess_inventory()

    def is_reduced(self, context: MarketMakingContext) -> bool:
        """Whether no reducing order is live and the rest is at the goal, or too small or impossible to trade."""
        reduction = context.reduction
        if reduction is None:
            return True
        if context.orders.count:
            return False
        price = _worst_price(context, reduction)
        if price is None:
            return abs(context.inventory_offset) <= reduction.goal
        tradable = self._missing_quantity(context, reduction)
        if context.is_stopping:  # funds that are missing now may come back: a wind-down waits until its deadline
            tradable = _missing_whole(context, reduction)
        return not context.instrument.meets_minimums(price, tradable)

    def next_action(self, context: MarketMakingContext) -> InventoryAction | None:
        """Cancel quotes, then place or move the one reducing order; None while waiting or when done."""
        reduction = context.reduction
        if reduction is None and not context.is_stopping:
            return None
        live = context.orders.live()
        unwanted = [order for order in live if reduction is None or order.purpose is OrderPurpose.QUOTE]
        if any(order.is_staying for order in unwanted):
            return InventoryAction(step=InventoryStep.CANCEL_QUOTES, reason="quotes go before the position is reduced")
        if reduction is None or unwanted:
            return None
        if live:
            return self._move(context, reduction, live)
        if context.orders.count or context.is_wind_down_late or context.now < reduction.retry_at:
            return None
        return self._place(context, reduction)

    def _move(
        self, context: MarketMakingContext, reduction: Reduction, reducing: tuple[OwnOrder, ...]
    ) -> InventoryAction | None:
        """Cancel the reducing order once time is up, its price is no longer wanted, or it is more than is missing."""
        if not all(order.is_staying for order in reducing):  # one without an answer may be taken back, too
            return None
        if context.is_wind_down_late:
            return InventoryAction(step=InventoryStep.CANCEL_ADJUSTMENTS, reason="the wind-down is past its deadline")
        if _is_market_unsound(context):
            return InventoryAction(step=InventoryStep.CANCEL_ADJUSTMENTS, reason="the market is old, halted or unsound")
        if context.now < reduction.retry_at:
            return None
        draft, missing = self._draft(context, reduction)
        has_room = _has_room(context, reducing)
        if draft is None or not all(_may_stay(context, order, draft, missing, has_room=has_room) for order in reducing):
            return InventoryAction(step=InventoryStep.CANCEL_ADJUSTMENTS, reason="another order is wanted now")
        return None

    def _place(self, context: MarketMakingContext, reduction: Reduction) -> InventoryAction | None:
        if _is_market_unsound(context):
            return None
        draft, _ = self._draft(context, reduction)
        if draft is None or (draft.post_only and not _has_room(context, ())):
            return None
        return InventoryAction(step=InventoryStep.PLACE, reason=f"{draft.quantity} to trade", draft=draft)

    def _draft(self, context: MarketMakingContext, reduction: Reduction) -> tuple[OrderDraft | None, Decimal]:
        """The order wanted now, and how much it would be for if the venue took any size.

        There is none where nothing that the venue would take is missing.
        """
        side = _reducing_side(context)
        policy = _policy(context, reduction)
        price = _price(context, side, policy)
        missing = self._missing_quantity(context, reduction)
        instrument = context.instrument
        if price <= 0:
            return None, missing
        if context.is_stopping and policy is not AdjustmentPolicy.PASSIVE:
            one_slice = instrument.floor_quantity(context.settings.wind_down_slice / price / instrument.contract_size)
            missing = min(missing, max(one_slice, instrument.smallest_quantity(price)))
        quantity = instrument.within_maximums(price, missing)
        if not instrument.meets_minimums(price, quantity):
            return None, missing
        is_passive = policy is AdjustmentPolicy.PASSIVE
        draft = OrderDraft(
            side=side,
            price=price,
            quantity=quantity,
            purpose=OrderPurpose.WIND_DOWN if context.is_stopping else OrderPurpose.ADJUSTMENT,
            post_only=is_passive,
            time_in_force=TimeInForce.GOOD_TILL_CANCELLED if is_passive else TimeInForce.IMMEDIATE_OR_CANCEL,
            reduce_only=_closes_contracts(context, side, quantity),
        )
        return draft, missing

    def _missing_quantity(self, context: MarketMakingContext, reduction: Reduction) -> Decimal:
        """Contracts still to trade, floored to the lot and to what the funds allow."""
        price = _worst_price(context, reduction)
        missing = abs(context.inventory_offset) - reduction.goal
        if price is None or missing <= 0:
            return ZERO
        funds = context.purchasing_power(_reducing_side(context), price, besides_live=True)
        instrument = context.instrument
        return instrument.floor_quantity(max(min(missing, funds), ZERO) / instrument.contract_size)


def _missing_whole(context: MarketMakingContext, reduction: Reduction) -> Decimal:
    """Contracts still to trade, floored to the lot, whatever the funds allow."""
    missing = max(abs(context.inventory_offset) - reduction.goal, ZERO)
    return context.instrument.floor_quantity(missing / context.instrument.contract_size)


def _may_stay(
    context: MarketMakingContext, order: OwnOrder, draft: OrderDraft, missing: Decimal, *, has_room: bool
) -> bool:
    """Whether an order stays: no more than is missing, and at the wanted price.

    A passive one may rest near it, or anywhere while the venue has no room for another: none would be in its place.
    The venue's maximum is no measure: one in money changes with each price, and the order has been taken.
    """
    if order.side is not draft.side or order.remaining > missing:
        return False
    return order.price == draft.price or (draft.post_only and (not has_room or _is_near(context, order, draft)))


def _is_near(context: MarketMakingContext, order: OwnOrder, draft: OrderDraft) -> bool:
    """Whether the wanted price moved less than the tolerance of the innermost quote at its narrowest."""
    settings, mid = context.settings, context.mid_price or ZERO
    is_behind = (draft.price - order.price) * draft.side.sign > 0
    share = exact(settings.requote_tolerance_share(0, towards_market=is_behind))
    return abs(order.price - draft.price) <= mid * exact(settings.min_spread_bps) / 2 / BASIS_POINTS * share


def _has_room(context: MarketMakingContext, replaced: tuple[OwnOrder, ...]) -> bool:
    """Whether the venue takes a passive order in place of these, and after it its cancel and an order that takes."""
    rates, now = context.request_rates, context.now
    cancels = rates.cost_of_ending(now, replaced) - rates.cost_of_ending(now, ())
    ending = rates.cost_of_ending(now, ())
    return rates.why_not(now, is_quote=False, ending=ending, points=cancels) is None


def _reducing_side(context: MarketMakingContext) -> Side:
    return Side.ASK if context.inventory_offset > 0 else Side.BID


def _is_market_unsound(context: MarketMakingContext) -> bool:
    return first_hold(UNSOUND_MARKET, context) is not None


def _policy(context: MarketMakingContext, reduction: Reduction) -> AdjustmentPolicy:
    if not context.is_stopping:
        policy = context.settings.adjustment_policy
        if policy is AdjustmentPolicy.LEAST_COST:
            policy = least_cost_policy(context, float(max(abs(context.inventory_offset) - reduction.goal, ZERO)))
    else:
        passive_until = reduction.started_at + nanoseconds(context.settings.wind_down_passive_seconds)
        policy = AdjustmentPolicy.PASSIVE if context.now < passive_until else AdjustmentPolicy.LIMIT
    cannot_take = policy is AdjustmentPolicy.LIMIT and is_beyond_slippage(context)
    return AdjustmentPolicy.PASSIVE if cannot_take else policy


def _worst_price(context: MarketMakingContext, reduction: Reduction) -> Decimal | None:
    """What the policy would trade at; the reference price while nobody quotes there, None before there is one."""
    price = _price(context, _reducing_side(context), _policy(context, reduction))
    return price if price > 0 else context.mid_price


def _price(context: MarketMakingContext, side: Side, policy: AdjustmentPolicy) -> Decimal:
    """The best price of its own side when passive; else the worst price that the policy accepts.

    Neither lies further into a hole than the slippage allows: a market that has just jumped may be back in a second.
    """
    instrument, market, settings = context.instrument, context.market, context.settings
    bound = settings.price_band_bps if policy is AdjustmentPolicy.MARKET else settings.max_slippage_bps
    worst = _anchor(context, side) * (1 + side.sign * exact(bound) / BASIS_POINTS)
    if policy is AdjustmentPolicy.PASSIVE:
        best = market.bid_price if side is Side.BID else market.ask_price
        if best is None:
            return ZERO
        worst = min(best, worst) if side is Side.BID else max(best, worst)
    return instrument.floor_price(worst) if side is Side.BID else instrument.ceil_price(worst)


def _anchor(context: MarketMakingContext, side: Side) -> Decimal:
    """What slippage is measured from: the reference price; while the book lies apart, no worse than the slow one."""
    mid, slow = context.mid_price or ZERO, context.reference.slow_price
    if not context.reference.is_apart or slow is None:
        return mid
    return min(mid, Decimal(str(slow))) if side is Side.BID else max(mid, Decimal(str(slow)))


def _closes_contracts(context: MarketMakingContext, side: Side, quantity: Decimal) -> bool:
    """Whether the order can only bring a contract position closer to zero: then the venue may be told so."""
    instrument, position = context.instrument, context.base_position
    if instrument.kind is not InstrumentKind.LINEAR:
        return False
    return position * side.sign < 0 and instrument.base_quantity(quantity) <= abs(position)

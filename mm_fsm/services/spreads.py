"""What spread services share, and the default one: prices from volatility, the market's spread, inventory, and fills.

Spreads are whole spreads in basis points of the fair price; half lies on each side. A service prices its innermost
quotes; for all of them alike

- what the net markouts of own quotes lack to the minimum edge widens both sides;
- both spreads are clamped to [minimum, maximum], the minimum being at least two maker fees and the minimum edge;
- level i lies at spread * level_spread_multiplier ** i, half of it from the fair price, both sides shifted alike;
- after rounding outwards, no quote reaches the market's other side, and levels lie at least one tick apart.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from decimal import Decimal

from attrs import evolve, frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.signals import Signal
from mm_fsm.books.working_state import Funds
from mm_fsm.chart import settled
from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.decisions import DroppedLevel, Hold, HoldReason, InventoryAssessment, Quote, QuotePlan
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.services import permission
from mm_fsm.services.adverse_selection import judge_adverse_selection
from mm_fsm.services.fair_price import fair_price, fair_price_signals
from mm_fsm.services.ladder import Ladder
from mm_fsm.services.pricing.inputs import Pricing, PricingInputs
from mm_fsm.services.worst_case import with_fees


@frozen(kw_only=True)
class SideSpread:
    """One side's spread in bps, and whether a bound held it."""

    bps: float
    was_clamped: bool


class SharedQuoting(ABC):
    """Holds, staleness, clamps, levels, rounding and funds of every spread service. It keeps nothing between calls."""

    def wanted_signals(self, settings: MarketMakingSettings) -> frozenset[Signal]:
        """Estimates without which this service quotes nothing."""
        return fair_price_signals(settings)

    @abstractmethod
    def price(self, inputs: PricingInputs) -> Pricing:
        """Where the innermost quotes lie, from these inputs alone."""

    @settled()
    def hold_market(self, context: MarketMakingContext) -> Hold | None:
        """Why nobody should be quoted now: the first reason of the market's. Override it for a reason of your own."""
        return permission.first_hold(permission.MARKET, context)

    def hold_side(self, context: MarketMakingContext, inventory: InventoryAssessment, side: Side) -> Hold | None:
        """Why one side alone is not quoted; asked when quotes are priced. Override it for a reason of your own."""
        return permission.side_hold(context, inventory, side)

    @settled("hold_market")
    def are_quotes_stale(self, context: MarketMakingContext) -> bool:
        """Whether age, a move of m, a limit just crossed, the market, or a side without order and hold asks for it."""
        plan, calculated_at = context.plan, context.last_spread_calculation
        if plan is None or calculated_at is None:
            return True
        if context.now >= calculated_at + nanoseconds(context.settings.refresh_interval_seconds):
            return True
        fair = fair_price(context)
        if fair is not None and _has_moved(context, plan, fair):
            return True
        has_quote = False
        for side in SIDES:
            if context.orders.has_quote(side):
                has_quote = True
            elif _is_hold_over(context, plan, side):
                return True
        if has_quote and self.hold_market(context) is not None:
            return True
        return not context.was_near_limit and _is_near_limit(context)

    def price_quotes(self, context: MarketMakingContext) -> QuotePlan:
        """The quotes wanted now.

        Raises:
            ValueError: there is no reference price to quote around.
        """
        fair = fair_price(context)
        if fair is None:
            raise ValueError("mid_price: expected a reference price, found None; quotes need one full two-sided book.")
        inventory = context.assess_inventory()
        verdict = judge_adverse_selection(context)
        cold = permission.first_hold(permission.WARMING_UP, context)
        widest = context.settings.max_spread_bps
        pricing = Pricing(widest, widest, 0.0) if cold else self.price(self.inputs(context))
        usual = _clamp_both(context, pricing, 0.0)
        spreads = _clamp_both(context, pricing, verdict.widening_bps) if verdict.is_widened else usual
        room = widest - min(usual[Side.BID].bps, usual[Side.ASK].bps)
        market_hold = self.hold_market(context) or cold or verdict.hold(context, room)
        quotes: dict[Side, tuple[Quote, ...]] = {}
        dropped: list[DroppedLevel] = []
        holds: dict[Side, Hold | None] = {}
        for side in SIDES:
            holds[side] = market_hold or self.hold_side(context, inventory, side)
            levels = () if holds[side] else self.levels(context, inventory, spreads[side].bps, side, pricing.shift)
            quotes[side], lost = _keep_affordable(context, inventory, levels)
            dropped += lost
            if lost and not quotes[side]:
                holds[side] = lost[0].hold
        narrowest = min(spreads[Side.BID].bps, spreads[Side.ASK].bps)
        return QuotePlan(
            priced_at=context.now,
            reference_price=fair,
            half_spread=fair * Decimal(str(narrowest)) / 20_000,
            inventory_skew=inventory.skew,
            inventory_use=inventory.use,
            bid_spread_bps=spreads[Side.BID].bps,
            ask_spread_bps=spreads[Side.ASK].bps,
            bid_was_clamped=spreads[Side.BID].was_clamped,
            ask_was_clamped=spreads[Side.ASK].was_clamped,
            bids=quotes[Side.BID],
            asks=quotes[Side.ASK],
            bid_hold=holds[Side.BID],
            ask_hold=holds[Side.ASK],
            dropped=tuple(dropped),
            is_widened=verdict.is_widened,
            bid_widening_bps=spreads[Side.BID].bps - usual[Side.BID].bps,
            ask_widening_bps=spreads[Side.ASK].bps - usual[Side.ASK].bps,
        )

    def inputs(self, context: MarketMakingContext) -> PricingInputs:
        """What quotes are priced from now; there must be a reference price."""
        settings, instrument, ends_at = context.settings, context.instrument, context.session_ends_at
        inventory = context.assess_inventory()
        return PricingInputs(
            settings=settings,
            fair_price=float(fair_price(context) or 0),
            position=float(inventory.offset),
            skew=inventory.skew,
            volatility=context.volatility_estimator.per_sqrt_second or 0.0,
            quote_volatility=context.volatility or 0.0,
            market_spread_bps=context.market_spread_bps or 0.0,
            recent_fill_rate=context.recent_fill_rate,
            lot=float(instrument.lot_size * instrument.contract_size),
            time_left=None if ends_at is None else seconds(max(ends_at - context.now, 0)),
            intensity=context.signals.intensity,
        )

    def levels(
        self, context: MarketMakingContext, inventory: InventoryAssessment, spread_bps: float, side: Side, shift: float
    ) -> tuple[Quote, ...]:
        """Every level of one side, innermost first: prices on the grid and passive, sizes floored to the lot."""
        return Ladder(context, inventory, spread_bps, side, shift).quotes()


class DefaultSpreadService(SharedQuoting):
    """Each side from its own spread, both shifted against the position.

    With s = clamp(position / limit, -1, 1) and h ``volatility_horizon_seconds``:

    - target + 1e4 * sigma_h * volatility_multiplier + market_spread_share * market spread
      + fill_rate_widening * recent fill rate;
    - the side that would add to the position widens by 100 * inventory_adjustment_factor * abs(s);
    - both quotes shift by -s * skew_price_factor of the fair price.
    """

    def price(self, inputs: PricingInputs) -> Pricing:
        """See the class's description."""
        settings, skew = inputs.settings, inputs.skew
        spread = (
            settings.target_spread_bps
            + 1e4 * inputs.quote_volatility * settings.volatility_multiplier
            + settings.market_spread_share * inputs.market_spread_bps
            + settings.fill_rate_widening_bps * inputs.recent_fill_rate
        )
        widening = 100 * settings.inventory_adjustment_factor
        return Pricing(
            spread + widening * max(skew, 0.0), spread + widening * max(-skew, 0.0), skew * settings.skew_price_factor
        )


def _clamp_both(context: MarketMakingContext, pricing: Pricing, widening: float) -> dict[Side, SideSpread]:
    settings = context.settings
    lowest = max(settings.min_spread_bps, settings.spread_floor_bps(context.fees))
    return {
        Side.BID: _clamped(pricing.bid_spread_bps + widening, lowest, settings.max_spread_bps),
        Side.ASK: _clamped(pricing.ask_spread_bps + widening, lowest, settings.max_spread_bps),
    }


def _clamped(spread: float, lowest: float, highest: float) -> SideSpread:
    """One side's spread within its bounds.

    Raises:
        ValueError: it is no number.
    """
    if not math.isfinite(spread):
        raise ValueError(f"spread: expected a finite number of bps, found {spread}; check the service's parameters.")
    clamped = min(max(spread, lowest), highest)
    return SideSpread(bps=clamped, was_clamped=clamped != spread)


def _is_hold_over(context: MarketMakingContext, plan: QuotePlan, side: Side) -> bool:
    """Whether nothing holds a side that has no quote, or no longer; an answer may end a hold for own orders."""
    hold = plan.hold(side) or context.sides[side].refusal
    if hold is None or permission.is_answered(context, hold):
        return True
    return permission.is_over(context, hold) if hold.until is None else context.now >= hold.until


def _has_moved(context: MarketMakingContext, plan: QuotePlan, fair: Decimal) -> bool:
    """Whether the fair price moved further than quotes may lag behind, which is a tick at least."""
    move = abs(fair - plan.reference_price)
    if move <= context.instrument.tick_size:  # most of the time, and without a product
        return False
    return move > plan.half_spread * exact(context.settings.stale_move_share)


def _is_near_limit(context: MarketMakingContext) -> bool:
    if context.inventory_offset == 0:
        return False
    return context.assess_inventory().use >= context.settings.inventory_reprice_share


def _keep_affordable(
    context: MarketMakingContext, inventory: InventoryAssessment, levels: tuple[Quote, ...]
) -> tuple[tuple[Quote, ...], list[DroppedLevel]]:
    """Cap sizes, inner levels first, by the venue's maximum, the room below the inventory limit, and the free funds.

    A level below the venue's minimums or beyond the price band is dropped with its reason, not moved to them.
    """
    if not levels:
        return (), []
    instrument, side = context.instrument, levels[0].side
    own_room = (inventory.limit - inventory.offset * side.sign) / with_fees(context, side)
    all_funds = context.funds(side, besides_live=True)
    if _fit_together(context, levels, own_room, all_funds):
        return levels, []
    kept: list[Quote] = []
    dropped: list[DroppedLevel] = []
    used = spent = ZERO
    for quote in levels:
        if not instrument.meets_minimums(quote.price, quote.quantity):
            dropped.append(_dropped(quote, HoldReason.BELOW_MINIMUM, "too small"))
            continue
        if not context.is_within_price_band(quote.price):
            dropped.append(_dropped(quote, HoldReason.RISK, "beyond the price band"))
            continue
        room = own_room - used
        funds = (all_funds.after(spent, used, side) if kept else all_funds).at(quote.price)
        affordable = max(min(room, funds), ZERO) / instrument.contract_size
        quantity = instrument.within_maximums(quote.price, quote.quantity)
        if affordable < quantity:
            quantity = instrument.floor_quantity(affordable)
        if quantity is quote.quantity or instrument.meets_minimums(quote.price, quantity):
            kept.append(quote if quantity is quote.quantity else evolve(quote, quantity=quantity))
            used += instrument.base_quantity(quantity)
            spent += instrument.notional(quote.price, quantity)
        elif funds < room:
            dropped.append(_dropped(quote, HoldReason.FUNDS, "more than is free"))
        else:
            dropped.append(_dropped(quote, HoldReason.INVENTORY_LIMIT, "more than the position limit has room for"))
    return tuple(kept), dropped


def _fit_together(context: MarketMakingContext, levels: tuple[Quote, ...], own_room: Decimal, funds: Funds) -> bool:
    """Whether every level can surely stay as it is, as most of the time: then no level is looked at by itself."""
    instrument, side = context.instrument, levels[0].side
    mid, reach = context.mid_price or ZERO, context.price_reach
    lowest, highest = mid - reach, mid + reach
    dearest = contracts = worth = ZERO
    for quote in levels:
        price, quantity = quote.price, quote.quantity
        if not lowest <= price <= highest or not instrument.meets_minimums(price, quantity):
            return False
        if not instrument.meets_maximums(price, quantity):
            return False
        dearest = max(dearest, price)
        contracts += quantity
        worth += price * quantity
    used, spent = contracts * instrument.contract_size, worth * instrument.contract_size
    return used <= own_room and funds.cover(spent, used, dearest, side)


def _dropped(quote: Quote, reason: HoldReason, why: str) -> DroppedLevel:
    hold = Hold(reason, f"level {quote.level}: {quote.quantity} at {quote.price} is {why}")
    return DroppedLevel(side=quote.side, level=quote.level, hold=hold)

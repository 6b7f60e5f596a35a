"""The default risk service: the last look at every order, and the causes that end trading.

Worst case: every live order of the order's side fills, in-flight and UNKNOWN ones included, and fills the venue spoke
of but has not delivered count too; all of them with their fees.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.chart import settled
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import Fault, FaultCode, OrderDraft, Refusal, RefusalCode
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import ZERO, InstrumentKind
from mm_fsm.core.messages import SIDES, OrderPurpose
from mm_fsm.services.orders import crosses_market
from mm_fsm.services.permission import CLOSED_MARKET, first_refusal
from mm_fsm.services.worst_case import with_fees

Check = Callable[[MarketMakingContext, OrderDraft], Refusal | None]


def check_numbers(context: MarketMakingContext, draft: OrderDraft) -> Refusal | None:
    """Finite, positive, on the grid, and neither too small nor too large for the venue."""
    instrument = context.instrument
    for name, value in (("price", draft.price), ("quantity", draft.quantity)):
        if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
            return Refusal(RefusalCode.NOT_FINITE, f"{name} {value} is not a positive finite decimal")
    if not instrument.is_on_price_grid(draft.price):
        return Refusal(RefusalCode.OFF_GRID, f"price {draft.price} is no multiple of {instrument.tick_size}")
    if not instrument.is_on_quantity_grid(draft.quantity):
        return Refusal(RefusalCode.OFF_GRID, f"quantity {draft.quantity} is no multiple of {instrument.lot_size}")
    if not instrument.meets_minimums(draft.price, draft.quantity):
        return Refusal(RefusalCode.BELOW_MINIMUM, f"{draft.quantity} at {draft.price} is below the venue's minimum")
    if not instrument.meets_maximums(draft.price, draft.quantity):
        return Refusal(RefusalCode.ABOVE_MAXIMUM, f"{draft.quantity} at {draft.price} is above the venue's maximum")
    return None


def check_market(context: MarketMakingContext, draft: OrderDraft) -> Refusal | None:
    """Fresh data, an open market, inside the price band, and a passive order stays passive."""
    closed = first_refusal(CLOSED_MARKET, context)
    if closed is not None:
        return closed
    if not context.is_within_price_band(draft.price):
        bound, mid = context.settings.price_band_bps, context.mid_price
        return Refusal(RefusalCode.PRICE_BAND, f"price {draft.price} is more than {bound:g} bps from {mid}")
    if draft.post_only and crosses_market(context, draft.side, draft.price):
        return Refusal(RefusalCode.CROSSES_MARKET, f"price {draft.price} reaches the market's other side")
    return None


def check_own_orders(context: MarketMakingContext, draft: OrderDraft) -> Refusal | None:
    """No UNKNOWN order on the side, no own order in the way, not too many orders, not too fast."""
    settings, orders = context.settings, context.orders
    if orders.has_unknown(draft.side):
        return Refusal(RefusalCode.UNKNOWN_ORDER, "an order of this side has an unknown outcome")
    for other in orders.live(draft.side.opposite):
        if (draft.price - other.price) * draft.side.sign >= 0:
            return Refusal(RefusalCode.SELF_CROSS, f"own {other.side} at {other.price} is in the way of {draft.price}")
    if orders.count >= settings.max_live_orders:
        return Refusal(RefusalCode.ORDER_COUNT, f"{orders.count} orders are live already")
    rates, is_quote = context.request_rates, draft.purpose is OrderPurpose.QUOTE
    ending = rates.cost_of_ending(context.now, orders.live()) if is_quote else 0.0
    too_fast = rates.why_not(context.now, is_quote=is_quote, ending=ending)
    return None if too_fast is None else Refusal(RefusalCode.ORDER_RATE, too_fast)


def check_exposure(context: MarketMakingContext, draft: OrderDraft) -> Refusal | None:
    """The worst case stays within the position limit, the quote exposure, the funds and the margin."""
    settings, instrument, mid = context.settings, context.instrument, context.mid_price
    if mid is None:
        return Refusal(RefusalCode.NO_MARKET_DATA, "no full two-sided book has arrived")
    added = instrument.base_quantity(draft.quantity)
    offset = context.inventory_offset * draft.side.sign
    trades = instrument.base_quantity(context.orders.exposure(draft.side)) + added
    worst = offset + trades * with_fees(context, draft.side) if offset + trades > 0 else ZERO
    if draft.purpose is OrderPurpose.QUOTE and context.ledger.drawdown >= settings.max_drawdown:
        return Refusal(RefusalCode.DRAWDOWN, "the loss from the best profit is at its limit")
    if context.purchasing_power(draft.side, draft.price) < added:
        return Refusal(RefusalCode.FUNDS, f"{draft.quantity} at {draft.price} is more than is free")
    return _check_limits(context, worst) or _check_margin(context, draft, added)


def _check_limits(context: MarketMakingContext, worst: Decimal) -> Refusal | None:
    equity, mid = context.limit_equity, context.mid_price
    if worst <= 0:
        return None
    if equity is None or mid is None or equity <= 0:
        return Refusal(RefusalCode.EQUITY, f"equity is {equity}: only reducing orders may leave")
    if worst * mid > context.settings.max_quote_exposure:
        return Refusal(RefusalCode.QUOTE_EXPOSURE, f"worst case {worst * mid} in quote currency")
    if worst > context.position_limit:
        return Refusal(RefusalCode.POSITION_LIMIT, f"worst case {worst} of limit {context.position_limit:f}")
    return None


def _check_margin(context: MarketMakingContext, draft: OrderDraft, added: Decimal) -> Refusal | None:
    equity, mid = context.limit_equity, context.mid_price
    if context.instrument.kind is not InstrumentKind.LINEAR or draft.reduce_only:
        return None
    worst = (
        context.base_position * draft.side.sign
        + context.instrument.base_quantity(context.orders.exposure(draft.side))
        + added
    )
    if equity is None or mid is None or worst <= 0:
        return None
    distance = equity / (worst * mid)
    if distance < exact(context.settings.min_liquidation_distance):
        return Refusal(RefusalCode.LIQUIDATION_DISTANCE, f"a move of {distance:.3f} would use up the margin")
    return None


class DefaultRiskService:
    """Runs ``checks`` in order; the first refusal stands. A subclass may extend the tuple."""

    checks: tuple[Check, ...] = (check_numbers, check_market, check_own_orders, check_exposure)

    def review(self, context: MarketMakingContext, draft: OrderDraft) -> Refusal | None:
        """None approves."""
        for check in self.checks:
            refusal = check(context, draft)
            if refusal is not None:
                return refusal
        return None

    def check_cycle(self, context: MarketMakingContext) -> Fault | None:
        """A fault when neither side can afford the smallest order that the venue takes."""
        mid = context.mid_price
        if mid is None or context.orders.count:
            return None
        smallest = context.instrument.smallest_quantity(mid)
        needed = context.instrument.base_quantity(smallest)
        if any(context.purchasing_power(side, mid) >= needed for side in SIDES):
            return None
        reason = f"neither side can afford {smallest} contracts at {mid}"
        return Fault(code=FaultCode.FUNDS, reason=reason, transient=False)

    @settled()
    def halt_cause(self, context: MarketMakingContext) -> Fault | None:
        """The kill switch, equity that is not there, repeated rejections, or data missing for long."""
        settings, ledger = context.settings, context.ledger
        if ledger.drawdown >= settings.max_drawdown:
            reason = f"lost {ledger.drawdown} from the best profit; the limit is {settings.max_drawdown}"
            return Fault(code=FaultCode.KILL_SWITCH, reason=reason, transient=False)
        missing = context.missing_base or context.missing_quote
        if missing and settings.max_missing_equity_share < 1 and _is_equity_missing(context):
            reason = f"the venue's report comes to equity of {context.limit_equity}, the books to {context.equity}"
            return Fault(code=FaultCode.EQUITY, reason=reason, transient=False)
        if context.rejections_in_a_row >= settings.max_rejections_in_a_row:
            reason = f"the venue refused {context.rejections_in_a_row} placements in a row"
            return Fault(code=FaultCode.VENUE, reason=reason, transient=True)
        if _is_data_missing_for_long(context):
            reason = f"no market data for {settings.long_stale_data_seconds:g} s"
            return Fault(code=FaultCode.LONG_STALE_DATA, reason=reason, transient=True)
        return None


def _is_equity_missing(context: MarketMakingContext) -> bool:
    equity, at_hand = context.equity, context.limit_equity
    if equity is None or at_hand is None or equity <= 0:
        return False
    return equity - at_hand > exact(context.settings.max_missing_equity_share) * equity


def _is_data_missing_for_long(context: MarketMakingContext) -> bool:
    """A wind-down waits for data until its own deadline; a market that never began is not missing."""
    confirmed = context.market.confirmed_at
    if confirmed is None or context.is_stopping:
        return False
    return context.now >= confirmed + nanoseconds(context.settings.long_stale_data_seconds)

"""The levels of one side, in whole ticks and lots.

Prices are found with floats where those are certain, and with decimals where they are not: a float is off by less than
``_DOUBT`` of the price, so that only a price within that of a tick's edge needs the exact one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.decisions import InventoryAssessment, Quote
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import Side
from mm_fsm.services.fair_price import fair_price

_DOUBT: Final = 1e-13
"""Share of the whole by which a float here may be off: some ten operations, each off by at most 2 ** -53 of it."""


def certain_floor(approximate: float, whole: float) -> int | None:
    """The largest integer at or below a number that is known to ``_DOUBT`` of ``whole``; None where that is not known.

    ``whole`` is the largest amount, in the number's unit and without its sign, that took part in its calculation.
    """
    doubt = whole * _DOUBT
    lowest = (approximate - doubt) // 1
    return int(lowest) if lowest == (approximate + doubt) // 1 and doubt < 1 else None


class Ladder:
    """One side's quotes around the fair price.

    Args:
        context: market, instrument and settings.
        inventory: its skew shifts sizes.
        spread_bps: of the innermost level, the whole spread.
        side: of the quotes.
        shift: share of the fair price by which every price lies lower.
    """

    def __init__(
        self, context: MarketMakingContext, inventory: InventoryAssessment, spread_bps: float, side: Side, shift: float
    ) -> None:
        settings, instrument = context.settings, context.instrument
        self._settings = settings
        self._instrument = instrument
        self._mid = fair_price(context) or ZERO
        self._side = side
        self._sign = side.sign
        self._spread_bps = spread_bps
        self._shift = shift
        self._size_factor = 1 - self._sign * inventory.skew / 2
        self._mid_in_ticks = float(self._mid) / instrument.float_tick
        self._lots_at_a_tick = settings.float_order_size * self._size_factor / instrument.float_value_step
        self._bound = self._passive_bound(context)

    def quotes(self) -> tuple[Quote, ...]:
        """Every level, innermost first: prices on the grid and passive, sizes floored to the lot."""
        settings, instrument, sign, side = self._settings, self._instrument, self._sign, self._side
        quotes: list[Quote] = []
        nearest = self._bound
        for level in range(settings.num_price_levels):
            spread = self._spread_bps * settings.level_spread_multiplier**level
            signed_ticks = self._wanted_ticks(spread)
            if nearest is not None and signed_ticks > nearest:
                signed_ticks = nearest
            nearest = signed_ticks - 1
            ticks = sign * signed_ticks
            quantity = ZERO  # no bid is left below the lowest price on the grid: the level is dropped as too small
            if ticks > 0:
                quantity = self._wanted_lots(settings.level_size_decay**level, ticks) * instrument.lot_size
            quotes.append(Quote(side=side, level=level, price=ticks * instrument.tick_size, quantity=quantity))
        return tuple(quotes)

    def _wanted_ticks(self, spread: float) -> int:
        """The price of a spread before it meets the market or its neighbour, rounded away from the market.

        In ticks, negative for an ask, so that more is always nearer to the market.
        """
        mid, sign = self._mid_in_ticks, self._sign
        share = 1 - self._shift - sign * spread / 20_000
        ticks = certain_floor(sign * mid * share, mid * (2 + abs(share)))
        return self._exact_ticks(spread) if ticks is None else ticks

    def _exact_ticks(self, spread: float) -> int:
        shifted = self._mid * (1 - Decimal(str(self._shift)))
        price = shifted - self._sign * (self._mid * Decimal(str(spread)) / 20_000)
        return self._sign * self._instrument.ticks(price, up=self._sign < 0)

    def _wanted_lots(self, decay: float, ticks: int) -> int:
        approximate = self._lots_at_a_tick * decay / ticks
        lots = certain_floor(approximate, approximate)
        if lots is None:
            instrument = self._instrument
            size = self._settings.base_order_size * Decimal(str(self._size_factor))
            lots = instrument.lots(size * exact(decay) / instrument.price_of(ticks) / instrument.contract_size)
        return lots

    def _passive_bound(self, context: MarketMakingContext) -> int | None:
        """Ticks of the price one tick from the market's other side, negative for an ask; None without that side."""
        market, sign = context.market, self._sign
        other = market.ask_price if sign > 0 else market.bid_price
        return None if other is None else sign * self._instrument.ticks(other, up=sign > 0) - 1

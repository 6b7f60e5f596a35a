"""The levels of one side, in whole ticks and lots.

Prices are found with floats where those are certain, and with decimals where they are not: a float is off by less than
``_DOUBT`` of the price, so that only a price within that of a tick's edge needs the exact one.
"""

from __future__ import annotations

import math
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

    ``whole`` is the largest amount, in the number's unit, that took part in its calculation.
    """
    doubt = abs(whole) * _DOUBT
    lowest = math.floor(approximate - doubt)
    return lowest if lowest == math.floor(approximate + doubt) and doubt < 1 else None


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
        settings = context.settings
        self._settings = settings
        self._instrument = context.instrument
        self._mid = fair_price(context) or ZERO
        self._side = side
        self._sign = side.sign
        self._spread_bps = spread_bps
        self._shift = shift
        self._size_factor = 1 - self._sign * inventory.skew / 2
        self._mid_in_ticks = float(self._mid) / float(self._instrument.tick_size)
        self._bound = self._passive_bound(context)

    def quotes(self) -> tuple[Quote, ...]:
        """Every level, innermost first: prices on the grid and passive, sizes floored to the lot."""
        instrument, sign = self._instrument, self._sign
        quotes: list[Quote] = []
        ticks: int | None = None
        for level in range(self._settings.num_price_levels):
            candidates = [self._wanted_ticks(level)]
            candidates += [] if self._bound is None else [self._bound]
            candidates += [] if ticks is None else [ticks - sign]
            ticks = min(candidates) if sign > 0 else max(candidates)
            price = instrument.price_of(ticks)
            quantity = ZERO  # no bid is left below the lowest price on the grid: the level is dropped as too small
            if ticks > 0:
                quantity = instrument.quantity_of(self._wanted_lots(level, price))
            quotes.append(Quote(side=self._side, level=level, price=price, quantity=quantity))
        return tuple(quotes)

    def _wanted_ticks(self, level: int) -> int:
        """The level's price before it meets the market or its neighbour, rounded away from the market."""
        spread = self._spread_bps * self._settings.level_spread_multiplier**level
        share = 1 - self._shift - self._sign * spread / 20_000
        approximate = self._mid_in_ticks * share
        ticks = certain_floor(self._sign * approximate, self._mid_in_ticks * (2 + abs(share)))
        if ticks is None:
            ticks = self._exact_ticks(spread)
        return self._sign * ticks

    def _exact_ticks(self, spread: float) -> int:
        shifted = self._mid * (1 - Decimal(str(self._shift)))
        price = shifted - self._sign * (self._mid * Decimal(str(spread)) / 20_000)
        return self._sign * self._instrument.ticks(price, up=self._sign < 0)

    def _wanted_lots(self, level: int, price: Decimal) -> int:
        settings, instrument = self._settings, self._instrument
        decay = settings.level_size_decay**level
        contract = instrument.contract_size
        approximate = float(settings.base_order_size) * self._size_factor * decay / float(price)
        approximate /= float(contract) * float(instrument.lot_size)
        lots = certain_floor(approximate, approximate)
        if lots is None:
            size = settings.base_order_size * Decimal(str(self._size_factor))
            lots = instrument.lots(size * exact(decay) / price / contract)
        return lots

    def _passive_bound(self, context: MarketMakingContext) -> int | None:
        """Ticks of the price one tick from the market's other side; None while nobody quotes there."""
        market = context.market
        other = market.ask_price if self._sign > 0 else market.bid_price
        return None if other is None else self._instrument.ticks(other, up=self._sign > 0) - self._sign

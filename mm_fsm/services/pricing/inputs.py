"""What a spread service prices from, and what it answers: values, no machine."""

from __future__ import annotations

import math

from attrs import frozen

from mm_fsm.books.signals import Intensity
from mm_fsm.core.settings import MarketMakingSettings


@frozen(kw_only=True)
class PricingInputs:
    """One market at one moment. Prices quote per base, positions base units, volatilities deviations of log returns."""

    settings: MarketMakingSettings
    fair_price: float
    position: float
    """Less the target; positive is long."""
    skew: float
    """Position over its limit, -1 to 1."""
    volatility: float
    """Per square-root second, a fraction."""
    quote_volatility: float
    """Over the expected life of a quote, a fraction."""
    market_spread_bps: float
    recent_fill_rate: float
    """Share of the quoted quantity that fills, 0 to 1."""
    lot: float
    """Smallest step of an order's size, base units."""
    time_left: float | None
    """Seconds until the session ends, at least 0; None where it has no end."""
    intensity: Intensity | None = None
    """Of the takers, as estimated; None where no service asks for it, or before it is warm."""

    @property
    def order_size(self) -> float:
        """Base units of the innermost quote before inventory changes it: whole lots, at least one."""
        lots = float(self.settings.base_order_size) / self.fair_price / self.lot
        return max(math.floor(lots * (1 + 1e-12)), 1) * self.lot

    @property
    def absolute_volatility(self) -> float:
        """Deviation of the price per square-root second, quote per base."""
        return self.volatility * self.fair_price


@frozen
class Pricing:
    """Where the innermost quotes lie before clamps and rounding.

    A bid lies at fair price * (1 - shift - bid_spread_bps / 20000), an ask at fair price * (1 - shift + ask_spread_bps
    / 20000): spreads are whole ones, in bps, half of each on its side of the shifted price.
    """

    bid_spread_bps: float
    ask_spread_bps: float
    shift: float
    """Share of the fair price by which both quotes lie lower; positive when long."""

"""Whether an adjustment waits or takes: the expected cost of crossing against the risk of waiting.

Crossing costs half the market's spread, the impact of the size by the square-root law, and what a taker pays in fees
more than a maker. Waiting risks the deviation of the price over ``passive_wait_seconds``. Both are fractions of the
price. An estimate that is not warm decides for waiting.
"""

from __future__ import annotations

import math

from attrs import frozen

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.core.settings import AdjustmentPolicy
from mm_fsm.services.models.impact import SECONDS_PER_DAY, square_root_impact


@frozen(kw_only=True)
class AdjustmentCosts:
    """Fractions of the price."""

    crossing: float
    waiting: float

    @property
    def policy(self) -> AdjustmentPolicy:
        """The cheaper of the two."""
        return AdjustmentPolicy.LIMIT if self.crossing < self.waiting else AdjustmentPolicy.PASSIVE


def adjustment_costs(context: MarketMakingContext, quantity: float) -> AdjustmentCosts | None:
    """Expected costs of trading ``quantity`` base units; None while volume, volatility or spread is not known."""
    settings, estimator = context.settings, context.signals.volume
    volume = None if estimator is None else estimator.per_second
    sigma, spread = context.volatility_estimator.per_sqrt_second, context.market_spread_bps
    if not volume or sigma is None or spread is None:
        return None
    impact = square_root_impact(
        quantity=quantity,
        volatility_per_day=sigma * math.sqrt(SECONDS_PER_DAY),
        volume_per_day=volume * SECONDS_PER_DAY,
        factor=settings.impact_factor,
    )
    fees = float(context.fees.rate(maker=False) - context.fees.rate(maker=True))
    return AdjustmentCosts(
        crossing=spread / 20_000 + impact + fees, waiting=sigma * math.sqrt(settings.passive_wait_seconds)
    )


def least_cost_policy(context: MarketMakingContext, quantity: float) -> AdjustmentPolicy:
    """Passive or limit; passive while the costs are not known."""
    costs = adjustment_costs(context, quantity)
    return AdjustmentPolicy.PASSIVE if costs is None else costs.policy

"""What trading a size moves the market: the square-root law (Almgren et al. 2005; Toth et al. 2011)."""

from __future__ import annotations

import math

from mm_fsm.services.models.distances import require_positive

SECONDS_PER_DAY = 86_400.0


def square_root_impact(
    *, quantity: float, volatility_per_day: float, volume_per_day: float, factor: float = 1.0
) -> float:
    """Expected impact of a trade, as a fraction of the price: Y sigma_day sqrt(Q / V_day).

    Args:
        quantity: base units, at least 0.
        volatility_per_day: deviation of the day's log return, a fraction.
        volume_per_day: traded in the market, base units.
        factor: Y, about 1.

    Raises:
        SettingsError: the volume or the factor is not positive and finite.
    """
    require_positive(volume_per_day=volume_per_day, factor=factor)
    return factor * volatility_per_day * math.sqrt(quantity / volume_per_day)

"""Volatility by name, as settings choose it."""

from __future__ import annotations

from typing import Protocol

from mm_fsm.core.settings import MarketMakingSettings, VolatilityKind
from mm_fsm.estimators.ewma import EwmaVolatility
from mm_fsm.estimators.two_scale import TwoScaleVolatility


class VolatilityEstimator(Protocol):
    """Deviation of the mid's log returns, from the mids observed so far and nothing later."""

    def observe(self, time: int, mid: float) -> None:
        """Take the mid at ``time``, nanoseconds. A time at or before an earlier one is ignored."""
        ...

    @property
    def is_warm(self) -> bool:
        """Whether there are enough returns for an estimate."""
        ...

    @property
    def per_sqrt_second(self) -> float | None:
        """Per square-root second, a fraction; None before it is warm."""
        ...

    def over(self, horizon_seconds: float) -> float | None:
        """Over a horizon of at least 0 seconds, a fraction; None before it is warm."""
        ...

    def snapshot(self) -> tuple[int | float | None, ...]:
        """Everything that later estimates depend on, in a fixed order: for digests."""
        ...


def volatility_estimator(settings: MarketMakingSettings) -> VolatilityEstimator:
    """A new estimator of the kind that settings name.

    Raises:
        SettingsError: a value is out of its range.
    """
    if settings.volatility_kind is VolatilityKind.TWO_SCALE:
        return TwoScaleVolatility(
            half_life_seconds=settings.volatility_half_life_seconds,
            sample_interval_seconds=settings.volatility_sample_seconds,
            scale=settings.volatility_scale,
            minimum_samples=settings.warm_up_samples,
        )
    return EwmaVolatility(
        half_life_seconds=settings.volatility_half_life_seconds,
        sample_interval_seconds=settings.volatility_sample_seconds,
        minimum_samples=settings.warm_up_samples,
    )

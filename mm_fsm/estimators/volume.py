"""How much is traded: base units a second, forgetting the past."""

from __future__ import annotations

import math

from attrs import define, field

from mm_fsm.core.clock import seconds
from mm_fsm.errors import FactRefusedError
from mm_fsm.estimators.decay import decay_time


@define(kw_only=True, eq=False)
class VolumeRateEstimator:
    """Traded quantity over the time it took, both with the same weights, so that a short history has no bias.

    Args:
        half_life_seconds: age at which a trade counts half; infinite for no forgetting.
        minimum_seconds: observed time without which there is no estimate.

    Raises:
        SettingsError: the half-life is not above 0.
    """

    half_life_seconds: float = 1800.0
    minimum_seconds: float = 300.0

    _tau: float = field(init=False)
    _observed_at: int | None = field(init=False, default=None)
    _quantity: float = field(init=False, default=0.0)
    _time: float = field(init=False, default=0.0)
    _observed: float = field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        self._tau = decay_time("volume_half_life_seconds", self.half_life_seconds)

    def observe_time(self, time: int) -> None:
        """Let a time pass, nanoseconds; a time before the latest is ignored."""
        if self._observed_at is None:
            self._observed_at = time
            return
        elapsed = seconds(time - self._observed_at)
        if elapsed <= 0:
            return
        factor = math.exp(-elapsed / self._tau)
        passed = elapsed if math.isinf(self._tau) else self._tau * (1 - factor)
        self._quantity *= factor
        self._time = self._time * factor + passed
        self._observed += elapsed
        self._observed_at = time

    def observe_trade(self, time: int, quantity: float) -> None:
        """Take a trade, base units.

        Raises:
            FactRefusedError: the quantity is not finite or negative.
        """
        if not 0.0 <= quantity < math.inf:
            raise FactRefusedError("MarketTrade", "size", "a finite number of at least 0", quantity)
        self.observe_time(time)
        self._quantity += quantity

    @property
    def is_warm(self) -> bool:
        """Whether enough time was observed."""
        return self._observed >= self.minimum_seconds and self._time > 0

    @property
    def per_second(self) -> float | None:
        """Base units a second; None before it is warm."""
        return self._quantity / self._time if self.is_warm else None

    def snapshot(self) -> tuple[int | float | None, ...]:
        """Everything that later estimates depend on, in a fixed order: for digests."""
        return (self._observed_at, self._quantity, self._time, self._observed)

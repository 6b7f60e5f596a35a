"""Volatility of the mid from irregular ticks: decayed sums of squared log returns over decayed time.

With the decay time tau, a return r over dt seconds changes two sums, and their ratio is the variance per second::

    S <- S exp(-dt / tau) + r^2        W <- W exp(-dt / tau) + dt        sigma = sqrt(S / W)

Quotes of one second carry stale prices and bias sigma down, so the mid is sampled on a grid of times, multiples of the
interval since the epoch. A sample is the mid prevailing at its grid time: the last one observed at or before it.
"""

from __future__ import annotations

import math
from typing import Final

from attrs import define, field

from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.errors import FactRefusedError, SettingsError
from mm_fsm.estimators.decay import Estimate

_LN_2: Final = math.log(2)


@define(kw_only=True, eq=False)
class EwmaVolatility:
    """Deviation of log returns per square-root second, from the mids observed so far and nothing later.

    Grid times that pass without an observation make no samples of their own: a silence longer than the interval is one
    return over the time it took, so a dead feed does not read as a calm market.

    Args:
        half_life_seconds: age at which a squared return counts half; infinite for no forgetting. Tau is this / ln 2.
        sample_interval_seconds: distance between grid times.
        minimum_samples: returns without which there is no estimate.

    Raises:
        SettingsError: a duration is not positive, the interval is not finite or below a nanosecond, or
            ``minimum_samples`` is below 1.
    """

    half_life_seconds: float = 300.0
    sample_interval_seconds: float = 5.0
    minimum_samples: int = 12

    _tau: float = field(init=False)
    _interval: int = field(init=False)
    _observed_at: int = field(init=False, default=-1)
    _mid: float | None = field(init=False, default=None)
    _next_sample: int = field(init=False, default=0)
    _sampled_at: int = field(init=False, default=0)
    _sampled_mid: float | None = field(init=False, default=None)
    _samples: int = field(init=False, default=0)
    _square_sum: float = field(init=False, default=0.0)
    _time_sum: float = field(init=False, default=0.0)

    def __attrs_post_init__(self) -> None:
        remedy = "Correct the value."
        if not self.half_life_seconds > 0:
            raise SettingsError("volatility_half_life_seconds", "seconds above 0", self.half_life_seconds, remedy)
        interval = self.sample_interval_seconds
        if not math.isfinite(interval) or nanoseconds(interval) < 1:
            raise SettingsError("volatility_sample_seconds", "finite seconds, at least 1e-9", interval, remedy)
        if self.minimum_samples < 1:
            raise SettingsError("warm_up_samples", "at least 1", self.minimum_samples, remedy)
        self._tau = self.half_life_seconds / _LN_2
        self._interval = nanoseconds(interval)

    def observe(self, time: int, mid: float) -> None:
        """Take the mid at ``time``, nanoseconds. A time at or before an earlier one is ignored.

        Raises:
            FactRefusedError: ``mid`` is not finite or not positive.
        """
        if not 0.0 < mid < math.inf:
            raise FactRefusedError("MarketBook", "mid", "a positive finite number", mid)
        if time <= self._observed_at:
            return
        if time >= self._next_sample:
            self._pass_grid_times(time, mid)
        self._observed_at = time
        self._mid = mid

    @property
    def is_warm(self) -> bool:
        """Whether there are enough returns for an estimate."""
        return self._samples >= self.minimum_samples

    @property
    def per_sqrt_second(self) -> float | None:
        """Deviation of log returns per square-root second, a fraction; None before it is warm."""
        return math.sqrt(self._square_sum / self._time_sum) if self.is_warm else None

    @property
    def estimate(self) -> Estimate | None:
        """The volatility with its standard error for normal returns; None before it is warm.

        Returns that forget tell as much as 2 tau / interval of them would without.
        """
        sigma = self.per_sqrt_second
        if sigma is None:
            return None
        count = min(float(self._samples), 2 * self._tau * 1e9 / self._interval)
        return Estimate(sigma, sigma / math.sqrt(2 * count))

    def over(self, horizon_seconds: float) -> float | None:
        """Deviation of the log return over a horizon of at least 0 seconds, a fraction; None before it is warm."""
        sigma = self.per_sqrt_second
        return None if sigma is None else sigma * math.sqrt(horizon_seconds)

    def snapshot(self) -> tuple[int | float | None, ...]:
        """Everything that later estimates depend on, in a fixed order: for digests."""
        return (
            self._observed_at,
            self._mid,
            self._next_sample,
            self._sampled_at,
            self._sampled_mid,
            self._samples,
            self._square_sum,
            self._time_sum,
        )

    def _pass_grid_times(self, time: int, mid: float) -> None:
        """Sample the first grid time since the last observation, and ``time`` itself where it lies on the grid."""
        if self._mid is not None and self._next_sample < time:
            self._sample(self._next_sample, self._mid)
        since_grid = time % self._interval
        if not since_grid:
            self._sample(time, mid)
        self._next_sample = time - since_grid + self._interval

    def _sample(self, time: int, mid: float) -> None:
        if self._sampled_mid is not None:
            elapsed = seconds(time - self._sampled_at)
            log_return = math.log(mid / self._sampled_mid)
            decay = math.exp(-elapsed / self._tau)
            self._square_sum = self._square_sum * decay + log_return * log_return
            self._time_sum = self._time_sum * decay + elapsed
            self._samples += 1
        self._sampled_at = time
        self._sampled_mid = mid

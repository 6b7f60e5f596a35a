"""Volatility on two time scales: what the quotes' own noise adds to short returns is told apart and taken out.

A mid is sampled on a grid. With noise that is independent from sample to sample, the square of a return over a time t
has the mean sigma^2 t + 2 omega^2, so the noise cancels from the difference of a long and a short return::

    sigma^2 = (mean long r^2 - mean short r^2) / (mean long t - mean short t)

Long returns overlap: each sample ends one. This is the two-scale estimator of Zhang, Mykland and Ait-Sahalia (2005),
in the form of ratios, so that grid times without an observation and forgetting need no correction. Stale quotes bias
short returns down; they count as negative noise and cancel alike.
"""

from __future__ import annotations

import math
from collections import deque

from attrs import define, field

from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.errors import FactRefusedError, SettingsError
from mm_fsm.estimators.decay import DecayedSums, Estimate, decay_time


@define(kw_only=True, eq=False)
class TwoScaleVolatility:
    """Deviation of log returns per square-root second, free of the noise of single quotes.

    A silence longer than the grid makes one longer return, so a dead feed does not read as a calm market.

    Args:
        half_life_seconds: age at which a squared return counts half; infinite for no forgetting.
        sample_interval_seconds: distance between samples, the short scale.
        scale: the long scale in samples, at least 2.
        minimum_samples: long returns without which there is no estimate.

    Raises:
        SettingsError: a value is out of its range.
    """

    half_life_seconds: float = 300.0
    sample_interval_seconds: float = 1.0
    scale: int = 10
    minimum_samples: int = 60

    _interval: int = field(init=False)
    _observed_at: int = field(init=False, default=-1)
    _mid: float | None = field(init=False, default=None)
    _next_sample: int = field(init=False, default=0)
    _samples: deque[tuple[int, float]] = field(init=False)
    _long_returns: int = field(init=False, default=0)
    _short: DecayedSums = field(init=False)
    _long: DecayedSums = field(init=False)

    def __attrs_post_init__(self) -> None:
        remedy = "Correct the value."
        tau = decay_time("volatility_half_life_seconds", self.half_life_seconds)
        interval = self.sample_interval_seconds
        if not math.isfinite(interval) or nanoseconds(interval) < 1:
            raise SettingsError("volatility_sample_seconds", "finite seconds, at least 1e-9", interval, remedy)
        if self.scale < 2:  # noqa: PLR2004 - one sample is the short scale itself
            raise SettingsError("volatility_scale", "a whole number of at least 2", self.scale, remedy)
        if self.minimum_samples < 1:
            raise SettingsError("warm_up_samples", "at least 1", self.minimum_samples, remedy)
        self._interval = nanoseconds(interval)
        self._samples = deque(maxlen=self.scale + 1)
        self._short = DecayedSums(tau, ("square", "time"))
        self._long = DecayedSums(tau, ("square", "time"))

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
            if self._mid is not None and self._next_sample < time:
                self._sample(self._next_sample, math.log(self._mid))
            since_grid = time % self._interval
            if not since_grid:
                self._sample(time, math.log(mid))
            self._next_sample = time - since_grid + self._interval
        self._observed_at = time
        self._mid = mid

    @property
    def is_warm(self) -> bool:
        """Whether there are enough long returns for an estimate."""
        return self._long_returns >= self.minimum_samples

    @property
    def per_sqrt_second(self) -> float | None:
        """Deviation of log returns per square-root second, a fraction; None before it is warm."""
        if not self.is_warm:
            return None
        short_square, short_time = (value / self._short.weight for value in self._short.values)
        long_square, long_time = (value / self._long.weight for value in self._long.values)
        difference = long_square - short_square
        if difference <= 0 or long_time <= short_time:  # noise hides it: the long returns with their noise bound it
            return math.sqrt(long_square / long_time)
        return math.sqrt(difference / (long_time - short_time))

    def over(self, horizon_seconds: float) -> float | None:
        """Deviation of the log return over a horizon of at least 0 seconds, a fraction; None before it is warm."""
        sigma = self.per_sqrt_second
        return None if sigma is None else sigma * math.sqrt(horizon_seconds)

    @property
    def estimate(self) -> Estimate | None:
        """The volatility with its standard error; None before it is warm.

        Long returns that overlap by all but one sample tell as much as 3 / (2 scale) of their number would apart.
        """
        sigma = self.per_sqrt_second
        if sigma is None:
            return None
        independent = max(self._long.effective_count * 1.5 / self.scale, 1.0)
        return Estimate(sigma, sigma / math.sqrt(2 * independent))

    def snapshot(self) -> tuple[int | float | None, ...]:
        """Everything that later estimates depend on, in a fixed order: for digests."""
        samples = [value for sample in self._samples for value in sample]
        state = (self._observed_at, self._mid, self._next_sample, self._long_returns)
        return (*state, *samples, *self._short.snapshot(), *self._long.snapshot())

    def _sample(self, time: int, log_mid: float) -> None:
        if self._samples:
            before, log_before = self._samples[-1]
            self._short.add(time, (log_mid - log_before) ** 2, seconds(time - before))
        self._samples.append((time, log_mid))
        if len(self._samples) > self.scale:
            first, log_first = self._samples[0]
            self._long.add(time, (log_mid - log_first) ** 2, seconds(time - first))
            self._long_returns += 1

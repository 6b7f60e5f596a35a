"""How often takers reach a depth: lambda(d) = A exp(-k d), one side at a time.

A trade reaches depth d when its price lies at least d beyond the mid that stood before it. With such rates the depth
beyond the shallowest one observed is exponential, so that k and A have maximum-likelihood estimates in closed form from
three sums: how many trades reached the shallowest depth, how many went past the deepest, where they are cut off, and by
how much in sum they passed the shallowest::

    k = (reached - cut off) / excess        A = reached / time * exp(k * shallowest)

with the standard errors k / sqrt(reached - cut off) and, of ln A, sqrt(1 / reached + (shallowest * error of k)^2).
R^2 is that of the straight line through ln lambda over a grid of depths, the usual picture of the fit.
"""

from __future__ import annotations

import math
from typing import Final

from attrs import define, field, frozen

from mm_fsm.core.clock import seconds
from mm_fsm.errors import FactRefusedError, SettingsError
from mm_fsm.estimators.decay import DecayedSums, Estimate, decay_time

_GRID: Final = 8
"""Depths at which ln lambda is held against the line."""


@frozen(kw_only=True)
class IntensityFit:
    """Takers of one side. Depths in bps of the mid before the trade."""

    rate_per_second: Estimate
    """A: trades a second that would reach depth 0."""
    decay_per_bps: Estimate
    """k: the rate falls by 1/e each 1 / k bps."""
    r_squared: float
    """Of the line through ln lambda; 1 is a perfect exponential. NaN with fewer than three depths reached."""

    def rate_at(self, depth_bps: float) -> float:
        """Trades a second that reach a depth."""
        return self.rate_per_second.value * math.exp(-self.decay_per_bps.value * depth_bps)

    def fill_probability(self, depth_bps: float, horizon_seconds: float) -> float:
        """Chance that some taker reaches a depth within a time: 1 - exp(-A tau exp(-k d))."""
        return -math.expm1(-self.rate_at(depth_bps) * horizon_seconds)


@define(kw_only=True, eq=False)
class IntensityEstimator:
    """A and k of the takers of one side.

    Args:
        half_life_seconds: age at which a trade counts half; infinite for no forgetting.
        shallowest_bps: trades that reach less deep are not used: inside the market's spread lambda is no exponential.
        deepest_bps: where depths are cut off.
        minimum_trades: trades that reached the shallowest depth, without which there is no estimate.

    Raises:
        SettingsError: a value is out of its range.
    """

    half_life_seconds: float = 1800.0
    shallowest_bps: float = 0.0
    deepest_bps: float = 50.0
    minimum_trades: int = 50

    _started_at: int | None = field(init=False, default=None)
    _observed_at: int = field(init=False, default=0)
    _tau: float = field(init=False)
    _time: float = field(init=False, default=0.0)
    _trades: int = field(init=False, default=0)
    _sums: DecayedSums = field(init=False)
    _grid: tuple[float, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tau = decay_time("intensity_half_life_seconds", self.half_life_seconds)
        if not 0 <= self.shallowest_bps < self.deepest_bps < math.inf:
            expected = f"finite and above shallowest_bps ({self.shallowest_bps:g})"
            raise SettingsError("deepest_bps", expected, self.deepest_bps, "Depths begin at 0 or more.")
        if self.minimum_trades < 3:  # noqa: PLR2004 - two parameters and an error
            raise SettingsError("minimum_trades", "at least 3", self.minimum_trades, "Correct the value.")
        step = (self.deepest_bps - self.shallowest_bps) / _GRID
        self._grid = tuple(self.shallowest_bps + step * index for index in range(_GRID))
        names = ("cut_off", "excess", *(f"reached {depth:g}" for depth in self._grid))
        self._sums = DecayedSums(self._tau, names)

    def observe_time(self, time: int) -> None:
        """Let a time pass in which no trade came, nanoseconds; a time before the latest is ignored."""
        if self._started_at is None:
            self._started_at = self._observed_at = time
            return
        elapsed = seconds(time - self._observed_at)
        if elapsed <= 0:
            return
        factor = math.exp(-elapsed / self._tau)
        passed = elapsed if math.isinf(self._tau) else self._tau * (1 - factor)
        self._time = self._time * factor + passed
        self._observed_at = time
        self._sums.advance(time)

    def observe_trade(self, time: int, depth_bps: float) -> None:
        """Take a trade of this side at ``time``; ``depth_bps`` from the mid before it, negative inside the spread.

        Raises:
            FactRefusedError: the depth is not finite.
        """
        if not math.isfinite(depth_bps):
            raise FactRefusedError("MarketTrade", "price", "a finite distance from the mid", depth_bps)
        self.observe_time(time)
        if depth_bps < self.shallowest_bps:
            return
        self._trades += 1
        excess = min(depth_bps, self.deepest_bps) - self.shallowest_bps
        reached = (float(depth_bps >= depth) for depth in self._grid)
        self._sums.add(time, float(depth_bps >= self.deepest_bps), excess, *reached)

    @property
    def is_warm(self) -> bool:
        """Whether enough trades came, not all of one depth, for an estimate."""
        ends_seen = self._sums.weight - self._sums["cut_off"]
        return self._trades >= self.minimum_trades and self._sums["excess"] > 0 and ends_seen > 0 and self._time > 0

    @property
    def fit(self) -> IntensityFit | None:
        """A, k and R^2; None before it is warm."""
        if not self.is_warm:
            return None
        reached, share = self._sums.weight, self._sums.effective_count / self._sums.weight
        ends_seen = reached - self._sums["cut_off"]
        k = ends_seen / self._sums["excess"]
        k_error = k / math.sqrt(ends_seen * share)
        a = reached / self._time * math.exp(k * self.shallowest_bps)
        log_error = math.hypot(1 / math.sqrt(reached * share), self.shallowest_bps * k_error)
        return IntensityFit(
            rate_per_second=Estimate(a, a * log_error), decay_per_bps=Estimate(k, k_error), r_squared=self._r_squared()
        )

    def snapshot(self) -> tuple[int | float | None, ...]:
        """Everything that later estimates depend on, in a fixed order: for digests."""
        return (self._started_at, self._observed_at, self._time, self._trades, *self._sums.snapshot())

    def _r_squared(self) -> float:
        reached = zip(self._grid, self._sums.values[2:], strict=True)
        points = [(depth, math.log(count)) for depth, count in reached if count > 0]
        if len(points) < 3:  # noqa: PLR2004 - a line fits two points always
            return math.nan
        mean_depth, mean_log = (math.fsum(values) / len(points) for values in zip(*points, strict=True))
        across = math.fsum((depth - mean_depth) * (log - mean_log) for depth, log in points)
        of_depth = math.fsum((depth - mean_depth) ** 2 for depth, _ in points)
        of_log = math.fsum((log - mean_log) ** 2 for _, log in points)
        return across**2 / (of_depth * of_log) if of_log > 0 else math.nan

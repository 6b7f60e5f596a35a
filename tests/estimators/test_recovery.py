"""Estimators find the parameters of simulated data: their 95 % intervals cover the truth about that often.

Of 60 seeds, an interval of 95 % misses more than 8 with a chance of 0.2 %, by the binomial distribution.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from mm_fsm.estimators.decay import Estimate
from mm_fsm.estimators.intensity import IntensityEstimator
from mm_fsm.estimators.order_flow import FillRateEstimator, KyleLambdaEstimator
from mm_fsm.estimators.two_scale import TwoScaleVolatility

SECOND = 1_000_000_000
SEEDS = range(60)
MOST_MISSES = 8


def misses(truth: float, estimate: Callable[[random.Random], Estimate]) -> int:
    """How many seeds' intervals leave the truth out."""
    found = [estimate(random.Random(seed)).interval for seed in SEEDS]
    return sum(not low <= truth <= high for low, high in found)


def intensity(generator: random.Random, *, a: float, k: float, shallowest: float = 0.0) -> IntensityEstimator:
    """Poisson takers whose depth is exponential: lambda(d) = a exp(-k d)."""
    estimator = IntensityEstimator(half_life_seconds=math.inf, shallowest_bps=shallowest, deepest_bps=15.0)
    time = 0.0
    estimator.observe_time(0)
    while time < 2_000:
        time += generator.expovariate(a)
        estimator.observe_trade(int(time * SECOND), generator.expovariate(k))
    return estimator


@pytest.mark.parametrize("shallowest", [0.0, 3.0])
def test_intensity_is_recovered(shallowest: float) -> None:
    def fit(generator: random.Random) -> IntensityEstimator:
        return intensity(generator, a=0.5, k=0.25, shallowest=shallowest)

    def rate(generator: random.Random) -> Estimate:
        found = fit(generator).fit
        assert found is not None
        assert found.r_squared > 0.9
        return found.rate_per_second

    def decay(generator: random.Random) -> Estimate:
        found = fit(generator).fit
        assert found is not None
        return found.decay_per_bps

    assert misses(0.5, rate) <= MOST_MISSES
    assert misses(0.25, decay) <= MOST_MISSES


def test_rates_and_fill_probabilities_follow_from_the_fit() -> None:
    estimator = IntensityEstimator(half_life_seconds=math.inf, deepest_bps=100.0, minimum_trades=4)
    estimator.observe_time(0)
    for second in range(1, 5):
        estimator.observe_trade(second * SECOND, 2.0 * second)  # mean depth 5, one trade a second
    fit = estimator.fit
    assert fit is not None
    assert fit.decay_per_bps.value == pytest.approx(1 / 5)
    assert fit.rate_per_second.value == pytest.approx(1.0)
    assert fit.rate_at(5.0) == pytest.approx(math.exp(-1))
    assert fit.fill_probability(0.0, 2.0) == pytest.approx(1 - math.exp(-2))


def test_trades_past_the_deepest_depth_are_cut_off_there() -> None:
    estimator = IntensityEstimator(half_life_seconds=math.inf, deepest_bps=10.0, minimum_trades=4)
    estimator.observe_time(0)
    for second, depth in enumerate((2.0, 4.0, 10.0, 5_000.0), start=1):
        estimator.observe_trade(second * SECOND, depth)
    fit = estimator.fit
    assert fit is not None
    assert fit.decay_per_bps.value == pytest.approx(2 / 26)  # two ends seen over 2 + 4 + 10 + 10 bps


@pytest.mark.parametrize("half_life", [100.0, 900.0])
def test_a_rate_that_changed_is_followed(half_life: float) -> None:
    generator, time = random.Random(5), 0.0
    estimator = IntensityEstimator(half_life_seconds=half_life, deepest_bps=30.0)
    estimator.observe_time(0)
    for rate, until in ((0.1, 20_000.0), (2.0, 20_000.0 + 8 * half_life)):
        while time < until:
            time += generator.expovariate(rate)
            estimator.observe_trade(int(time * SECOND), generator.expovariate(0.2))
    fit = estimator.fit
    assert fit is not None
    assert fit.rate_per_second.value == pytest.approx(2.0, rel=0.35)


def test_takers_in_bursts_or_evenly_count_by_time_and_not_by_trade() -> None:
    even = IntensityEstimator(half_life_seconds=math.inf, deepest_bps=30.0)
    bursts = IntensityEstimator(half_life_seconds=math.inf, deepest_bps=30.0)
    for estimator in (even, bursts):
        estimator.observe_time(0)
    for index in range(200):
        even.observe_trade((index + 1) * 5 * SECOND, 1.0 + index % 7)
        bursts.observe_trade((index // 10 + 1) * 50 * SECOND, 1.0 + index % 7)
    assert even.fit is not None
    assert bursts.fit is not None
    assert bursts.fit.rate_per_second.value == pytest.approx(even.fit.rate_per_second.value)


def noisy_volatility(generator: random.Random, noise: float) -> TwoScaleVolatility:
    """A random walk of 2 bps a root second, seen through quotes with their own noise, at irregular times."""
    estimator = TwoScaleVolatility(half_life_seconds=math.inf, sample_interval_seconds=1.0, scale=20)
    log_price, time = math.log(2_000.0), 0.0
    while time < 3_000:
        elapsed = generator.expovariate(2.0)
        time += elapsed
        log_price += generator.gauss(0.0, 2e-4 * math.sqrt(elapsed))
        estimator.observe(int(time * SECOND), math.exp(log_price + generator.gauss(0.0, noise)))
    return estimator


@pytest.mark.parametrize("noise", [0.0, 2e-4])
def test_two_scales_recover_volatility_in_spite_of_noise(noise: float) -> None:
    def volatility(generator: random.Random) -> Estimate:
        found = noisy_volatility(generator, noise).estimate
        assert found is not None
        return found

    assert misses(2e-4, volatility) <= MOST_MISSES


def test_noise_alone_would_have_doubled_it() -> None:
    """What the test above is worth: one scale alone reads sigma^2 + 2 omega^2 = 3 times the variance."""
    estimator = noisy_volatility(random.Random(1), 2e-4)
    short = estimator._short
    assert math.sqrt(short["square"] / short["time"]) > 1.6 * 2e-4


def kyle(generator: random.Random) -> Estimate:
    """Moves of 0.02 for each unit of net volume, with noise of their own."""
    estimator = KyleLambdaEstimator(half_life_seconds=math.inf, interval_seconds=10.0)
    mid = 2_000.0
    for interval in range(400):
        start = interval * 10 * SECOND
        for trade in range(3):
            volume = generator.gauss(0.0, 2.0)
            estimator.observe_trade(start + (trade + 1) * SECOND, volume)
            mid += 0.02 * volume
        mid += generator.gauss(0.0, 0.1)
        estimator.observe_mid(start + 9 * SECOND, mid)
    found = estimator.estimate
    assert found is not None
    return found


def test_kyles_lambda_is_recovered() -> None:
    assert misses(0.02, kyle) <= MOST_MISSES


def fill_rate(generator: random.Random) -> Estimate:
    estimator = FillRateEstimator(half_life_seconds=math.inf)
    for order in range(200):
        estimator.observe(order * SECOND, float(generator.random() < 0.05))
    found = estimator.estimate
    assert found is not None
    return found


def test_fill_rate_is_recovered() -> None:
    assert misses(0.05, fill_rate) <= MOST_MISSES

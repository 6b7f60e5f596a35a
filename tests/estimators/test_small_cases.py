"""Small cases by hand, what is refused, and what must hold whatever the times."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.errors import FactRefusedError, SettingsError
from mm_fsm.estimators.decay import DecayedSums, Estimate
from mm_fsm.estimators.intensity import IntensityEstimator
from mm_fsm.estimators.order_flow import FillRateEstimator, ImbalanceEstimator, KyleLambdaEstimator, imbalance
from mm_fsm.estimators.two_scale import TwoScaleVolatility

SECOND = 1_000_000_000


def test_a_sum_halves_in_a_half_life() -> None:
    sums = DecayedSums(10 / math.log(2), ("amount",))
    sums.add(0, 8.0)
    sums.add(10 * SECOND, 1.0)
    assert sums["amount"] == pytest.approx(5.0)
    assert sums.weight == pytest.approx(1.5)
    assert sums.effective_count == pytest.approx(1.5**2 / 1.25)


@given(cuts=st.lists(st.integers(1, 99), max_size=6))
def test_looking_in_between_changes_no_sum(cuts: list[int]) -> None:
    watched, unwatched = (DecayedSums(7.0, ("amount",)) for _ in range(2))
    for sums in (watched, unwatched):
        sums.add(0, 3.0)
    for cut in sorted(cuts):
        watched.advance(cut * SECOND)
    for sums in (watched, unwatched):
        sums.add(100 * SECOND, 1.0)
    assert watched.values == pytest.approx(unwatched.values)
    assert watched.squared_weight == pytest.approx(unwatched.squared_weight)


def test_an_addition_from_the_past_counts_as_at_the_latest_time() -> None:
    sums = DecayedSums(5.0, ("amount",))
    sums.add(10 * SECOND, 1.0)
    sums.add(3 * SECOND, 1.0)
    assert (sums.time, sums.values) == (10 * SECOND, [2.0])


def test_an_interval_reaches_two_standard_errors_to_either_side() -> None:
    assert Estimate(10.0, 1.0).interval == pytest.approx((8.040036, 11.959964))


def test_imbalance_is_the_bids_share() -> None:
    assert imbalance(3.0, 1.0) == 0.75
    assert imbalance(0.0, 1.0) == 0.0


@pytest.mark.parametrize("sizes", [(0.0, 0.0), (-1.0, 2.0), (math.nan, 1.0), (math.inf, 1.0)])
def test_sizes_without_sense_are_refused(sizes: tuple[float, float]) -> None:
    with pytest.raises(FactRefusedError, match="size"):
        imbalance(*sizes)


def test_imbalance_is_averaged_over_time_and_not_over_books() -> None:
    estimator = ImbalanceEstimator(half_life_seconds=math.inf, minimum_seconds=4.0)
    estimator.observe(0, 1.0, 1.0)  # 0.5 for 3 s
    estimator.observe(3 * SECOND, 9.0, 1.0)  # 0.9 for 1 s
    assert not estimator.is_warm
    estimator.observe(4 * SECOND, 1.0, 9.0)
    assert estimator.is_warm
    assert estimator.average == pytest.approx((0.5 * 3 + 0.9 * 1) / 4)
    assert estimator.latest == pytest.approx(0.1)


def test_kyle_by_hand() -> None:
    # moves 1, -1, 2 for volumes 2, -2, 4: a slope of one half, without error
    estimator = KyleLambdaEstimator(half_life_seconds=math.inf, interval_seconds=10.0, minimum_intervals=3)
    mid = 100.0
    estimator.observe_mid(0, mid)
    for index, volume in enumerate((2.0, -2.0, 4.0)):
        mid += volume / 2
        estimator.observe_trade((index * 10 + 4) * SECOND, volume)
        estimator.observe_mid((index * 10 + 5) * SECOND, mid)
    assert estimator.estimate is None
    estimator.observe_mid(30 * SECOND, mid)
    found = estimator.estimate
    assert found is not None
    assert found.value == pytest.approx(0.5)
    assert found.standard_error == pytest.approx(0.0, abs=1e-6)


def test_two_scales_by_hand() -> None:
    # log mids 0, 1, 0, 1, 2 (in 1 %): short squares 1, 1, 1, 1; long squares over two: 0, 0, 4
    estimator = TwoScaleVolatility(half_life_seconds=math.inf, sample_interval_seconds=1.0, scale=2, minimum_samples=3)
    for second, step in enumerate((0, 1, 0, 1, 2)):
        estimator.observe(second * SECOND, math.exp(step / 100))
    # sigma^2 = (4/3 - 1) / (2 - 1) in (1 %)^2 a second
    assert estimator.per_sqrt_second == pytest.approx(0.01 * math.sqrt(1 / 3))
    assert estimator.over(4.0) == pytest.approx(0.02 * math.sqrt(1 / 3))


def test_where_noise_hides_volatility_the_long_returns_bound_it() -> None:
    # 0, 1, 0, 1, 0, ...: every long return is 0, so the difference is negative and the bound is 0
    estimator = TwoScaleVolatility(half_life_seconds=math.inf, sample_interval_seconds=1.0, scale=3, minimum_samples=3)
    for second in range(12):
        estimator.observe(second * SECOND, math.exp(second % 2 / 100))
    # long returns over three samples are +-1 again: 1 / 3 of the variance a second, short ones 1
    assert estimator.per_sqrt_second == pytest.approx(0.01 * math.sqrt(1 / 3))


@pytest.mark.parametrize("mid", [0.0, -1.0, math.nan, math.inf])
def test_a_mid_without_sense_is_refused(mid: float) -> None:
    for estimator in (TwoScaleVolatility(), KyleLambdaEstimator()):
        observe = estimator.observe if isinstance(estimator, TwoScaleVolatility) else estimator.observe_mid
        before = estimator.snapshot()
        with pytest.raises(FactRefusedError, match="mid"):
            observe(SECOND, mid)
        assert estimator.snapshot() == before


def test_nothing_is_warm_at_first() -> None:
    for estimator in (TwoScaleVolatility(), KyleLambdaEstimator(), FillRateEstimator()):
        assert not estimator.is_warm
        assert estimator.estimate is None
    assert IntensityEstimator().fit is None
    assert ImbalanceEstimator().average is None


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(FactRefusedError, match="share"):
        FillRateEstimator().observe(0, share)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: TwoScaleVolatility(half_life_seconds=0.0), "volatility_half_life_seconds"),
        (lambda: TwoScaleVolatility(sample_interval_seconds=math.inf), "volatility_sample_seconds"),
        (lambda: TwoScaleVolatility(scale=1), "volatility_scale"),
        (lambda: IntensityEstimator(half_life_seconds=-1.0), "intensity_half_life_seconds"),
        (lambda: IntensityEstimator(shallowest_bps=5.0, deepest_bps=5.0), "deepest_bps"),
        (lambda: IntensityEstimator(minimum_trades=2), "minimum_trades"),
        (lambda: KyleLambdaEstimator(interval_seconds=0.0), "kyle_interval_seconds"),
        (lambda: KyleLambdaEstimator(minimum_intervals=2), "minimum_intervals"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(make: object, field: str) -> None:
    with pytest.raises(SettingsError) as refused:
        make()  # type: ignore[operator]
    assert refused.value.field == field

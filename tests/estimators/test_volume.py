"""Volume over time: exact about irregular times, warm after enough of them."""

from __future__ import annotations

import math

import pytest

from mm_fsm.errors import FactRefusedError, SettingsError
from mm_fsm.estimators.volume import VolumeRateEstimator

SECOND = 1_000_000_000


def test_without_forgetting_it_is_the_quotient() -> None:
    """2 + 3 + 5 in 100 s."""
    estimator = VolumeRateEstimator(half_life_seconds=math.inf, minimum_seconds=100)
    estimator.observe_time(0)
    for second, quantity in ((1, 2.0), (70, 3.0), (99, 5.0)):
        estimator.observe_trade(second * SECOND, quantity)
    assert estimator.per_second is None
    estimator.observe_time(100 * SECOND)
    assert estimator.per_second == pytest.approx(0.1)


def test_what_is_one_half_life_old_counts_half() -> None:
    """8 at the start, half a life later 4 of it are left, over tau (1 - 1/2) with tau = 10 / ln 2."""
    estimator = VolumeRateEstimator(half_life_seconds=10, minimum_seconds=1)
    estimator.observe_trade(0, 8.0)
    estimator.observe_time(10 * SECOND)
    assert estimator.per_second == pytest.approx(4 / (10 / math.log(2) / 2))


def test_a_step_back_in_time_changes_nothing() -> None:
    estimator = VolumeRateEstimator(minimum_seconds=1)
    estimator.observe_time(5 * SECOND)
    before = estimator.snapshot()
    estimator.observe_time(3 * SECOND)
    assert estimator.snapshot() == before


@pytest.mark.parametrize("quantity", [-1.0, math.inf, math.nan])
def test_impossible_quantities_are_refused(quantity: float) -> None:
    with pytest.raises(FactRefusedError):
        VolumeRateEstimator().observe_trade(0, quantity)


def test_an_impossible_half_life_is_refused() -> None:
    with pytest.raises(SettingsError):
        VolumeRateEstimator(half_life_seconds=0)

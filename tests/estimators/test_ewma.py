"""The volatility estimator against hand calculations, a known process, and what was measured on a recorded day."""

from __future__ import annotations

import csv
import gzip
import math
import random
from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.errors import FactRefusedError, SettingsError
from mm_fsm.estimators.ewma import EwmaVolatility

SECOND = 1_000_000_000
STEPS = st.lists(st.tuples(st.integers(1, 20 * SECOND), st.floats(50.0, 200.0)), min_size=2, max_size=40)


@pytest.fixture(scope="module")
def recorded_quotes(recorded_data: Callable[[str], Path]) -> list[tuple[int, float]]:
    """Nanoseconds and mid of every quote of the recorded day."""
    path = recorded_data("gemini_ethusd") / "gemini_quotes_2021-07-01_ETHUSD.csv.gz"
    with gzip.open(path, "rt", newline="") as lines:
        return [
            (int(row["timestamp"]) * 1_000, (float(row["bid_price"]) + float(row["ask_price"])) / 2)
            for row in csv.DictReader(lines)
        ]


def _estimator(half_life: float = math.inf, interval: float = 5.0, minimum: int = 1) -> EwmaVolatility:
    return EwmaVolatility(half_life_seconds=half_life, sample_interval_seconds=interval, minimum_samples=minimum)


def _estimate(estimator: EwmaVolatility) -> float:
    sigma = estimator.per_sqrt_second
    assert sigma is not None
    return sigma


def test_two_returns_by_hand_without_forgetting() -> None:
    # Log returns 0.001 and -0.002 over 5 s each: sqrt((1e-6 + 4e-6) / 10) = sqrt(5e-7).
    estimator = _estimator()
    for second, log_price in ((0, 0.0), (5, 0.001), (10, -0.001)):
        estimator.observe(second * SECOND, 100.0 * math.exp(log_price))
    assert _estimate(estimator) == pytest.approx(math.sqrt(5e-7), rel=1e-9)
    assert estimator.over(20.0) == pytest.approx(math.sqrt(1e-5), rel=1e-9)


def test_a_half_life_of_one_interval_halves_the_older_return_and_its_time() -> None:
    # S = 1e-6 / 2 + 4e-6 = 4.5e-6 and W = 5 / 2 + 5 = 7.5, so the variance is 6e-7 per second.
    estimator = _estimator(half_life=5.0)
    for second, log_price in ((0, 0.0), (5, 0.001), (10, -0.001)):
        estimator.observe(second * SECOND, 100.0 * math.exp(log_price))
    assert _estimate(estimator) == pytest.approx(math.sqrt(6e-7), rel=1e-9)


def test_quotes_inside_an_interval_are_skipped_but_the_last_of_them_prevails_at_the_grid_time() -> None:
    # At 5 s the mid of 4.9 s prevails: one return ln(101 / 100) over 5 s. The mid of 5.1 s is not sampled yet.
    estimator = _estimator()
    for milliseconds, mid in ((0, 100.0), (1_000, 250.0), (4_900, 101.0), (5_100, 70.0)):
        estimator.observe(milliseconds * 1_000_000, mid)
    assert _estimate(estimator) == pytest.approx(math.log(1.01) / math.sqrt(5), rel=1e-12)


def test_a_silence_is_one_return_over_the_time_it_took() -> None:
    # Sampled at 0 s, then silence from 2 s to 63 s. The mid of 2 s prevails at 5 s: no move over 5 s.
    # The mid of 63 s prevails at 65 s: ln(1.1) over 60 s. In all ln(1.1)^2 over 65 s.
    estimator = _estimator()
    for second, mid in ((0, 100.0), (2, 100.0), (63, 110.0), (66, 110.0)):
        estimator.observe(second * SECOND, mid)
    assert _estimate(estimator) == pytest.approx(math.log(1.1) / math.sqrt(65), rel=1e-12)


def test_a_jump_after_a_silence_is_spread_over_it_whatever_the_half_life() -> None:
    # Half-life 6 s: S = ln(1.1)^2 and W = 5 * 2^(-60/6) + 60 = 60.0048828125.
    estimator = _estimator(half_life=6.0)
    for second, mid in ((0, 100.0), (2, 100.0), (63, 110.0), (66, 110.0)):
        estimator.observe(second * SECOND, mid)
    assert _estimate(estimator) == pytest.approx(math.log(1.1) / math.sqrt(60.0048828125), rel=1e-12)


def test_there_is_no_estimate_before_the_minimum_of_returns() -> None:
    estimator = _estimator(minimum=3)
    for second in (0, 5, 10):
        estimator.observe(second * SECOND, 100.0)
        assert not estimator.is_warm
        assert estimator.per_sqrt_second is None
        assert estimator.over(1.0) is None
    estimator.observe(15 * SECOND, 100.0)
    assert estimator.is_warm
    assert estimator.per_sqrt_second == 0.0


def test_times_that_do_not_increase_change_nothing() -> None:
    estimator = _estimator()
    estimator.observe(7 * SECOND, 100.0)
    before = estimator.snapshot()
    estimator.observe(7 * SECOND, 120.0)
    estimator.observe(5 * SECOND, 120.0)
    assert estimator.snapshot() == before


@pytest.mark.parametrize("mid", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_a_mid_that_is_not_positive_and_finite_is_refused_and_changes_nothing(mid: float) -> None:
    estimator = _estimator()
    estimator.observe(SECOND, 100.0)
    before = estimator.snapshot()
    with pytest.raises(FactRefusedError, match="positive finite"):
        estimator.observe(9 * SECOND, mid)
    assert estimator.snapshot() == before
    assert issubclass(FactRefusedError, ValueError)


@pytest.mark.parametrize(
    ("half_life", "interval", "minimum", "field"),
    [
        (0.0, 5.0, 1, "volatility_half_life_seconds"),
        (math.nan, 5.0, 1, "volatility_half_life_seconds"),
        (300.0, 0.0, 1, "volatility_sample_seconds"),
        (300.0, math.inf, 1, "volatility_sample_seconds"),
        (300.0, 5.0, 0, "warm_up_samples"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(half_life: float, interval: float, minimum: int, field: str) -> None:
    with pytest.raises(SettingsError, match=field):
        _estimator(half_life, interval, minimum)


@pytest.mark.parametrize("half_life", [math.inf, 3_000.0])
def test_a_brownian_path_of_known_volatility_is_recovered(half_life: float) -> None:
    seed, sigma = 20_210_701, 2e-4
    source = random.Random(seed)
    estimator = _estimator(half_life)
    time, log_price = 0, math.log(2_000.0)
    for _ in range(60_000):
        elapsed = source.expovariate(1.0)
        time += round(elapsed * SECOND)
        log_price += source.gauss(0.0, sigma * math.sqrt(elapsed))
        estimator.observe(time, math.exp(log_price))
    # n returns leave a relative error of 1 / sqrt(2 n), and forgetting keeps about 2 tau / 5 s of them: allow four
    # such errors.
    returns = 12_000 if half_life == math.inf else 2 * half_life / math.log(2) / 5
    assert _estimate(estimator) == pytest.approx(sigma, rel=4 / math.sqrt(2 * returns)), f"seed {seed}"


@given(steps=STEPS, cut=st.integers(1, 39))
def test_what_comes_later_does_not_move_what_was_estimated(steps: list[tuple[int, float]], cut: int) -> None:
    """A run that is cut short has at its end what the whole run had there, whatever follows."""
    cut = min(cut, len(steps))
    ticks = list(zip(accumulate(elapsed for elapsed, _ in steps), (mid for _, mid in steps), strict=True))
    whole, short = _estimator(60.0), _estimator(60.0)
    during = []
    for time, mid in ticks:
        whole.observe(time, mid)
        during.append((whole.per_sqrt_second, whole.snapshot()))
    for time, mid in ticks[:cut]:
        short.observe(time, mid)
    assert (short.per_sqrt_second, short.snapshot()) == during[cut - 1]


@given(steps=STEPS)
def test_without_forgetting_the_estimate_is_that_of_a_mid_carried_forward_on_the_grid(
    steps: list[tuple[int, float]],
) -> None:
    """An independent calculation: look up the prevailing mid at every grid time passed, and sum over all of them."""
    times = list(accumulate(elapsed for elapsed, _ in steps))
    mids = [mid for _, mid in steps]
    last = (times[-1] // (5 * SECOND) + 1) * 5 * SECOND  # one more observation, on the grid, settles what was passed
    estimator = _estimator()
    for time, mid in zip([*times, last], [*mids, 100.0], strict=True):
        estimator.observe(time, mid)
    first = -(-times[0] // (5 * SECOND)) * 5 * SECOND
    before_last = [mids[bisect_right(times, at) - 1] for at in range(first, last, 5 * SECOND)]
    squares = math.fsum(math.log(after / before) ** 2 for before, after in pairwise([*before_last, 100.0]))
    if first == last:
        assert estimator.per_sqrt_second is None
    else:
        assert _estimate(estimator) == pytest.approx(math.sqrt(squares * SECOND / (last - first)), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("interval", "published_bps"), [(1, 1.667), (10, 1.891), (60, 1.874), (300, 2.007)])
def test_a_recorded_day_has_the_volatility_that_was_measured_on_it(
    interval: int, published_bps: float, recorded_quotes: list[tuple[int, float]]
) -> None:
    estimator = _estimator(interval=float(interval))
    for time, mid in recorded_quotes:
        estimator.observe(time, mid)
    assert _estimate(estimator) * 1e4 == pytest.approx(published_bps, abs=0.00051)

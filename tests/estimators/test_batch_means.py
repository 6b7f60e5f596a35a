"""Means of dependent observations and their intervals, against hand calculations, a table and simulated truth."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.errors import SettingsError
from mm_fsm.estimators.batch_means import BatchMeans, MeanInterval, student_quantile

BATCH = 100


def made(batches: list[list[tuple[float, float]]], keep: float = 1.0) -> BatchMeans:
    """Pairs of value and weight, batch by batch."""
    means = BatchMeans(BATCH, keep)
    for number, observations in enumerate(batches):
        for value, weight in observations:
            means.add(number * BATCH, value, weight)
    return means


def estimate(means: BatchMeans) -> MeanInterval:
    found = means.estimate()
    assert found is not None
    return found


# Student's t, 97.5 %: any table.
@pytest.mark.parametrize(
    ("degrees", "value"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (30, 2.042), (120, 1.980)],
)
def test_quantiles_are_those_of_the_table(degrees: int, value: float) -> None:
    assert student_quantile(degrees) == pytest.approx(value, abs=0.0041)


def test_three_batches_by_hand() -> None:
    """Sums of w and w x: (2, 2), (1, 4), (3, 6): R = 12 / 6 = 2; residuals -2, 2, 0.

    The variance is 3 / 2 * 8 / 36 = 1 / 3, and t of two degrees of freedom 4.3027.
    """
    found = estimate(made([[(0, 1), (2, 1)], [(4, 1)], [(2, 3)]]))
    reach = 4.302653 * math.sqrt(1 / 3)
    assert found.value == pytest.approx(2)
    assert (found.lower, found.upper) == pytest.approx((2 - reach, 2 + reach))


def test_nothing_is_known_before_the_first_and_no_interval_before_the_second_batch() -> None:
    assert BatchMeans(BATCH).estimate() is None
    found = estimate(made([[(3, 1), (5, 1)]]))
    assert found == MeanInterval(4, -math.inf, math.inf)


def test_batches_without_observations_are_none() -> None:
    """Two batches far apart are two, whatever lies between; an observation from before counts to the one under way."""
    apart = BatchMeans(BATCH)
    for time, value in ((0, 1.0), (50 * BATCH, 3.0), (2 * BATCH, 5.0)):
        apart.add(time, value)
    assert estimate(apart) == estimate(made([[(1, 1)], [(3, 1), (5, 1)]]))
    assert apart.count == 3


def test_batches_that_forget_count_like_fewer() -> None:
    """Half a share a batch: (1, 1 / 2, 1 / 4) of 0, 0, 7 make 4, and count like (7 / 4)^2 / (21 / 16) = 7 / 3 batches.

    The weighted residuals are -4 / 4, -4 / 2 and 3; t has one degree of freedom, 4 / 3 rounded.
    """
    found = estimate(made([[(0, 1)], [(0, 1)], [(7, 1)]], keep=0.5))
    assert found.value == pytest.approx(4)
    residual = (4 * 0.25) ** 2 + (4 * 0.5) ** 2 + 3**2
    deviation = math.sqrt((7 / 3) / (4 / 3) * residual) / 1.75
    assert found.upper - found.value == pytest.approx(12.7062047 * deviation)


def test_what_was_is_forgotten_after_a_change() -> None:
    """Two hundred batches of -5 and then as many of +5: 0.98^200 is a 57th."""
    means = made([[(-5, 1)]] * 200 + [[(5, 1)]] * 200, keep=0.98)
    assert estimate(means).value == pytest.approx(5, abs=0.2)
    assert estimate(made([[(-5, 1)]] * 200 + [[(5, 1)]] * 200)).value == pytest.approx(0)


def test_intervals_hold_the_truth_as_often_as_they_say_although_neighbours_depend_on_each_other() -> None:
    """Markouts as they are: each is the move over 30 units from its fill on, fills come in bursts, the truth is -1.

    As single observations, as most would count them, the same fills' intervals would hold it far less often.
    """
    held = {"batches": 0, "single": 0}
    for seed in range(300):
        random, means, values = Random(seed), BatchMeans(120), []
        path = [0.0]
        for _ in range(6_100):
            path.append(path[-1] + random.gauss(0, 1))
        time = 0
        while time < 6_000:
            for _ in range(1 + int(random.random() * 4)):
                value = path[time + 30] - path[time] - 1 + random.gauss(0, 0.5)
                means.add(time, value, 0.5 + random.random())
                values.append(value)
            time += 1 + int(random.expovariate(1 / 12))
        found = estimate(means)
        held["batches"] += found.lower <= -1 <= found.upper
        mean = sum(values) / len(values)
        deviation = math.sqrt(sum((each - mean) ** 2 for each in values) / len(values) / (len(values) - 1))
        held["single"] += abs(mean + 1) <= 1.96 * deviation
    assert 0.90 <= held["batches"] / 300 <= 0.98
    assert held["single"] / 300 < 0.7


OBSERVATIONS = st.lists(
    st.tuples(st.integers(0, 5_000), st.floats(-1_000, 1_000), st.floats(0.01, 100)), min_size=2, max_size=40
).map(sorted)


@given(observations=OBSERVATIONS, shift=st.floats(-100, 100), scale=st.floats(0.1, 10))
def test_a_shift_of_the_values_shifts_mean_and_interval_and_a_scale_of_the_weights_nothing(
    observations: list[tuple[int, float, float]], shift: float, scale: float
) -> None:
    plain, changed = BatchMeans(BATCH, 0.9), BatchMeans(BATCH, 0.9)
    for time, value, weight in observations:
        plain.add(time, value, weight)
        changed.add(time, value + shift, weight * scale)
    one, other = estimate(plain), estimate(changed)
    assert other.value == pytest.approx(one.value + shift, abs=1e-6)
    if math.isfinite(one.upper):
        assert one.lower <= one.value <= one.upper
        assert other.upper - other.value == pytest.approx(one.upper - one.value, rel=1e-3, abs=1e-2)


def test_batches_age_by_the_time_that_passes() -> None:
    """Half a share a batch: -8 and -4 three and two batches before 1, so 0.125 and 0.25 of them: -1 - 1 + 1 = -1."""
    aged = BatchMeans(BATCH, 0.5)
    for time, value in ((0, -8.0), (BATCH, -4.0), (3 * BATCH, 1.0)):
        aged.add(time, value)
    assert estimate(aged).value == pytest.approx(-1 / 1.375)
    shares = [aged.share_left(time) for time in (0, 3 * BATCH, 5 * BATCH - 1, 5 * BATCH, 7 * BATCH)]
    assert shares == [1, 1, 1, 0.5, 0.125]
    assert BatchMeans(BATCH, 0.5).share_left(10 * BATCH) == 1


@given(gaps=st.lists(st.one_of(st.integers(0, 5), st.integers(0, 10**9)), min_size=1, max_size=20))
def test_no_gap_however_long_makes_an_estimate_that_is_no_number(gaps: list[int]) -> None:
    means, time = BatchMeans(BATCH, 0.98), 0
    for number, gap in enumerate(gaps):
        time += gap * BATCH
        means.add(time, float(number))
        found = estimate(means)
        assert math.isfinite(found.value)
        assert found.lower <= found.value <= found.upper
        assert 0 <= means.share_left(time + gap * BATCH) <= 1


@pytest.mark.parametrize(("batch", "keep", "name"), [(0, 1.0, "batch"), (1, 0.0, "keep"), (1, 1.1, "keep")])
def test_what_makes_no_sense_is_refused(batch: int, keep: float, name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        BatchMeans(batch, keep)

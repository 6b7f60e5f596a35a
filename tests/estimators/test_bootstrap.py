"""The interval of a sum of dependent figures."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random
from statistics import NormalDist

import pytest

from mm_fsm.errors import SettingsError
from mm_fsm.estimators.bootstrap import Interval, block_bootstrap, dependence


def test_constant_figures_have_no_doubt() -> None:
    found = block_bootstrap([2.0] * 10, block=3)
    assert (found.value, found.lower, found.upper) == pytest.approx((20, 20, 20))


def test_independent_figures_have_the_normal_interval() -> None:
    """Of 400 figures with deviation 1 the sum has deviation 20; the sample's own takes its place."""
    random = Random(5)
    figures = [random.gauss(0, 1) for _ in range(400)]
    mean = math.fsum(figures) / 400
    deviation = math.sqrt(math.fsum((figure - mean) ** 2 for figure in figures))
    found = block_bootstrap(figures, block=1, draws=4000)
    reach = NormalDist().inv_cdf(0.975) * deviation
    assert found.upper - found.lower == pytest.approx(2 * reach, rel=0.06)


def test_blocks_keep_dependence() -> None:
    """Runs of twenty equal figures: single figures hide what the sum's deviation is, blocks of twenty tell it."""
    random = Random(6)
    figures = [level for _ in range(30) for level in [random.gauss(0, 1)] * 20]
    alone, together = (block_bootstrap(figures, block=block) for block in (1, 20))
    assert together.upper - together.lower > 2.5 * (alone.upper - alone.lower)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """A moving average of two draws with mean 0.1: 95 % of the intervals should hold 0.1 * 120."""
    random, held = Random(7), 0
    for seed in range(200):
        noise = [random.gauss(0, 1) for _ in range(121)]
        figures = [0.1 + (one + other) / 2 for one, other in pairwise(noise)]
        found = block_bootstrap(figures, block=6, draws=300, seed=seed)
        held += found.lower <= 12 <= found.upper
    assert held >= 181  # three deviations below what is nominal: 95 % - 3 * sqrt(0.95 * 0.05 / 200)


@pytest.mark.parametrize("blocks", [4, 8, 12])
def test_few_blocks_do_not_call_noise_more_than_that(blocks: int) -> None:
    """Independent figures around zero, 300 series of each: at most 5 % and two deviations of that, 7.5 %."""
    random, missed = Random(11), 0
    for seed in range(300):
        figures = [random.gauss(0, 1) for _ in range(10 * blocks)]
        missed += block_bootstrap(figures, block=10, draws=200, seed=seed).excludes_zero
    assert missed <= 22


def test_dependence_is_how_many_figures_act_as_one() -> None:
    """1 for independent figures; L for runs of L equal ones, in blocks much longer than that; none without change."""
    random = Random(12)
    independent = [random.gauss(0, 1) for _ in range(4_000)]
    assert dependence(independent, 40) == pytest.approx(1, rel=0.25)
    runs = [level for _ in range(2_000) for level in [random.gauss(0, 1)] * 5]
    assert dependence(runs, 100) == pytest.approx(5, rel=0.25)
    assert dependence([3.0] * 16, 2) == 0.0


def test_the_same_seed_gives_the_same_interval() -> None:
    figures = [1.0, -2.0, 3.0, 0.5]
    assert block_bootstrap(figures, block=2, seed=3) == block_bootstrap(figures, block=2, seed=3)


def test_an_interval_that_holds_zero_says_so() -> None:
    assert not Interval(1, -1, 3).excludes_zero
    assert Interval(2, 1, 3).excludes_zero
    assert Interval(-2, -3, -1).excludes_zero


@pytest.mark.parametrize(
    ("figures", "block"), [([], 1), ([1.0], 2), ([1.0, 2.0], 0), ([1.0, 2.0, 3.0], 2), ([math.nan], 1)]
)
def test_what_cannot_be_is_refused(figures: list[float], block: int) -> None:
    with pytest.raises(SettingsError):
        block_bootstrap(figures, block=block)

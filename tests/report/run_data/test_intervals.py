"""How long blocks are, and that pairs of runs take only the time that both have."""

from __future__ import annotations

from random import Random

import pytest

from mm_fsm.report.figures import ProfitSteps
from mm_fsm.report.run_data.intervals import Blocks, intervals_of, paired


def steps_of(profits: list[float], begin: int = 0, length: float = 10.0) -> ProfitSteps:
    """Steps with these profits, the first one beginning at a number of seconds."""
    total, net = 0.0, []
    for profit in profits:
        total += profit
        net.append(total)
    ends = tuple(round((begin + (place + 1) * length) * 1000) for place in range(len(profits)))
    zeros = (0.0,) * len(profits)
    return ProfitSteps(
        step_seconds=length, end_ms=ends, net=tuple(net), spread_capture=tuple(net), inventory=zeros, fees=zeros
    )


@pytest.mark.parametrize(
    ("wanted", "least", "count", "expected"),
    [
        (300.0, 300.0, 240, 30),  # eight blocks of thirty steps, just enough
        (300.0, 300.0, 239, None),
        (3000.0, 300.0, 800, 100),  # shortened from 300 steps to an eighth of the run
        (3000.0, 300.0, 8000, 300),
        (3000.0, 300.0, 200, None),  # even the shortest is too long
        (1.0, 1.0, 8, 1),
    ],
)
def test_blocks_are_as_long_as_wanted_where_there_are_eight_of_them(
    wanted: float, least: float, count: int, expected: int | None
) -> None:
    assert Blocks(wanted=wanted, least=least).steps(count, 10.0) == expected


def test_an_interval_holds_the_sum_and_says_how_it_was_made() -> None:
    random = Random(5)
    steps = steps_of([random.gauss(0.1, 1.0) for _ in range(960)])
    found = intervals_of(steps, Blocks())
    assert found.terms is not None
    assert (found.terms.steps, found.terms.block_seconds, found.terms.draws) == (960, 300.0, 2000)
    net = found.parts["net"]
    assert net.value == pytest.approx(steps.net[-1])
    assert net.lower < net.value < net.upper
    # By the central limit theorem some 2 * 1.96 * sqrt(960) wide, less what blocks of thirty lose: within a third.
    assert net.upper - net.lower == pytest.approx(2 * 1.96 * 960**0.5, rel=0.33)
    assert found.parts["spread_capture"] == net
    assert found.parts["fees"].value == 0.0


def test_a_pair_takes_the_time_that_both_runs_have() -> None:
    """The second run begins 200 s later and ends 100 s later; each step of the first earns 2 and of the second 1.5."""
    first, second = steps_of([2.0] * 500), steps_of([1.5] * 490, begin=200)
    found = paired(second, first, Blocks())
    assert (found.begin_ms, found.end_ms) == (210_000, 5_000_000)
    assert {each.what: each.interval.value for each in found.differences}["net"] == pytest.approx(-0.5 * 479)


def test_steps_of_two_lengths_pair_at_the_ends_of_the_longer_ones() -> None:
    """Twice as long steps in the second run: every second end of the first is one of its."""
    first, second = steps_of([1.0] * 960), steps_of([3.0] * 480, length=20.0)
    found = paired(second, first, Blocks())
    assert found.terms is not None
    assert (found.terms.step_seconds, found.terms.steps) == (20.0, 479)
    assert {each.what: each.interval.value for each in found.differences}["net"] == pytest.approx(479.0)


def test_constant_differences_leave_no_doubt() -> None:
    found = paired(steps_of([1.0] * 400), steps_of([0.5] * 400), Blocks())
    (net,) = [each.interval for each in found.differences if each.what == "net"]
    assert (net.lower, net.upper) == pytest.approx((net.value, net.value))
    assert net.excludes_zero


def test_runs_that_share_no_time_are_refused() -> None:
    found = paired(steps_of([1.0] * 400), steps_of([1.0] * 400, begin=1_000_000), Blocks())
    assert (found.terms, found.refused) == (None, "the runs have no time in common")

"""How long blocks are, and that pairs of runs take only the time that both have."""

from __future__ import annotations

from random import Random

import pytest

from mm_fsm.report.figures import ProfitSteps
from mm_fsm.report.run_data import intervals
from mm_fsm.report.run_data.intervals import Blocks, intervals_of, paired

KEPT = 0.5 ** (10 / 75)
"""Of what halves in 75 s, after a step of 10 s."""


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


@pytest.mark.parametrize("minutes", [40, 60, 120])
@pytest.mark.parametrize("kind", ["independent", "position times price move", "dependent"])
def test_noise_is_called_more_than_that_no_more_often_than_is_said(
    monkeypatch: pytest.MonkeyPatch, minutes: int, kind: str
) -> None:
    """Profits around zero, 120 runs of each, in steps of 10 s: at most 5 % and three deviations of that, 11 %.

    Dependent ones, and positions, halve in 75 s.
    """
    monkeypatch.setattr(intervals, "DRAWS", 200)
    random, called = Random(minutes), 0
    for _ in range(120):
        level, profits = random.gauss(0, 1), []
        for _ in range(minutes * 6):
            move = random.gauss(0, 1)
            level = KEPT * level + (1 - KEPT**2) ** 0.5 * random.gauss(0, 1)
            profits.append({"independent": move, "dependent": level}.get(kind, level * move))
        net = intervals_of(steps_of(profits), Blocks()).parts["net"]
        called += net.excludes_zero and not net.doubt
    assert called <= 13


def test_blocks_are_longer_where_profits_depend_on_each_other_and_a_run_too_short_for_that_is_in_doubt() -> None:
    """Equal profits for 200 s each time: blocks should last five times that, and an hour has no eight of these."""
    random = Random(13)
    profits = [level for _ in range(200) for level in [random.gauss(0, 1)] * 20]
    long, short = (intervals_of(steps_of(some), Blocks()) for some in (profits, profits[:360]))
    assert long.terms is not None
    assert long.terms.block_seconds == pytest.approx(1000, rel=0.3)
    assert not long.parts["net"].doubt
    assert short.terms is not None
    assert short.terms.block_seconds == 450  # an eighth of the hour
    assert "depend on each other, its blocks have only 450 s" in short.parts["net"].doubt


def test_blocks_that_positions_outlast_are_in_doubt_however_their_length_was_chosen() -> None:
    random = Random(14)
    steps = steps_of([random.gauss(0, 1) for _ in range(400)])
    for blocks in (Blocks(wanted=1200.0, half_life=600.0), Blocks(wanted=300.0, least=300.0, half_life=600.0)):
        found = intervals_of(steps, blocks)
        assert found.terms is not None
        said = f"positions halve in 600 s, its blocks have only {found.terms.block_seconds:g} s"
        assert found.parts["net"].doubt == said


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

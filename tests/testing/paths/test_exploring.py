"""What real guards cannot be made to let through is found out, and the rest is taken all the same."""

from __future__ import annotations

import pytest

from mm_fsm.testing import explore_paths, forced, plan_paths, real
from tests.testing.by_hand import TRAFFIC, set_traffic
from tests.testing.charts import Light

STUCK = real(Light, {"has_traffic": (set_traffic(3), set_traffic(1))})
"""Traffic never ends, so the light never goes from red to green."""


def test_everything_that_can_be_taken_is_taken() -> None:
    """What is planned starts with slow, stop, go: it is kept as far as stop, and both ways to smash are found again."""
    plan = explore_paths(STUCK, "transitions")
    keys = STUCK.model.edge_keys
    assert {keys[place] for path in plan.paths for place in path} == {
        "green --slow [has_traffic]--> yellow",
        "yellow --stop--> red",
        "red --smash--> broken",
        "green --smash--> broken",
    }
    for path in plan.paths:
        assert STUCK.start(*path).taken == [*path]


def test_what_is_infeasible_names_what_was_found_and_the_path_tried() -> None:
    left_out = explore_paths(STUCK, "transitions").left_out
    assert [*left_out] == ["red --go [not has_traffic]--> green"]
    assert left_out["red --go [not has_traffic]--> green"] == (
        "infeasible: found that it took nothing and raised TransitionNotAllowed: Can't Go when in Red.; active: red; "
        "tried green --slow [has_traffic]--> yellow, then yellow --stop--> red, "
        "then red --go [not has_traffic]--> green"
    )


@pytest.mark.parametrize(
    ("criterion", "left_out"),
    [
        ("states", 0),
        # stop-go, go-slow and go-smash of slow-stop, stop-go, go-slow, go-smash, stop-smash.
        ("pairs", 3),
        # slow-stop-go of that, slow-stop-smash and smash.
        ("roundtrip", 1),
    ],
)
def test_each_criterion_leaves_out_what_goes_through_the_infeasible_edge(criterion: str, left_out: int) -> None:
    plan = explore_paths(STUCK, criterion)
    assert len(plan.left_out) == left_out
    assert all("go [not has_traffic]" in key for key in plan.left_out)


@pytest.mark.parametrize("criterion", ["states", "transitions", "pairs", "roundtrip"])
def test_where_everything_is_feasible_the_plan_stays_as_it_is(criterion: str) -> None:
    driver = real(Light, TRAFFIC)
    assert explore_paths(driver, criterion).paths == plan_paths(forced(Light), criterion).paths
    assert explore_paths(driver, criterion).left_out == {}

"""Paths that meet a criterion: counted by hand, held against coverage, and as short as any."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.chart import ChartDefinition, EdgeDefinition, StateDefinition
from mm_fsm.coverage.criteria import Criterion
from mm_fsm.coverage.model import ChartModel, flat_model
from mm_fsm.coverage.result import ChartResult, CriterionResult
from mm_fsm.coverage.run import ChartRun
from mm_fsm.coverage.tally import Tally, Walk
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import Driven, Driver, Plan, UnsupportedChartError, forced, plan_paths
from mm_fsm.testing.driving.driver import Then
from tests.coverage.charts import Door, Lamp, Loops, Pausing, Regions, Siblings, Twice
from tests.coverage.recording import recording
from tests.testing.charts import Kitchen, Light, Passing, Remembering

CRITERIA = ["states", "transitions", "pairs", "roundtrip"]


class Undriven(Driver):
    """A chart to plan on, of which no machine is made."""

    def start(self, *places: int, then: Then | None = None) -> Driven:
        raise NotImplementedError


def events_of(plan: Plan) -> list[list[str]]:
    edges = plan.driver.model.definition.edges
    return [[edges[place].event for place in path] for path in plan.paths]


def seen_by_coverage(plan: Plan) -> CriterionResult:
    """What coverage counts when a machine goes each path."""
    model = plan.driver.model
    tally = Tally(model)
    for path in plan.paths:
        walk = Walk(tally)
        walk.start(model.definition.initial.id)
        for place in path:
            walk.take(place)
    return ChartResult.of(ChartRun(model, tally.hits()), [plan.criterion]).criteria[0]


# -- by hand ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chart", "criterion", "paths", "steps"),
    [
        # shut -push-> ajar -pull-> shut -push-> ajar -tear_off-> gone: the one way that takes all three edges.
        (Door, "transitions", 1, 4),
        # Its pairs: push-pull, pull-push, push-tear_off: the same way.
        (Door, "pairs", 1, 4),
        (Door, "states", 1, 2),
        # The tree: push-pull ends at shut again, push-tear_off at the end.
        (Door, "roundtrip", 2, 4),
        # left-cross, right-cross, left-cross has both pairs.
        (Siblings, "pairs", 1, 3),
        # 10 pairs: note, again and back each before note, again and move, and move before back. So move comes after
        # three edges, and each time back must follow: 12 pairs one after the other, which are 13 edges.
        (Loops, "pairs", 1, 13),
        # Two events of one edge that ends: each is a path, for pairs too, where nothing follows.
        (Twice, "transitions", 2, 2),
        (Twice, "pairs", 2, 2),
        # Both edges called smash end a path. One starts in red, which takes slow and stop, and go leads back to green
        # for the other: slow-stop-go-smash and slow-stop-smash.
        (Light, "transitions", 2, 7),
    ],
)
def test_paths_are_as_many_and_as_long_as_counted_by_hand(chart: type, criterion: str, paths: int, steps: int) -> None:
    plan = plan_paths(forced(chart), criterion)
    assert (len(plan.paths), plan.steps) == (paths, steps)
    assert plan.left_out == {}


def test_paths_are_written_in_order_from_the_initial_state() -> None:
    plan = plan_paths(forced(Light), "roundtrip")
    assert events_of(plan) == [["slow", "stop", "go"], ["slow", "stop", "smash"], ["smash"]]


@pytest.mark.parametrize(
    ("chart", "edges", "pairs", "most_steps"),
    [(OrderLifecycle, 94, 982, 1400), (MarketMakingStateMachine, 48, 280, 900)],
)
def test_our_own_charts_are_covered_by_driven_machines(chart: type, edges: int, pairs: int, most_steps: int) -> None:
    """Every path is really taken, and coverage sees everything; a path of n edges has n - 1 pairs at most."""
    driver = forced(chart)
    with recording(chart) as seen:
        plan = plan_paths(driver, "pairs")
        for path in plan.paths:
            driver.start(*path)
    for criterion, total in ((Criterion.STATES, 9), (Criterion.TRANSITIONS, edges), (Criterion.PAIRS, pairs)):
        result = seen.criterion(criterion)
        assert (result.covered, result.total) == (total, total)
    assert pairs + len(plan.paths) <= plan.steps <= most_steps


# -- what is left out ------------------------------------------------------------------------------------------------


def test_edges_that_exclude_themselves_are_left_out_with_their_reason() -> None:
    assert plan_paths(forced(Lamp), "transitions").left_out == {"dark --explode--> burnt": "a dark lamp is cold"}
    key = "lit --switch--> dark, then dark --explode--> burnt"
    assert plan_paths(forced(Lamp), "pairs").left_out == {key: "a dark lamp is cold"}


def test_what_only_an_excluded_edge_leads_to_is_left_out_too() -> None:
    plan = plan_paths(forced(Light), "transitions", exclude={"yellow --stop*": "it hangs"})
    assert plan.left_out == {
        "yellow --stop--> red": "it hangs",
        "red --go [not has_traffic]--> green": "no path leads there",
        "red --smash--> broken": "no path leads there",
    }
    assert sorted(events_of(plan)) == [["slow"], ["smash"]]


def test_a_pair_that_is_excluded_is_never_taken() -> None:
    """Without it, smash right after go needs no second round."""
    pair = "red --go [not has_traffic]--> green, then green --smash--> broken"
    plan = plan_paths(forced(Light), "pairs", exclude={pair: "go locks it"})
    assert plan.left_out == {pair: "go locks it"}
    assert not any(
        (first, second) == ("go", "smash") for path in events_of(plan) for first, second in itertools.pairwise(path)
    )
    # slow-stop-go-slow-stop-smash takes the other four pairs, and smash from green, in no pair now, goes alone.
    assert (len(plan.paths), plan.steps) == (2, 7)


def test_nothing_is_sent_where_a_machine_moves_on_by_itself() -> None:
    plan = plan_paths(forced(Passing), "transitions")
    reason = "the machine moves on from between by itself before anything can be sent"
    assert plan.left_out == {"between --cancel--> here": reason}
    assert events_of(plan) == [["go", "(no event)", "back"]]


def test_an_exclusion_that_fits_nothing_is_refused() -> None:
    with pytest.raises(UnsupportedChartError, match=r"nothing that the exclusion 'green --slo--\*' fits"):
        plan_paths(forced(Light), "pairs", exclude={"green --slo--*": "a slip"})


@pytest.mark.parametrize("criterion", ["mcdc", "sneak", "everything"])
def test_a_criterion_that_has_no_paths_is_refused(criterion: str) -> None:
    with pytest.raises(ValueError, match=r"criterion: expected one of .*'states', 'transitions', 'pairs', 'roundtrip'"):
        plan_paths(forced(Light), criterion)


def test_a_negative_reset_cost_is_refused() -> None:
    with pytest.raises(ValueError, match="reset_cost: expected a number of edges, 0 or more, found -1"):
        plan_paths(forced(Light), "pairs", reset_cost=-1)


# -- states within states --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("criterion", ["states", "transitions", "pairs"])
def test_compound_states_are_gone_through(criterion: str) -> None:
    driver = forced(Kitchen)
    with recording(Kitchen) as seen:
        plan = plan_paths(driver, criterion)
        for path in plan.paths:
            assert driver.start(*path).taken == [*path]
    assert seen.criterion(Criterion(criterion)).missing == ()
    assert plan.left_out == {}


@pytest.mark.parametrize(
    ("chart", "found"),
    [(Regions, "both (parallel)"), (Pausing, "last (history)"), (Remembering, "last (history)")],
)
def test_paths_through_parallel_and_history_states_are_refused(chart: type, found: str) -> None:
    with pytest.raises(UnsupportedChartError) as caught:
        plan_paths(forced(chart), "transitions")
    assert found in caught.value.problem


def test_round_trips_of_states_within_states_are_refused() -> None:
    with pytest.raises(UnsupportedChartError, match="round trips are not defined for states within states"):
        plan_paths(forced(Kitchen), "roundtrip")


# -- any chart -------------------------------------------------------------------------------------------------------


@st.composite
def models(draw: st.DrawFn) -> ChartModel:
    """A flat chart of a few states; some may be out of reach, some edges exclude themselves."""
    size = draw(st.integers(1, 5))
    names = [f"s{number}" for number in range(size)]
    edges = draw(
        st.lists(
            st.tuples(st.sampled_from(names), st.sampled_from(names), st.sampled_from(["", "", "", "no use"])),
            max_size=10,
        )
    )
    return flat_model(
        "any:Chart",
        ChartDefinition(
            name="Chart",
            states=tuple(StateDefinition(id=name, name=name, initial=name == "s0") for name in names),
            edges=tuple(
                EdgeDefinition(event=f"e{number}", source=source, target=target, excluded=excluded)
                for number, (source, target, excluded) in enumerate(edges)
            ),
            automatic=False,
        ),
    )


@settings(max_examples=150)
@given(model=models(), criterion=st.sampled_from(CRITERIA), reset_cost=st.integers(0, 3))
def test_paths_meet_their_criterion_and_name_what_they_do_not(
    model: ChartModel, criterion: str, reset_cost: int
) -> None:
    """Coverage, which knows nothing of plans, finds exactly that missing or excluded which the plan leaves out."""
    plan = plan_paths(Undriven(model), criterion, reset_cost=reset_cost)
    for path in plan.paths:
        edges = [model.definition.edges[place] for place in path]
        assert [edge.source for edge in edges] == ["s0", *(edge.target for edge in edges)][: len(edges)]
        assert not any(edge.excluded for edge in edges)
    result = seen_by_coverage(plan)
    unmet = {one.key for one in result.missing} | {one.key for one in result.excluded}
    assert unmet - plan.left_out.keys() <= {model.definition.initial.id}, "a path that is not taken enters nothing"
    assert plan.left_out.keys() <= unmet


@settings(max_examples=100)
@given(model=models(), criterion=st.sampled_from(["transitions", "pairs", "roundtrip"]))
def test_what_paths_leave_out_cannot_be_reached(model: ChartModel, criterion: str) -> None:
    """An edge can be reached when its source can be, over edges that are not excluded."""
    reached = {"s0"}
    usable = [edge for edge in model.definition.edges if not edge.excluded]
    for _ in usable:
        reached |= {edge.target for edge in usable if edge.source in reached}
    keys = {
        key for key, edge in zip(model.edge_keys, model.definition.edges, strict=True) if edge.source not in reached
    }
    keys |= {key for key, edge in zip(model.edge_keys, model.definition.edges, strict=True) if edge.excluded}
    for key in plan_paths(Undriven(model), criterion).left_out:
        assert keys & set(key.split(", then "))


PROGRAM = """
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing import forced, plan_paths
driver = forced(MarketMakingStateMachine)
print([plan_paths(driver, name).paths for name in ("states", "transitions", "pairs", "roundtrip")])
"""


def test_paths_are_the_same_in_every_process() -> None:
    """Workers of pytest-xdist must collect the same cases, whatever the order of their sets."""
    texts = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    (text,) = texts
    assert text.startswith("[((")
